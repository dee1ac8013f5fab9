"""The settings and the trust file in; out come the guideline profiles of this site, and what holds for one of its clients."""

from collections.abc import Mapping
from dataclasses import dataclass

from cds_service.access import Issuer
from cds_service.access.trust_file import read_issuers
from cds_service.chart.prefetch import KEYS
from cds_service.settings import SettingFault, Settings
from hooks.knowledge import Knowledge, Profile, load, load_profiles, local_knowledge


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """By what a client's charts are read and judged. Without `iss` it is no client in particular: as the site is set."""

    knowledge: Knowledge
    profile: Profile
    not_supplied: frozenset[str] = frozenset()
    iss: str = ""


def site_profiles(profiles: Mapping[str, Profile], settings: Settings) -> Mapping[str, Profile]:
    """Every guideline with the site's endemic regions and switches, by its name."""
    for_all = settings.cotrimoxazole_for_all
    return {name: one.at_site(settings.endemic, cotrimoxazole_for_all=for_all) for name, one in profiles.items()}


def client_of(iss: str | None, settings: Settings) -> Client:
    """As its entry in the trust file says. Raises SettingFault where there is none, KnowledgeFault for a faulty map of codes."""
    knowledge = load()
    profiles = site_profiles(load_profiles(knowledge), settings)
    if iss is None:
        return Client(knowledge=knowledge, profile=profiles[settings.profile])
    issuer = _issuer(iss, issuers_of(settings))
    return Client(
        knowledge=local_knowledge(issuer.codes, knowledge) if issuer.codes else knowledge,
        profile=profiles[issuer.profile or settings.profile],
        not_supplied=issuer.not_supplied,
        iss=issuer.iss,
    )


def issuers_of(settings: Settings) -> tuple[Issuer, ...]:
    """The entries of the trust file. Raises SettingFault."""
    if settings.issuers is None:
        raise SettingFault("CDS_ISSUERS: the trust file is required where --issuer is given.")
    return read_issuers(settings.issuers, KEYS[1:])


def _issuer(iss: str, issuers: tuple[Issuer, ...]) -> Issuer:
    found = next((one for one in issuers if one.iss == iss), None)
    if found is None:
        raise SettingFault("--issuer: there is no entry of this `iss` in the trust file (CDS_ISSUERS).")
    return found
