"""Prefetch in; the resources that came out, and of each key whether it was supplied, supplied in part, or not at all.

`null` and an empty searchset are answers ("asked, there is none"); an absent key, an error and an unusable value are not.
A usable resource counts under whatever key it comes: sites type these by hand.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from msgspec import Raw

from cds_service.chart.decode import (
    anything,
    bundle,
    contained,
    is_null,
    number,
    odd_references,
    present,
    reference,
    resource,
)
from cds_service.chart.elements import NOTHING, Bundle, Known, OperationOutcome, Other

_FAILED = ("error", "fatal")
KEYS = (
    "patient",
    "cd4",
    "viralLoads",
    "conditions",
    "allergies",
    "medications",
    "labs",
    "medicationStatements",
    "orders",
)


@dataclass(frozen=True, slots=True)
class Received:
    """One resource, the key it came under, the fullUrl of its entry, and the reference to the patient it is about.

    `named`: every patient that it, or what it contains, is said to be about, in whatever form.
    """

    resource: Known | Other
    key: str
    url: str | None = None
    owner: str | None = None
    named: tuple[str, ...] = ()


@dataclass(slots=True)
class Supply:
    """What came. `answered`: keys with a usable answer; `partial`: keys of which not all came."""

    received: list[Received] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)
    partial: set[str] = field(default_factory=set)


def unpack(prefetch: Mapping[str, Raw]) -> Supply:
    """Every key of the prefetch; nothing in it can raise."""
    supply = Supply()
    for key, raw in prefetch.items():
        if is_null(raw):
            supply.answered.add(key)
            continue
        found = bundle(raw)
        _take(key, found, raw, supply)
    supply.answered.discard("patient")  # only a Patient answers for the patient
    return supply


def unpack_orders(raw: Raw) -> list[Received]:
    """The draft orders of the context: a Bundle, or the single request that older clients send in its place."""
    supply = Supply()
    _take("draftOrders", bundle(raw), raw, supply)
    return supply.received


def _take(key: str, found: Bundle | None, raw: Raw, supply: Supply) -> None:
    if found is None:
        return
    if found.resourceType is None:
        _unwrap(key, found, supply)
    elif found.resourceType == "Bundle":
        _take_entries(key, found, supply)
    else:
        _take_one(key, raw, supply)


def _unwrap(key: str, found: Bundle, supply: Supply) -> None:
    """The shape before 1.0: {"response": {"status": "200 OK"}, "resource": …}."""
    response = anything(found.response)
    status = str(response.get("status", "")) if isinstance(response, dict) else ""
    if status.startswith("2") and present(found.resource):
        inner = bundle(found.resource)
        if inner and inner.resourceType:
            _take(key, inner, found.resource, supply)


def _take_one(key: str, raw: Raw, supply: Supply) -> None:
    one = resource(raw)
    if isinstance(one, OperationOutcome):
        if not _has_failed(one):
            supply.answered.add(key)
    elif one is not None:
        supply.answered.add(key)
        supply.received.append(_received(one, key))


def _received(one: Known | Other, key: str, url: str | None = None) -> Received:
    owner, named = _owners(one)
    if one.contained is not NOTHING:
        named += [text for inner in contained(one.contained) for text in _owners(inner)[1]]
    return Received(one, key, url, owner, tuple(named))


def _owners(one: Known | Other) -> tuple[str | None, list[str]]:
    """The patient that it is about, where it says so as it should; and all that it names in that place, in whatever form."""
    owner, named = None, []
    for raw in (one.subject, one.patient, one.beneficiary if isinstance(one, Other) else NOTHING):
        if raw is not NOTHING:
            literal = reference(raw)
            owner = owner or literal
            named += [literal] if literal else odd_references(raw)
    return owner, named


def _take_inner(key: str, inner: Bundle | None, supply: Supply) -> None:
    """A Bundle within a Bundle, as batches answer; one level, so that nesting cannot be made costly."""
    if inner is None:
        supply.partial.add(key)
    else:
        _take_entries(key, inner, supply, within=True)


def _take_entries(key: str, found: Bundle, supply: Supply, within: bool = False) -> None:
    entries = found.entry or ()
    failed, outcomes, before = False, 0, len(supply.received)
    for entry in entries:
        one = resource(entry.resource) if entry and present(entry.resource) else None
        if isinstance(one, OperationOutcome):
            outcomes += 1
            failed = failed or _has_failed(one)
        elif one is None:
            supply.partial.add(key)
        elif entry and isinstance(one, Other) and one.resourceType == "Bundle":
            _take_inner(key, None if within else bundle(entry.resource), supply)
        else:
            supply.received.append(_received(one, key, entry.fullUrl if entry else None))
    came = len(supply.received) > before
    if came or not failed:
        supply.answered.add(key)
    total = number(found.total)
    if (failed and came) or _goes_on(found) or (total is not None and total > len(entries) - outcomes):
        supply.partial.add(key)


def _has_failed(outcome: OperationOutcome) -> bool:
    return any(issue.severity in _FAILED for issue in outcome.issue)


def _goes_on(found: Bundle) -> bool:
    return any(link.relation == "next" and link.url for link in found.link or ())


def keys_in_part(supply: Supply, belongs: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Keys of which not all came: their own Bundle was cut, or a Bundle that also brought their kind.

    `belongs`: of each resource the key it came under and a key it answers.
    """
    return frozenset(supply.partial | {own for under, own in belongs if under in supply.partial})
