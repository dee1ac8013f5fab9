"""What the EHR granted in; the chart, asked for and read again now, and what the rules make of it out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from cds_service.chart.banner import Banner, banner
from cds_service.chart.fhir_client import FhirClient
from cds_service.chart.fhir_pages import Fetched
from cds_service.chart.gather import filled, joined
from cds_service.chart.lab_values import LabReader
from cds_service.chart.quantities import Units
from cds_service.chart.read import read
from cds_service.errors import Contradiction, MissingData
from cds_service.languages import ENGLISH, Voice
from cds_service.outbound.url_guard import Guard
from cds_service.reasons.evaluated import Client, Evaluated, as_shown, seen
from cds_service.why.redeem import Grant
from cds_service.why.refused import NotShown
from cds_service.wire.cards import render
from cds_service.wire.request import HookRequest
from hooks.assess import Assessment, Service, assess
from hooks.holding import Holds
from hooks.knowledge import Profile
from hooks.sentences import Sentence, say, verbatim

_WHAT: Mapping[str, Sentence] = {
    "patient": say("The patient's own entry"),
    "cd4": say("CD4 counts"),
    "viralLoads": say("Viral loads"),
    "conditions": say("The problem list"),
    "allergies": say("The allergy list"),
    "medications": say("The medication list"),
    "labs": say("Other laboratory results"),
    "medicationStatements": say("Medications as they are stated"),
    "orders": say("Active orders"),
}
_WHY: Mapping[str, Sentence] = {
    "refused": say("the EHR does not let this page read it"),
    "not-found": say("the EHR has no such address"),
    "rejected": say("the EHR did not understand the question"),
    "deadline": say("it did not come in time"),
    "too-large": say("it is larger than is read here"),
    "too-many": say("it has more pages than are read here"),
    "resting": say("the EHR's server kept failing and is left alone for a moment"),
    "busy": say("the EHR's server is answering as many questions as it may"),
}
_OTHERWISE = say("the EHR's server answered with a fault")


@dataclass(frozen=True, slots=True)
class Unread:
    """What was asked for and did not come, or not all of it."""

    what: Sentence
    in_part: bool
    why: Sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """`made` is None where too little came for any rule to be asked."""

    whose: Banner
    made: Evaluated | None
    unread: tuple[Unread, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What reading a chart needs of the running service: for this client, at this moment."""

    service: Service
    client: Client
    profile: Profile
    fhir: FhirClient
    guard: Guard
    holds: Holds
    iu_per_copy: Decimal | None
    now: datetime
    voice: Voice  # of whoever reads the page


def look(grant: Grant, iss: str, desk: Desk, deadline: float) -> Look:
    """`deadline` is of `time.monotonic`. Raises NotShown where the token is of no use, or another patient's data came."""
    asked = HookRequest(hook=desk.service.hook, hook_instance="why", patient_id=grant.patient, fhir_server=iss)
    queries = {key: query for key, one in desk.client.templates.items() if (query := filled(one, asked))}
    fetched = desk.fhir.fetch(desk.guard, iss, grant.token, queries, deadline)
    if all(one.fault == "refused" for one in fetched.values()):
        raise NotShown("access-over")
    came = {key: joined((), one.pages) for key, one in fetched.items() if one.pages}
    whose = banner(bytes(came["patient"])) if grant.banner and "patient" in came else Banner()
    unread = tuple(_unread(key, one) for key, one in fetched.items() if not one.complete)
    try:
        made = _evaluated(replace(asked, prefetch=came), desk)
    except Contradiction:
        raise NotShown("contradiction") from None
    except MissingData:
        return Look(whose=whose, made=None, unread=unread)
    return Look(whose=whose, made=made, unread=unread)


def _unread(key: str, one: Fetched) -> Unread:
    return Unread(_WHAT.get(key) or verbatim(key), bool(one.pages), _WHY.get(one.fault or "", _OTHERWISE))


def _evaluated(asked: HookRequest, desk: Desk) -> Evaluated:
    """Without the rules that the site shows to nobody: neither what they say, nor that they would say something."""
    record = read(asked, desk.now, desk.client.knowledge, desk.iu_per_copy, desk.client.not_supplied).record
    whole = assess(desk.service, record, desk.profile, desk.holds)
    shown = replace(whole, findings=tuple(one for one in whole.findings if one.rule.id not in desk.holds.shadow))
    labs = LabReader(desk.now, desk.client.knowledge, Units(desk.client.knowledge, desk.iu_per_copy))
    return Evaluated(
        body=b"",
        client=desk.client,
        service=desk.service,
        record=record,
        assessment=shown,
        cards=_cards(shown, asked, record.as_of, desk),
        seen=seen(asked, labs),
    )


def _cards(shown: Assessment, asked: HookRequest, as_of: date, desk: Desk) -> Sequence[Mapping[str, Any]]:
    told = render(shown, desk.service, asked, as_of, "off", voice=desk.voice)["cards"]
    english = render(shown, desk.service, asked, as_of, "off", voice=ENGLISH)["cards"] if desk.voice.fell_back else ()
    return as_shown(told, english)
