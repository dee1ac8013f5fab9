"""What is remembered: feedback on cards, in an SQL database; SQLite on this machine by default."""

from cds_service.ledger.feedback import FeedbackLedger, LedgerDown

__all__ = ["FeedbackLedger", "LedgerDown"]
