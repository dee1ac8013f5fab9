"""What has to be done to a request, gathered one by one: what goes, what ends, what comes, and what cannot be done."""

from dataclasses import dataclass, field
from datetime import date

from cds_service.workbench.made import DRAFT
from cds_service.workbench.pasted import Request
from hooks.sentences import Sentence, say


@dataclass(frozen=True, slots=True)
class Made:
    """A resource that was put in, and what it is in words; `test`: where it is a result, what of."""

    resource: Request
    words: Sentence
    test: str = ""

    @property
    def source(self) -> str:
        """As the record refers to it."""
        return f"{self.resource['resourceType']}/{self.resource['id']}"

    @property
    def drafted(self) -> bool:
        """Whether it is an order about to be signed, which is no part of the chart."""
        return bool(self.resource.get("status") == DRAFT)


@dataclass(slots=True)
class Changes:
    """What is done to a request, by reference: `gone` is no longer sent, `ended` ends on a day; `faults` tell what cannot be."""

    gone: dict[str, Sentence] = field(default_factory=dict)  # with its words
    ended: dict[str, tuple[date | None, date]] = field(default_factory=dict)  # since when, as it was read
    made: list[Made] = field(default_factory=list)
    faults: list[Sentence] = field(default_factory=list)
    count: int = 0

    def take(self, source: str, words: Sentence) -> bool:
        """No longer to be sent; what has no id cannot be told from others, and stays."""
        if source.endswith("/None") or "/" not in source:
            fault = say("{what}: it came without an id and cannot be told from others, so it stays.", what=words)
            self.faults.append(fault)
            return False
        self.gone[source] = words
        return True

    def add(self, resource: Request, words: Sentence, test: str = "") -> None:
        """To be sent besides."""
        self.count += 1
        self.made.append(Made(resource | {"id": f"what-if-{self.count}"}, words, test))
