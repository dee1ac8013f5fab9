"""An id in, a keyed hash of it out: the same for the same id, and of no use to whoever has no key."""

import hashlib
import hmac
import secrets
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from sqlalchemy import LargeBinary, String, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from cds_service.ledger.database import Database, LedgerDown, Tables
from cds_service.settings import LEAST_KEY_BYTES

_NAME = "pseudonyms"


class SiteKey(Tables):
    """A key that this site made for itself, where none was given."""

    __tablename__ = "site_keys"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[bytes] = mapped_column(LargeBinary(64))


class Pseudonyms:
    """What stands for a patient or a user where the id itself must not stand."""

    def __init__(self, find_key: Callable[[], bytes]) -> None:
        """The key is looked for now and, where the database is away, when it is next needed."""
        self._find_key = find_key
        self._key: bytes | None = None
        self._look()

    def of(self, issuer: str, name: str) -> str:
        """32 hexadecimal digits, all zero where the key cannot be had. Two issuers' patients of one id are two."""
        key = self._key or self._look()
        return hmac.new(key, f"{issuer}\n{name}".encode(), hashlib.sha256).hexdigest()[:32] if key else "0" * 32

    def _look(self) -> bytes | None:
        with suppress(LedgerDown):
            self._key = self._find_key()
        return self._key


def site_key(database: Database, file: str | None) -> bytes:
    """The key in a file; where none is named one that is made once and kept in the database. Raises LedgerDown, OSError."""
    if file:
        return Path(file).read_bytes()
    try:
        with database.writing() as connection:
            connection.execute(insert(SiteKey), {"name": _NAME, "value": secrets.token_bytes(LEAST_KEY_BYTES)})
    except LedgerDown as fault:
        if not isinstance(fault.__cause__, IntegrityError):  # another process was faster, or it was there before
            raise
    with database.reading() as connection:
        return bytes(connection.execute(select(SiteKey.value).where(SiteKey.name == _NAME)).scalar_one())
