"""What is remembered, in an SQL database (SQLite on this machine by default).

Used tokens, issued cards, feedback on them, quiet periods, counts by day, and what the site has switched.
"""

from cds_service.ledger.cards import CardLedger
from cds_service.ledger.database import Database, LedgerAway, LedgerDown, LedgerRefused
from cds_service.ledger.feedback import FeedbackLedger
from cds_service.ledger.issued_advice import Advice, Answer
from cds_service.ledger.pseudonyms import UNKNOWN, Pseudonyms, site_key
from cds_service.ledger.quiet_periods import QuietPeriodsTable
from cds_service.ledger.seen_tokens import SeenTokens
from cds_service.ledger.switches import ALL, Switches
from cds_service.ledger.tallies import Tallies
from hooks.knowledge import QuietPeriods, load_quiet_periods

__all__ = [
    "ALL",
    "UNKNOWN",
    "Advice",
    "Answer",
    "Database",
    "FeedbackLedger",
    "Ledger",
    "LedgerAway",
    "LedgerDown",
    "LedgerRefused",
    "Pseudonyms",
    "SeenTokens",
    "site_key",
]


class Ledger:
    """The rooms of one database."""

    def __init__(
        self, url: str, key_file: str | None = None, periods: QuietPeriods | None = None, *, made: bool = False
    ) -> None:
        """`url` is an SQLAlchemy URL; `key_file` holds the key of the site, which is kept in the database where there is none.
        `made`: somebody has made it before, and where it is not there it is away.

        Raises LedgerDown.
        """
        self.database = Database(url, made)
        self.pseudonyms = Pseudonyms(lambda: site_key(self.database, key_file))
        self.seen_tokens = SeenTokens(self.database)
        self.quiet = QuietPeriodsTable(self.database, periods or load_quiet_periods())
        self.feedback = FeedbackLedger(self.database, self.quiet, self.pseudonyms)
        self.cards = CardLedger(self.database, self.quiet, self.feedback.match)
        self.tallies = Tallies(self.database)
        self.switches = Switches(self.database)
