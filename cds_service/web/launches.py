"""The clients that have a why page in; out comes what each launch of it needs, built once when the service started."""

import ssl
from collections.abc import Callable, Iterable, Mapping

from cds_service.access import Issuer
from cds_service.access.issuers import Smart
from cds_service.web.admission import Admission
from cds_service.why.discovery import Discovery
from cds_service.why.launch import Seal
from cds_service.why.refused import NotShown

LAUNCH, CALLBACK = "/why/launch", "/why/callback"
_AT_ONCE, _WAITING, _OF_ONE_ISSUER, _PATIENCE = 4, 8, 3, 1.0  # launches of a process: cards have the first claim on it


class Launches:
    """Whom the page may be launched by, by the FHIR base addresses that may be named."""

    def __init__(
        self, issuers: Iterable[Issuer], base: str, find_key: Callable[[], bytes], context: ssl.SSLContext
    ) -> None:
        """`base` is the address of this service as its clients and their users know it."""
        self.base, self.context = base, context
        self.seal, self.discovery = Seal(find_key), Discovery(context)
        self.admission = Admission(_AT_ONCE, _WAITING, _OF_ONE_ISSUER, _PATIENCE)
        self._by_server: Mapping[str, tuple[Issuer, Smart]] = {
            server: (one, one.smart) for one in issuers if one.smart for server in one.smart.servers
        }
        self._names = frozenset(one.iss for one, _ in self._by_server.values())

    @property
    def back(self) -> str:
        """The redirect URI, exactly as it is registered with each client."""
        return self.base + CALLBACK

    @property
    def secure(self) -> bool:
        """Whether it is reached over TLS; else only this machine can be meant."""
        return self.base.startswith("https://")

    def address_for(self, issuer: Issuer) -> str | None:
        """What the cards of this client link to."""
        return self.base + LAUNCH if issuer.iss in self._names else None

    def of(self, iss: str) -> tuple[Issuer, Smart]:
        """Who launches, by the FHIR server that the launch names, to the character. Raises NotShown."""
        found = self._by_server.get(iss.removesuffix("/"))
        if found is None:
            raise NotShown("unknown-ehr")
        return found
