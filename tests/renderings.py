"""Everything the service is known to say in, as assessments; its cards in the shape of any client out.

All cases of the specification, the thirty patients, the fixtures, the canaries under each guideline, and the demo patients.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any

from cds_service.canary import read_canaries
from cds_service.chart.read import read_chart
from cds_service.chart.templates import prefetch_templates
from cds_service.demo.moments import Moments
from cds_service.languages import ENGLISH, Voice
from cds_service.site import site_profiles
from cds_service.wire.cards import render
from cds_service.wire.envelope import read_envelope
from cds_service.wire.request import HookRequest
from cds_service.wire.shape import Shape
from hooks.assess import Assessment, Service, assess
from hooks.knowledge import Profile, load, load_profiles
from tests import cases
from tests.cases import CASES, SERVICE_OF, Case
from tests.fixture_files import as_of, read, request_files
from tests.patients_doc import patients

KNOWLEDGE = load()
_REGIONS = "histoplasmosis,coccidioidomycosis,talaromycosis"


@dataclass(frozen=True, slots=True)
class Assessed:
    """One request, read and assessed as the service does it."""

    assessment: Assessment
    service: Service
    asked: HookRequest
    day: date

    def cards(self, shape: Shape, voice: Voice = ENGLISH) -> list[dict[str, Any]]:
        """As a client of this shape gets them, in this language."""
        body = render(self.assessment, self.service, self.asked, self.day, "off", shape=shape, voice=voice)
        found: list[dict[str, Any]] = body["cards"]
        return found


@cache
def everything() -> tuple[Assessed, ...]:
    """In an order that is always the same."""
    return (*map(_of_case, CASES), *(_of_case(Case("", one)) for one in patients()), *_others())


@cache
def _site(profile: str = "dhhs", endemic: str = "", for_all: bool = False) -> Profile:
    return site_profiles(load_profiles(KNOWLEDGE), cases.settings_of(profile, endemic, for_all))[profile]


def _of_case(case: Case) -> Assessed:
    chart = case.chart()
    return _assessed(chart.request(case.hook), chart.as_of, _site(*cases.site_of(case)))


def _others() -> Iterator[Assessed]:
    for path in request_files():
        if path.parent.name != "refused":
            request = read(path)
            yield _assessed(request, as_of(request), _site())
    for canary in read_canaries():
        for profile in canary.expected:
            yield _assessed(canary.request, canary.day, _site(profile, _REGIONS))
    for played in Moments(prefetch_templates(KNOWLEDGE)).on(cases.AS_OF):
        yield _assessed(played.request, cases.AS_OF, _site())


def _assessed(request: dict[str, Any], day: date, profile: Profile) -> Assessed:
    service = SERVICE_OF[request["hook"]]
    asked = read_envelope(json.dumps(request).encode(), service)
    record = read_chart(asked, datetime.combine(day, time(12), UTC), KNOWLEDGE)
    return Assessed(assess(service, record, profile), service, asked, day)
