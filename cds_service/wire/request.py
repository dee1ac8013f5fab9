"""The hook request as the rest of the service knows it: no raw request past this point."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from msgspec import Raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorization:
    """What the client lends us to ask its FHIR server with; never stored, shared or logged."""

    access_token: str = field(repr=False)
    patient: str | None = None
    expires_in: float | None = None  # seconds

    @property
    def has_expired(self) -> bool:
        """Whether it says that its time is over."""
        return self.expires_in is not None and self.expires_in <= 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HookRequest:
    """One invocation of a service. Resources are still JSON here: reading them is the chart's work."""

    hook: str
    hook_instance: str
    patient_id: str
    user_id: str | None = None
    encounter_id: str | None = None
    draft_orders: Raw | None = None  # None where the hook has none
    prefetch: Mapping[str, Raw] = field(default_factory=dict)
    fhir_server: str | None = None
    authorization: Authorization | None = None
