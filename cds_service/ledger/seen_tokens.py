"""A client token's issuer and id in; out comes whether it was used before. Each counts once, for all processes and restarts."""

from threading import Lock

from sqlalchemy import BigInteger, String, delete, insert, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from cds_service.ledger.database import Database, LedgerDown, Tables

_KEPT_SECONDS = 3600  # beyond its end, so that a clock that is set back revives no token
_PURGED_EVERY = 300  # seconds
_AT_ONCE = 500  # rows: a purge never keeps a call waiting for long, and the next call goes on with it


class SeenToken(Tables):
    """A token that was used. Its text is never kept."""

    __tablename__ = "seen_tokens"
    __table_args__ = {"sqlite_with_rowid": False}  # noqa: RUF012  (SQLAlchemy's own way)

    issuer: Mapped[str] = mapped_column(String(256), primary_key=True)
    jti: Mapped[str] = mapped_column(String(256), primary_key=True)
    expires: Mapped[int] = mapped_column(BigInteger, index=True)  # seconds since 1970


class SeenTokens:
    """The tokens that were used, of all issuers."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._purging = Lock()
        self._purged = 0

    def use(self, issuer: str, jti: str, expires: int, now: int, seconds: float) -> bool:
        """Whether this is its first use; remembered durably before this returns. `seconds`: the longest wait for a lock.

        `expires` and `now` are seconds since 1970. Raises LedgerDown, and then the token must not be accepted.
        """
        row = {"issuer": issuer, "jti": jti, "expires": expires}
        try:
            with self._database.writing(seconds) as connection:
                connection.execute(insert(SeenToken), row)
        except LedgerDown as fault:
            if isinstance(fault.__cause__, IntegrityError):
                return False
            raise
        self._purge(now)
        return True

    def _purge(self, now: int) -> None:
        """Forgets what is long over, now and then, by one thread; that it fails is no reason to refuse anybody."""
        if now - self._purged < _PURGED_EVERY or not self._purging.acquire(blocking=False):
            return
        try:
            self._purged = now
            with self._database.writing(0.05) as connection:
                old = select(SeenToken.issuer, SeenToken.jti).where(SeenToken.expires < now - _KEPT_SECONDS)
                key = tuple_(SeenToken.issuer, SeenToken.jti)
                gone = connection.execute(delete(SeenToken).where(key.in_(old.limit(_AT_ONCE))))
            if gone.rowcount == _AT_ONCE:
                self._purged = 0
        except LedgerDown:
            pass
        finally:
            self._purging.release()
