"""Captured calls and the knowledge of a client in; the whole report out."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cds_service import __version__
from cds_service.chart.account import Account, accounts
from cds_service.chart.lab_values import LabReader
from cds_service.chart.quantities import Units
from cds_service.doctor.advice import advice
from cds_service.doctor.call import Call, read_call
from cds_service.doctor.captured import Captured
from cds_service.doctor.clocks import clock_remarks
from cds_service.doctor.coding import codes, units
from cds_service.doctor.envelope import envelope_remarks, feedback_remarks
from cds_service.doctor.findings import WEIGHTS, Examined, ParameterReport, Remark, Report, TokenCheck
from cds_service.doctor.keys import keys
from cds_service.doctor.shapes import resources, shape_remarks
from cds_service.doctor.suggest import lines
from cds_service.doctor.validity import validity
from cds_service.errors import Refusal
from cds_service.wire.feedback import read_feedback
from hooks.knowledge import Knowledge, Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What holds for the client that is checked: its codes, its guideline, what its entry in the trust file says."""

    knowledge: Knowledge
    profile: Profile
    now: datetime
    iu_per_copy: Decimal | None = None
    not_supplied: frozenset[str] = frozenset()
    issuer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What was found out otherwise than from calls: of a FHIR server, of a token."""

    parameters: tuple[ParameterReport, ...] = ()
    token: tuple[TokenCheck, ...] = ()
    clocks: tuple[Remark, ...] = ()
    remarks: tuple[Remark, ...] = ()
    laboratories: tuple[
        Captured, ...
    ] = ()  # every result of a patient, whatever its code: looked at for its codes alone
    examined: tuple[Examined, ...] = field(default=())


def examine(files: Iterable[Captured], site: Site, beside: Beside | None = None) -> Report:
    """Everything about these calls, one after the other and together."""
    beside = beside or Beside()
    captured = [(one, _is_no_call(one)) for one in files]
    no_calls = [one for one, other in captured if other]
    calls = [read_call(one, _labs(one.now or site.now, site)) for one, other in captured if not other]
    seen = [one for call in calls for one in _accounts(call, site)]
    besides = _besides(beside.laboratories, seen, site)
    seen += besides
    rules, refused = advice(calls, site.knowledge, site.profile, site.iu_per_copy, site.not_supplied)
    calls = [replace(one, refused=one.refused or refused.get(one.name, "")) for one in calls]
    ways = codes(seen)
    odd = [one for call in calls for one in (*envelope_remarks(call), *_once(shape_remarks(call, site.knowledge)))]
    return Report(
        version=__version__,
        knowledge=site.knowledge.version,
        profile=site.profile.name,
        checked=site.now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        issuer=site.issuer,
        examined=(*map(_examined, calls), *map(_other, no_calls), *beside.examined),
        remarks=_together(
            [*odd, *(said for one in no_calls for said in _of_feedback(one)), *beside.remarks, *_left_out(besides)]
        ),
        keys=keys(calls) if calls else (),
        codes=ways,
        units=units(seen),
        clocks=_together([*(said for call in calls for said in clock_remarks(call)), *beside.clocks]),
        parameters=beside.parameters,
        token=beside.token,
        rules=rules if calls else (),
        invalid=validity(_distinct(calls)),
        lines=lines(ways, site.knowledge),
    )


def _labs(now: datetime, site: Site) -> LabReader:
    return LabReader(now, site.knowledge, Units(site.knowledge, site.iu_per_copy))


def _accounts(call: Call, site: Site) -> Iterable[Account]:
    return accounts([*call.supply.received, *call.orders], call.subject, _labs(call.now, site))


def _besides(laboratories: Iterable[Captured], seen: Iterable[Account], site: Site) -> list[Account]:
    """The results that the templates did not bring. They came under no template, which therefore raises no doubt."""
    known = {one.source for one in seen}
    calls = (read_call(one, _labs(site.now, site)) for one in laboratories)
    return [one for call in calls for one in _accounts(call, site) if one.source not in known]


def _left_out(besides: Iterable[Account]) -> Iterable[Remark]:
    unknown = sum(one.ours is None for one in besides)
    if unknown:
        says = "results are in codes that are not recognised: the templates ask by code and never bring them"
        yield Remark(weight="loses", says=says, where="Observation", times=unknown)
    known = sum(one.ours is True for one in besides)
    if known:
        says = (
            "results that are recognised are there, and the templates that ask for them by code did not bring them:"
            " the service takes them for results that do not exist"
        )
        yield Remark(weight="loses", says=says, where="Observation", times=known)


def _is_no_call(one: Captured) -> bool:
    """Feedback, a preflight or discovery: captured beside the calls."""
    if one.path.rstrip("/").endswith("/feedback"):
        return True
    if isinstance(one.content, dict) and "hook" not in one.content:
        return bool({"feedback", "overrideReason", "overrideReasons"} & one.content.keys())
    return one.content is None and bool(one.path)


def _of_feedback(one: Captured) -> Iterable[Remark]:
    if one.content is None:
        return
    try:
        read_feedback(one.body)
    except Refusal as refusal:
        yield Remark(weight="refused", says=f"{refusal.status} {refusal.code}: {refusal.sentence}")
    given = one.content.get("feedback") if isinstance(one.content, dict) else None
    yield from feedback_remarks(given if isinstance(given, list) else [one.content], one.content)


def _examined(call: Call) -> Examined:
    return Examined(name=call.name, hook=call.hook or "none", outcome=call.refused or "answered")


def _other(one: Captured) -> Examined:
    kind = "preflight or discovery" if one.content is None else "feedback"
    return Examined(name=one.name, hook=kind, outcome="no call: looked at as what it is")


def _once(found: Iterable[Remark]) -> list[Remark]:
    """Each remark once a call: how many calls have it tells more than how many resources."""
    return list(dict.fromkeys(found))


def _together(found: Sequence[Remark]) -> tuple[Remark, ...]:
    counted = Counter[Remark]()
    for one in found:
        counted[replace(one, times=1)] += one.times
    merged = (replace(one, times=times) for one, times in counted.items())
    return tuple(sorted(merged, key=lambda one: (WEIGHTS.index(one.weight), one.where, -one.times, one.says)))


def _distinct(calls: Iterable[Call]) -> Iterable[dict[str, Any]]:
    """Every resource once, however many calls brought it."""
    seen = set()
    for one in (each for call in calls for each in resources(call.content)):
        name = repr(one)
        if name not in seen:
            seen.add(name)
            yield one
