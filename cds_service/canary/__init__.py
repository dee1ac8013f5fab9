"""The time and the knowledge in; out comes which rules no longer give their canary patient the answer that they must."""

from cds_service.canary.canaries import Answer, Canary, Card, read_canaries
from cds_service.canary.evaluation import evaluate
from cds_service.canary.watch import Canaries

__all__ = ["Answer", "Canaries", "Canary", "Card", "evaluate", "read_canaries"]
