"""A captured request in; out comes all that the service made of it: the chart as read, and every rule with its reasons."""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import Any

from cds_service.chart.read import read_chart
from cds_service.errors import Malformed
from cds_service.settings import Settings
from cds_service.site import Client, client_of
from cds_service.wire.envelope import read_envelope
from hooks import SERVICES, Service
from hooks.assess import Finding, assess
from hooks.counterfactual import what_would_change
from hooks.facts import drug_names, fact, origin
from hooks.knowledge import Knowledge, Profile
from hooks.record import LabResult, OtherResult, PatientRecord
from hooks.trace import TracedFinding, gap_in_words, trace
from hooks.wording import day, listed, name


def explain(body: bytes, settings: Settings, now: datetime, iss: str | None = None) -> str:
    """The whole trace as text, as the client `iss` of the trust file sends it.

    Raises Refusal where the service would refuse the request, SettingFault where there is no such client.
    """
    client, service = client_of(iss, settings), _service_of(body)
    knowledge = client.knowledge
    record = read_chart(read_envelope(body, service), now, knowledge, settings.iu_per_copy, client.not_supplied)
    assessment = assess(service, record, client.profile)
    told = trace(assessment, record.as_of, whole=True)
    said = [
        line
        for finding, one in zip(assessment.findings, told, strict=True)
        for line in (*_finding(one), *_changes(finding, record, assessment.profile), "")
    ]
    head = [
        f"{service.id} on {day(record.as_of)}, knowledge {knowledge.version}, profile {assessment.profile.name}",
        f"complete: {'yes' if assessment.complete else 'no'}",
        *_as_sent(client),
    ]
    return (
        "\n".join([*head, "", "THE CHART AS READ", *_chart(record, knowledge), "", "THE RULES", "", *said]).rstrip()
        + "\n"
    )


def _as_sent(client: Client) -> Iterable[str]:
    if client.iss:
        codes = f"{len(client.knowledge.local)} codes of its own"
        lacking = f"; cannot send {', '.join(sorted(client.not_supplied))}" if client.not_supplied else ""
        yield f"as sent by {client.iss}: {codes}{lacking}"


def moment(body: bytes, as_of: date | None, now: datetime) -> datetime:
    """When the request is judged: the day given (its last second), a fixture's own day, or now."""
    own = as_of or _own_day(body)
    return datetime.combine(own, time(23, 59, 59), UTC) if own else now


def _own_day(body: bytes) -> date | None:
    try:
        return date.fromisoformat(json.loads(body)["extension"]["org.immune-status-cds.fixture"]["asOf"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _service_of(body: bytes) -> Service:
    try:
        found: Any = json.loads(body)
        hook = found.get("hook") if isinstance(found, dict) else None
    except (ValueError, RecursionError):
        raise Malformed("The file is not JSON.") from None
    service = next((one for one in SERVICES if one.hook == hook), None)
    if service is None:
        raise Malformed(f"The file's hook is none of ours: {listed([one.hook for one in SERVICES])}.")
    return service


def _chart(record: PatientRecord, knowledge: Knowledge) -> Iterable[str]:
    yield f"HIV: {record.hiv.status} ({record.hiv.basis})" + ("; HIV-2" if record.hiv.type_2 else "")
    yield f"age: {'not known' if record.age is None else record.age}"
    for results in (record.cd4_counts, record.cd4_percents, record.viral_loads):
        yield from (_result(one, record, knowledge) for one in results)
    yield from (_result(one, record, knowledge) for one in record.other_results)
    yield from (f"pending: {name(one.datum)}{f', {day(one.date)}' if one.date else ''}" for one in record.pending)
    for bad in record.unreadable:
        yield f"unreadable: {name(bad.datum)}, {bad.source}{f', {day(bad.latest)}' if bad.latest else ', no date'}: {bad.why}"
    yield from (f"gap: {gap_in_words(gap.datum, gap.why)}" for gap in record.gaps)
    yield f"ART: {_art(record, knowledge)}"
    for taken in record.medications or ():
        names = drug_names(taken.ingredients, knowledge)
        state = "current" if taken.current else "past"
        spell = f"{f' since {day(taken.since)}' if taken.since else ''}{f' until {day(taken.until)}' if taken.until else ''}"
        yield f"drug: {names}, {state}{spell} ({taken.source}{', by name only' if taken.by_name else ''})"
    yield from (
        f"draft: {fact(draft, record.as_of, knowledge)} ({draft.source})" for draft in record.draft_orders or ()
    )
    for problem in record.problems or ():
        yield f"problem: {listed(sorted(problem.concepts))}, {problem.state} ({problem.source})"
    for allergy in record.allergies or ():
        named = [drug_names(allergy.ingredients, knowledge)] if allergy.ingredients else []
        to = named + (["sulfonamides"] if allergy.sulfonamide else [])
        severity = {True: "severe", False: "not severe", None: "severity unknown"}[allergy.severe]
        yield f"allergy: {listed(to) or 'not recognised'}, {severity} ({allergy.source})"


def _result(one: LabResult | OtherResult, record: PatientRecord, knowledge: Knowledge) -> str:
    return f"result: {fact(one, record.as_of, knowledge)} ({origin(one)})"


def _art(record: PatientRecord, knowledge: Knowledge) -> str:
    art = record.art
    dates = (("since", art.since), ("last changed", art.changed), ("stopped", art.stopped))
    said = [f"{word} {day(when)}" for word, when in dates if when]
    drugs = f" ({drug_names(art.agents, knowledge)})" if art.agents else ""
    return ", ".join([art.status, *said]) + drugs


def _changes(finding: Finding, record: PatientRecord, profile: Profile) -> Iterable[str]:
    """What would change the answer, as the rule itself says when asked."""
    yield from (f"  would change: {one}" for one in what_would_change(finding.rule, record, profile))


def _finding(one: TracedFinding) -> Iterable[str]:
    grade = ", ".join(filter(None, (one.indicator, f"level {one.level}" if one.level else None)))
    yield f"{one.rule}: {one.outcome}{f' ({grade})' if grade else ''}{f', {one.why}' if one.why else ''}"
    if one.summary:
        yield f"  {one.summary}"
    yield from (f"  - {line.strip()}" for line in one.rationale)
    yield from (f"  fact: {line} ({where})" for line, where in zip(one.facts, one.origins, strict=True))
    yield from (f"  - {line.strip()}" for line in one.notes)
    if one.because:
        yield f"  because {one.because}"
    if one.missing:
        yield f"  missing: {', '.join(one.missing)}"
    yield from (f"  - {gap}" for gap in one.gaps)
    yield from (f"  threshold: {line}" for line in one.thresholds)
    yield from (f"  source: {line}" for line in dict.fromkeys((*one.sources, *one.authority)))
