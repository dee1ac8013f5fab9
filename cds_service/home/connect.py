"""The address of this service in; out come the links and lines by which an EHR or the CDS Hooks Sandbox is connected to it."""

from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

PUBLIC_SANDBOX = "https://sandbox.cds-hooks.org"
_DEMO_PATIENT = "starting-art"
_SANDBOX_PORT = 8080  # of its development server, which takes the next one where this is taken


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """`base`: what clients call, "" where this process cannot know it. `sandbox`: opens the Sandbox with this service in it."""

    base: str
    sandbox: str

    @property
    def discovery(self) -> str:
        """The one address that an EHR asks for."""
        return f"{self.base}/cds-services"


def connection(base: str, *, demo: bool) -> Connection:
    """In the demo for the Sandbox on this machine, with the demo's charts; else for the public one, with the service alone."""
    if not base:
        return Connection(base="", sandbox="")
    if demo:
        port = _SANDBOX_PORT + 1 if urlsplit(base).port == _SANDBOX_PORT else _SANDBOX_PORT
        return Connection(base=base, sandbox=f"http://localhost:{port}/{sandbox_query(base, charts=True)}")
    return Connection(base=base, sandbox=f"{PUBLIC_SANDBOX}/{sandbox_query(base)}")


def sandbox_query(base: str, *, charts: bool = False) -> str:
    """What is added to the address of a Sandbox; `charts`: with the demo's FHIR endpoint and a patient of it."""
    opened = {"fhirServiceUrl": f"{base}/fhir", "patientId": _DEMO_PATIENT} if charts else {}
    return "?" + urlencode(opened | {"serviceDiscoveryURL": f"{base}/cds-services"}, safe=":/")
