"""A random source and a day in, a good request or good feedback out, with canaries in it; also the resources of such a chart."""

import json
from datetime import date
from functools import cache
from random import Random
from typing import Any
from uuid import UUID

from cds_service.dates import shift_dates
from hooks import SERVICES
from tests import charts, random_charts
from tests.charts import Chart
from tests.fixture_files import EXTENSION, as_of, read, request_files, service_for

NAME, PATIENT, LENT, COMMENT = "ZZCANARYNAME", "ZZCANARYID", "ZZCANARYTOKEN", "ZZCANARYCOMMENT"
HOOKS = ("order-sign", "order-select", "patient-view")
PATHS = tuple(f"/cds-services/{service.id}" for service in SERVICES)
_COUNTS = (20, 49, 50, 99, 100, 150, 199, 200, 201, 350, 600, "<200", ">1500")
_PERCENTS = (8, 13.9, 14, 30)
_LOADS = ("<20", 49, 50, 120, 199, 200, 1001, 400000, "not detected", "20 IU", "4.3 log", "target not detected")


def fixture(rng: Random, today: date) -> tuple[str, dict[str, Any]]:
    """The path to call and a fixture request, its dates moved to the day."""
    path, content = rng.choice(_fixtures(today))
    return path, json.loads(content)


def chart(rng: Random, today: date) -> tuple[str, dict[str, Any]]:
    """The path to call and a request with a random chart."""
    hook = rng.choice(HOOKS)
    request = Chart(_said(rng, hook), today).request(hook)
    return f"/cds-services/immune-status-{hook}", _with_canaries(request)


def resources(rng: Random, today: date) -> dict[str, Any]:
    """A random chart as prefetch has it."""
    found: dict[str, Any] = _with_canaries(Chart(_said(rng, "patient-view"), today).request("patient-view"))["prefetch"]
    return found


def feedback(rng: Random) -> tuple[str, dict[str, Any]]:
    """The path to call and feedback on some cards."""
    entries = [_entry(rng) for _ in range(rng.choice((1, 1, 2, 3, 60)))]
    return f"{rng.choice(PATHS)}/feedback", {"feedback": entries}


@cache
def _fixtures(today: date) -> list[tuple[str, str]]:
    found = []
    for path in request_files():
        content = read(path)
        moved: Any = shift_dates(content, (today - as_of(content)).days)
        moved["extension"].pop(EXTENSION)
        found.append((f"/cds-services/{service_for(content)}", json.dumps(_with_canaries(moved))))
    return found


def _with_canaries(request: dict[str, Any]) -> dict[str, Any]:
    """Another id for the patient and a name that nobody has."""
    own = request.get("context", {}).get("patientId", "nobody").removeprefix("Patient/")
    text = json.dumps(request).replace(f'"{own}"', f'"{PATIENT}"').replace(f"Patient/{own}", f"Patient/{PATIENT}")
    renamed: dict[str, Any] = json.loads(text)
    patient = (renamed.get("prefetch") or {}).get("patient")
    if isinstance(patient, dict) and patient.get("resourceType") == "Patient":
        patient["name"] = [{"family": NAME}]
    return renamed


def _said(rng: Random, hook: str) -> dict[str, Any]:
    said: dict[str, Any] = {
        "problems": ["HIV infection", *rng.sample(tuple(charts.PROBLEMS), rng.randrange(4))],
        "cd4": _series(rng, _COUNTS),
        "cd4-percent": _series(rng, _PERCENTS),
        "viral-load": _series(rng, _LOADS),
        "medications": [_drug(rng) for _ in range(rng.randrange(5))],
        "statements": rng.sample(tuple(charts.DRUGS), rng.randrange(2)),
        "allergies": rng.sample(random_charts.ALLERGIES, rng.randrange(3)),
        "labs": {test: _series(rng, found) for test, found in random_charts.RESULTS.items() if rng.random() < 0.5},
        "orders": rng.sample(tuple(charts.TESTS), rng.randrange(2)),
    }
    if hook != "patient-view":
        said["drafts"] = rng.sample((*charts.DRUGS, *charts.TESTS), rng.randint(1, 3))
    return said


def _series(rng: Random, values: Any) -> dict[str, Any]:
    days = rng.sample((0, 1, 10, 60, 91, 179, 181, 300, 366, 800), rng.randrange(4))
    return {str(day): rng.choice(values) for day in days}


def _drug(rng: Random) -> dict[str, Any]:
    what = rng.choice(random_charts.ART if rng.random() < 0.5 else tuple(charts.DRUGS))
    return {"what": what, "since": rng.choice((1, 20, 120, 900)), "per-week": rng.choice((1, 3, 7))}


def _entry(rng: Random) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "card": str(UUID(int=rng.getrandbits(128))),
        "outcome": rng.choice(("accepted", "overridden")),
        "outcomeTimestamp": "2026-11-20T10:00:00Z",
    }
    if entry["outcome"] == "accepted":
        return entry | {"acceptedSuggestions": [{"id": str(UUID(int=rng.getrandbits(128)))}]}
    reason = {"code": "patient-refusal", "system": "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"}
    return entry | {"overrideReason": {"reason": reason, "userComment": COMMENT}}
