"""What became of the calls in; the figures of the whole run out."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from cds_service.simulate.remarks import Remark, is_text, shown

EVALUATION = "org.immune-status-cds.evaluation"


@dataclass(frozen=True, slots=True)
class Shown:
    """A card as the clinician sees it first."""

    indicator: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What our own service says of its answer."""

    complete: bool
    held: tuple[str, ...]  # each a rule and why
    not_assessed: tuple[str, ...]  # each a rule and what it lacked


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Feedback that was sent, and the statuses of the first and the second time; None: no answer."""

    accepted: int
    overridden: int
    statuses: tuple[int | None, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one call."""

    number: int
    service: str
    hook: str
    who: str
    sent: tuple[str, ...]
    wrong: str | None  # what was wrong with its token
    status: int | None
    ms: float
    cards: tuple[Shown, ...] | None  # None: not answered
    refused: bool
    evaluation: Evaluation | None
    asked: tuple[str, ...] | None  # of the FHIR server, with the token that was lent; None: none was lent
    told: Told | None
    remarks: tuple[Remark, ...]

    @property
    def token_refused(self) -> bool | None:
        """Whether a token that is wrong was refused; None where it was right."""
        return None if self.wrong is None else self.status in (401, 403)


@dataclass(slots=True)
class Figures:
    """Of all calls so far."""

    calls: int = 0
    answered: int = 0
    refused: int = 0
    ms: list[float] = field(default_factory=list)
    remarks: Counter[Remark] = field(default_factory=Counter)

    def add(self, outcome: Outcome) -> None:
        self.calls += 1
        self.answered += outcome.cards is not None
        self.refused += outcome.refused
        if outcome.status is not None:
            self.ms.append(outcome.ms)
        self.remarks.update(set(outcome.remarks))

    @property
    def failed(self) -> int:
        return self.calls - self.answered - self.refused

    @property
    def faults(self) -> int:
        return sum(count for one, count in self.remarks.items() if one.level == "fault")

    def within(self, share: float) -> float | None:
        """Milliseconds within which this share of the answers came; None without any."""
        ordered = sorted(self.ms)
        return ordered[max(ceil(share * len(ordered)) - 1, 0)] if ordered else None


def shown_cards(cards: list[Any] | None) -> tuple[Shown, ...] | None:
    """The cards, fit for a terminal."""
    if cards is None:
        return None
    known = [one for one in cards if isinstance(one, dict)]
    return tuple(Shown(shown(one.get("indicator", "?")), shown(one.get("summary", "?"))) for one in known)


def evaluation_of(answer: Mapping[str, Any]) -> Evaluation | None:
    """Our own extension, where it is there."""
    extension = answer.get("extension")
    found = extension.get(EVALUATION) if isinstance(extension, dict) else None
    if not isinstance(found, dict) or not isinstance(found.get("complete"), bool):
        return None
    listed = found.get("findings")
    findings = [one for one in (listed if isinstance(listed, list) else ()) if isinstance(one, dict)]
    return Evaluation(
        complete=found["complete"],
        held=tuple(_with(one, _why(one)) for one in findings if one.get("outcome") == "held"),
        not_assessed=tuple(_with(one, _lacked(one)) for one in findings if one.get("outcome") == "not-assessed"),
    )


def _with(finding: Mapping[str, Any], why: str) -> str:
    return shown(f"{finding.get('rule', '?')} ({why})" if why else finding.get("rule", "?"))


def _why(finding: Mapping[str, Any]) -> str:
    until = f" until {finding['until']}" if is_text(finding.get("until")) else ""
    return f"{finding.get('why', 'no reason stated')}{until}"


def _lacked(finding: Mapping[str, Any]) -> str:
    missing = finding.get("missing")
    return "lacks " + ", ".join(map(str, missing)) if isinstance(missing, list) and missing else ""
