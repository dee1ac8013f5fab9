"""The files of the canary patients in; each rule's canary out: a whole request, and what it must be answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

FOLDER = Path(__file__).parent / "patients"


class Card(NamedTuple):
    """What is compared of a card. In its summary each date stands as the days that have passed since."""

    indicator: str
    topic: str
    summary: str
    suggestions: tuple[str, ...]  # their labels


@dataclass(frozen=True, slots=True)
class Answer:
    """The cards in their order, and what became of every rule."""

    cards: tuple[Card, ...]
    outcomes: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """An invented patient to whom the rule speaks, as of a fixed day."""

    rule: str
    says: str  # the sentence of the specification that it was made of
    day: date
    endemic: frozenset[str]  # the regions that the rule asks for
    request: dict[str, Any]
    expected: Mapping[str, Answer]  # by guideline profile; one that leaves the rule out is not there


def read_canaries(folder: Path = FOLDER) -> tuple[Canary, ...]:
    """Every canary of the folder by the id of its rule. Raises msgspec.ValidationError."""
    return tuple(msgspec.json.decode(path.read_bytes(), type=Canary) for path in sorted(folder.glob("*.json")))
