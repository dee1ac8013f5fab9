"""The guideline profiles and the settings in, the profile of this site out."""

from collections.abc import Mapping

from cds_service.settings import Settings
from hooks.knowledge import Profile


def site_profiles(profiles: Mapping[str, Profile], settings: Settings) -> Mapping[str, Profile]:
    """Every guideline with the site's endemic regions and switches, by its name."""
    for_all = settings.cotrimoxazole_for_all
    return {name: one.at_site(settings.endemic, cotrimoxazole_for_all=for_all) for name, one in profiles.items()}


def site_profile(profiles: Mapping[str, Profile], settings: Settings) -> Profile:
    """The profile of the site: the guideline that its settings name."""
    return site_profiles(profiles, settings)[settings.profile]
