"""What is remembered, in an SQL database (SQLite on this machine by default): used tokens, feedback on cards."""

from cds_service.ledger.database import Database, LedgerDown
from cds_service.ledger.feedback import FeedbackLedger
from cds_service.ledger.pseudonyms import Pseudonyms, site_key
from cds_service.ledger.seen_tokens import SeenTokens

__all__ = ["Database", "FeedbackLedger", "Ledger", "LedgerDown", "Pseudonyms", "SeenTokens", "site_key"]


class Ledger:
    """The rooms of one database."""

    def __init__(self, url: str) -> None:
        """`url` is an SQLAlchemy URL. Raises LedgerDown."""
        self.database = Database(url)
        self.seen_tokens = SeenTokens(self.database)
        self.feedback = FeedbackLedger(self.database)
