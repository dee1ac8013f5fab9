"""The services in, the discovery answer out: public, the same for everybody, without patient data."""

from collections.abc import Mapping
from typing import Any

from hooks.assess import Service

REQUIREMENTS = (
    "patient, and cd4 or viralLoads, are needed: as prefetch, or from fhirServer where this service may ask it. Without "
    "conditions, medications and allergies the rules that need them are not assessed and the answer says so."
)


def discovery(services: tuple[Service, ...], templates: Mapping[str, str]) -> dict[str, Any]:
    """The body of GET /cds-services."""
    return {
        "services": [
            {
                "hook": one.hook,
                "id": one.id,
                "title": one.title,
                "description": one.description,
                "usageRequirements": REQUIREMENTS,
                "prefetch": dict(templates),
            }
            for one in services
        ]
    }
