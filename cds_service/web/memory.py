"""A call in, what the site knows of its patient out; and an answer in, remembered: neither ever keeps an answer from its client.

Where the database does not answer, advice is given without quiet periods, and what was said goes unrecorded; both are counted.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import g

from cds_service.access import Issuer
from cds_service.journal.log import log
from cds_service.ledger import ALL, UNKNOWN, Advice, Answer, LedgerDown
from cds_service.web.journal import issuer_of_call
from cds_service.web.wiring import Wiring, wiring
from cds_service.wire.cards import card_uuid, suggestion_uuid
from cds_service.wire.request import HookRequest
from hooks import Service
from hooks.assess import Assessment, Finding, mark_of
from hooks.grouping import joined
from hooks.holding import NOT_ASSESSED, SHADOW, Holds, Quiet
from hooks.record import PatientRecord
from hooks.sameness import offer, ordered

_PATIENCE = 0.25  # seconds for the database, at each end of an answer; and never more than a quarter of what is left
_SIGNING = "order-sign"  # at this hook what is drafted is about to be ordered; before it, it may yet be put away


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the site knows of a call before the rules are asked. `answer` is None where the database did not answer."""

    service: Service
    asked: HookRequest
    holds: Holds
    answer: Answer | None


def recall(service: Service, asked: HookRequest, issuer: Issuer, now: datetime) -> Known:
    """What is held for this patient, and which rules the site shows to nobody. Never raises LedgerDown."""
    parts = wiring()
    answer = _addressed(parts, service, asked, issuer, now)
    quiet: Mapping[str, tuple[Quiet, ...]] = {}
    if answer:
        of_one = answer.clinician if parts.settings.quiet_per == "clinician" else None
        try:
            quiet = parts.ledger.quiet.recall(answer.issuer, answer.patient, of_one, now.date(), _patience())
        except LedgerDown as fault:
            _unanswered("recall", fault)
            answer = None  # nor is anything written: the client has waited once
    holds = replace(site_holds(issuer), quiet=quiet)
    return Known(service=service, asked=asked, holds=holds, answer=answer)


def site_holds(issuer: Issuer) -> Holds:
    """Which rules the site has switched off, or shows to nobody. Never raises LedgerDown."""
    parts = wiring()
    switched = parts.ledger.switches.now()
    shadow = parts.shadow(issuer) | switched.shadow
    everything = parts.every_rule if ALL in shadow else frozenset[str]()
    return Holds(shadow=shadow | everything, off=switched.off)


def remember(known: Known, assessment: Assessment, cards: list[dict[str, Any]], record: PatientRecord) -> None:
    """Counts the answer, and has what its cards say written. Never raises LedgerDown."""
    parts, service = wiring(), known.service
    parts.ledger.tallies.count(record.as_of, issuer_of_call(), service.id, assessment)
    advice = [*_shown(known, assessment, cards, record), *_shadowed(assessment, service, known.asked, record)]
    signed = ordered(record) & parts.offerable if service.hook == _SIGNING else frozenset[str]()
    if known.answer is None or not (advice or signed):
        return
    try:
        if not parts.ledger.cards.record(known.answer, advice, signed):
            raise LedgerDown("NoRoom")
    except LedgerDown as fault:
        _unanswered("record", fault)


def settle() -> None:
    """Waits a little for what this process is still writing: feedback may be about it. Never raises LedgerDown."""
    wiring().ledger.cards.flush(_patience())


def _addressed(parts: Wiring, service: Service, asked: HookRequest, issuer: Issuer, now: datetime) -> Answer | None:
    """To whom and about whom, as keyed hashes; None where there is no key to hash with."""
    hashed = parts.ledger.pseudonyms.of
    patient = hashed(issuer.iss, asked.patient_id)
    clinician = hashed(issuer.iss, asked.user_id) if asked.user_id else ""
    if UNKNOWN in (patient, clinician):
        return None
    return Answer(issuer=issuer.iss, service=service.id, patient=patient, clinician=clinician, moment=now)


def _shown(
    known: Known, assessment: Assessment, cards: list[dict[str, Any]], record: PatientRecord
) -> Iterator[Advice]:
    groups = assessment.cards
    for group, card in zip(groups, cards, strict=False):  # one more card may say what was not assessed
        suggestions = joined([one.recommendation for one in group if one.recommendation])
        lead = group[0].rule.id
        named = {
            suggestion_uuid(known.service, known.asked, lead, place): offer(one)
            for place, one in enumerate(suggestions)
        }
        yield from (_advice(one, record, assessment, card["uuid"], named) for one in group)
    for card in cards[len(groups) :]:
        yield Advice(card=card["uuid"], rule=NOT_ASSESSED, indicator=card["indicator"])


def _shadowed(assessment: Assessment, service: Service, asked: HookRequest, record: PatientRecord) -> Iterator[Advice]:
    """What would have been said, had the site not decided to look on first."""
    for one in assessment.findings:
        if one.outcome == "held" and one.why == SHADOW:
            said = _advice(one, record, assessment, card_uuid(service, asked, one.rule.id), {})
            yield replace(said, shadow=True)


def _advice(one: Finding, record: PatientRecord, assessment: Assessment, card: str, named: Mapping[str, str]) -> Advice:
    said = one.recommendation
    assert said  # noqa: S101  (or it would not be here)
    found, own = mark_of(one.rule, said, record, assessment.profile), set(map(offer, said.suggestions))
    return Advice(
        card=card,
        rule=one.rule.id,
        indicator=said.indicator,
        fingerprint=found.fingerprint,
        newest=found.newest,
        offered={name: what for name, what in named.items() if what in own},
    )


def _patience() -> float:
    left: float = g.budget.left
    return min(_PATIENCE, left / 4)


def _unanswered(step: str, fault: LedgerDown) -> None:
    wiring().metrics.ledger_failures.labels(step).inc()
    log.warning("ledger-unanswered", code=step, fault=str(fault))
