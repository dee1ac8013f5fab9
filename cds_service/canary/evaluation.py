"""A canary and the time in; None out where its answer is as it must be, else one word on what differs."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import cache
from time import monotonic
from typing import Any, Literal

import msgspec

from cds_service.canary.canaries import Answer, Canary, Card
from cds_service.chart.fhir_client import FhirClient
from cds_service.chart.gather import gather
from cds_service.chart.lab_values import LabReader
from cds_service.chart.quantities import Units
from cds_service.chart.read import read
from cds_service.chart.templates import prefetch_templates
from cds_service.dates import shift_dates
from cds_service.errors import Refusal
from cds_service.wire.cards import render
from cds_service.wire.envelope import read_envelope
from cds_service.wire.evaluation import EXTENSION
from hooks import SERVICES
from hooks.assess import assess
from hooks.knowledge import Knowledge, Profile
from hooks.wording import day

Difference = Literal["refused", "raised", "outcome", "cards"]
SERVICE_OF = {service.hook: service for service in SERVICES}
_MONTHS = [day(date(2000, month, 1)).split()[1] for month in range(1, 13)]
_DAY = re.compile(rf"\b(\d{{1,2}}) ({'|'.join(_MONTHS)})\b(?: (\d{{4}})\b)?")
_client = cache(FhirClient)  # asked for nothing, and dear to make: it reads the authorities of TLS


def evaluate(canary: Canary, now: datetime, knowledge: Knowledge, profiles: Mapping[str, Profile]) -> Difference | None:
    """The first that differs under any profile: refused, raised (a fault), outcome (of any rule) or cards. Never raises.

    `profiles` are as published: what a site has set is no part of what is expected. Those without an expectation are passed over.
    """
    try:
        asked = [profiles[name] for name in canary.expected if name in profiles]
        given = answers(canary, now, knowledge, asked)
    except Refusal:
        return "refused"
    except Exception:
        return "raised"
    if any(given[name].outcomes != canary.expected[name].outcomes for name in given):
        return "outcome"
    return "cards" if any(given[name] != canary.expected[name] for name in given) else None


def answers(canary: Canary, now: datetime, knowledge: Knowledge, profiles: Iterable[Profile]) -> dict[str, Answer]:
    """What the canary is answered at this moment, by profile: the path of a call, without a server to ask."""
    service = SERVICE_OF[canary.request["hook"]]
    request = read_envelope(_body(canary, now), service)
    labs = LabReader(now, knowledge, Units(knowledge))
    templates = prefetch_templates(knowledge)
    gathered = gather(request, templates, _client(), None, deadline=monotonic(), labs=labs)
    record = read(gathered, now, knowledge).record
    found: dict[str, Answer] = {}
    for profile in profiles:
        assessment = assess(service, record, profile.at_site(canary.endemic))
        body = render(assessment, service, request, record.as_of, "summary")
        found[profile.name] = answer(msgspec.json.decode(msgspec.json.encode(body)), record.as_of)
    return found


def _body(canary: Canary, now: datetime) -> bytes:
    """The request as if its day were today (UTC, as the reader has it)."""
    days = (now.astimezone(UTC).date() - canary.day).days
    return msgspec.json.encode(shift_dates(canary.request, days))


def answer(body: Mapping[str, Any], as_of: date) -> Answer:
    """What is compared of the body of an answer."""
    cards = tuple(_card(one, as_of) for one in body["cards"])
    return Answer(cards, {one["rule"]: one["outcome"] for one in body["extension"][EXTENSION]["findings"]})


def _card(card: Mapping[str, Any], as_of: date) -> Card:
    labels = tuple(one["label"] for one in card.get("suggestions", ()))
    return Card(card["indicator"], card["source"]["topic"]["code"], _undated(card["summary"], as_of), labels)


def _undated(text: str, as_of: date) -> str:
    """`CD4 120/µL on 12 Nov` as `CD4 120/µL on {8 days ago}`: the same on every day."""

    def days_ago(found: re.Match[str]) -> str:
        year = int(found[3]) if found[3] else as_of.year
        return f"{{{(as_of - date(year, _MONTHS.index(found[2]) + 1, int(found[1]))).days} days ago}}"

    return _DAY.sub(days_ago, text)
