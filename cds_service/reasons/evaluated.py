"""A chart and what the rules made of it, as one thing to be shown; and what became of each entry that came."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cds_service.chart.account import Account, accounts
from cds_service.chart.intake import subject_of
from cds_service.chart.lab_values import LabReader
from cds_service.chart.prefetch import unpack, unpack_orders
from cds_service.wire.request import HookRequest
from hooks.assess import Assessment, Service
from hooks.knowledge import Knowledge
from hooks.record import PatientRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """By what a client's charts are read and judged. Without `iss` it is no client in particular: as the site is set."""

    knowledge: Knowledge
    templates: Mapping[str, str]
    profile: str
    not_supplied: frozenset[str] = frozenset()
    iss: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """One request and what came of it. `seen`: what became of each entry that came with it.

    `cards`: as the page shows them, in its language; `answer`: as it goes over the wire, where it does.
    """

    body: bytes
    client: Client
    service: Service
    record: PatientRecord
    assessment: Assessment
    cards: Sequence[Mapping[str, Any]]
    seen: tuple[Account, ...]
    answer: Mapping[str, Any] = field(default_factory=dict)
    fetches: bool = False  # it names a FHIR server, which the service might have asked


def as_shown(
    cards: Sequence[Mapping[str, Any]], english: Collection[Mapping[str, Any]]
) -> tuple[Mapping[str, Any], ...]:
    """The cards in the reader's language; one that had to stay in English has `lang`, so that the page can say so."""
    return tuple({**one, "lang": "en"} if one in english else one for one in cards)


def seen(asked: HookRequest, labs: LabReader) -> tuple[Account, ...]:
    """Of each entry of the prefetch and of the draft orders what it was taken for, or why it was not."""
    orders = unpack_orders(asked.draft_orders) if asked.draft_orders is not None else []
    received = [*unpack(asked.prefetch).received, *orders]
    return tuple(accounts(received, subject_of(asked, received), labs))
