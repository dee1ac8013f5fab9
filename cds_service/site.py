"""The guideline profiles and the settings in, the profile of this site out."""

from collections.abc import Mapping

from cds_service.settings import Settings
from hooks.knowledge import Profile


def site_profile(profiles: Mapping[str, Profile], settings: Settings) -> Profile:
    """The profile of the site: a guideline, with the site's endemic regions and switches."""
    chosen = profiles[settings.profile]
    return chosen.at_site(settings.endemic, cotrimoxazole_for_all=settings.cotrimoxazole_for_all)
