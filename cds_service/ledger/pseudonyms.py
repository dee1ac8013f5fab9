"""An id in, a keyed hash of it out, or a text in and the same sealed out: of no use to whoever has no key."""

import hashlib
import hmac
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import LargeBinary, String, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from cds_service.ledger.database import Database, LedgerDown, Tables
from cds_service.settings import LEAST_KEY_BYTES

UNKNOWN = "0" * 32  # in the place of a keyed hash where the key cannot be had
_NAME = "pseudonyms"
_SEALED = "sealed:"
_NONCE_BYTES = 12


class SiteKey(Tables):
    """A key that this site made for itself, where none was given."""

    __tablename__ = "site_keys"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[bytes] = mapped_column(LargeBinary(64))


class Pseudonyms:
    """What stands for a patient or a user where the id itself must not stand, and keeps what clinicians write to themselves."""

    def __init__(self, find_key: Callable[[], bytes]) -> None:
        """The key is looked for now and, where the database is away, when it is next needed."""
        self._find_key = find_key
        self._key: bytes | None = None
        self._look()

    def of(self, issuer: str, name: str) -> str:
        """32 hexadecimal digits, `UNKNOWN` where the key cannot be had. Two issuers' patients of one id are two."""
        key = self._key or self._look()
        return _hash(key, f"{issuer}\n{name}")[:32] if key else UNKNOWN

    def digest(self, *parts: object) -> str:
        """32 hexadecimal digits for these parts, which are text, None, or tuples of such. Raises LedgerDown without the key."""
        return _hash(self._needed(), json.dumps(parts, ensure_ascii=False))[:32]

    def seal(self, text: str) -> str:
        """The text as only the key opens it (AES-256-GCM). Raises LedgerDown without the key."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return _SEALED + urlsafe_b64encode(nonce + self._cipher().encrypt(nonce, text.encode(), None)).decode()

    def unseal(self, text: str) -> str | None:
        """What was sealed, None where it was with another key. What was never sealed is as it was."""
        if not text.startswith(_SEALED):
            return text
        found = urlsafe_b64decode(text.removeprefix(_SEALED))
        try:
            return self._cipher().decrypt(found[:_NONCE_BYTES], found[_NONCE_BYTES:], None).decode()
        except InvalidTag:
            return None

    def key_for(self, use: str) -> bytes:
        """32 bytes for one use, of no use for any other. Raises LedgerDown without the key."""
        return hmac.digest(self._needed(), use.encode(), hashlib.sha256)

    def _cipher(self) -> AESGCM:
        return AESGCM(self.key_for("comments"))

    def _needed(self) -> bytes:
        key = self._key or self._look()
        if key is None:
            raise LedgerDown("NoKey")
        return key

    def _look(self) -> bytes | None:
        with suppress(LedgerDown):
            self._key = self._find_key()
        return self._key


def _hash(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


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
