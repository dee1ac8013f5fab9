"""Settings in, the production service out: everything that must be there is looked at before a worker is started."""

from collections.abc import Iterator
from typing import TextIO

from cds_service.access.issuers import Issuer
from cds_service.access.trust_file import presets
from cds_service.app import create_app, trusted_issuers
from cds_service.ledger import Ledger, LedgerDown
from cds_service.server import Server
from cds_service.settings import SettingFault, Settings


def serve(settings: Settings, host: str, port: int, workers: int, out: TextIO) -> int:
    """Serves until it is told to stop; the exit status. Raises SettingFault, naming the setting."""
    for line in check(settings):
        out.write(f"cds-service serve: {line}\n")
    out.flush()
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    Server(lambda: create_app(settings), bind, workers=workers).run()
    return 0


def check(settings: Settings) -> tuple[str, ...]:
    """What an operator should know before the service starts. Raises SettingFault where it must not start."""
    if not settings.issuers:
        raise SettingFault("CDS_ISSUERS: the file of trusted issuers is required; `cds-service demo` runs without.")
    if not settings.public_url:
        raise SettingFault("CDS_PUBLIC_URL: the base address that clients call is required.")
    try:
        Ledger(settings.database_url).database.close()
    except LedgerDown as fault:
        raise SettingFault(f"CDS_DATABASE_URL: the database cannot be opened ({fault}).") from None
    return tuple(line for one in trusted_issuers(settings) for line in _remarks(one))


def _remarks(issuer: Issuer) -> Iterator[str]:
    if issuer.iss == presets()["sandbox"]["iss"]:
        yield f"{issuer.iss} is trusted, and its private key is public: anybody can call. Never where real patients are."
    if "conditions" in issuer.not_supplied:
        yield f"{issuer.iss} never sends conditions: nothing can be assessed for it, and no card will say so."
