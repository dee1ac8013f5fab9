import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from io import StringIO
from threading import Thread
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from flask import Flask, Response, request
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from werkzeug.serving import make_server
from werkzeug.test import Client

from cds_service.dates import ANCHOR, DATED_ELEMENT, shift, shift_dates
from cds_service.demo.ehr import DemoEhr, Exchange, Service, draft, filled, plain_session
from cds_service.demo.fhir import fhir_endpoint
from cds_service.demo.play import play
from cds_service.demo.search import found as in_order
from cds_service.demo.search import understand
from cds_service.demo.show import console_for, recount
from cds_service.demo.spans import ALWAYS, span_of
from cds_service.demo.store import LOINC, RXNORM, DraftOrder, Play, age_on, open_charts

CHARTS = open_charts(ANCHOR)
EVERY = [(patient_id, one) for patient_id, chart in CHARTS.by_patient.items() for one in chart]
CD4 = "24467-3"


def accepted(resource: dict[str, Any]) -> bool:
    return bool(get_fhir_model_class(resource["resourceType"]).model_validate(resource))


# --- dates -----------------------------------------------------------------------------------------------------------

DAYS = st.integers(-4000, 4000)
WRITTEN = st.dates(date(1900, 1, 1), date(2090, 1, 1)).flatmap(
    lambda day: st.sampled_from(
        [f"{day}", f"{day}"[:7], f"{day}"[:4], f"{day}T23:59:59+14:00", f"{day}T00:00:00.123Z", f"{day}T08:15"]
    )
)


@given(WRITTEN, DAYS)
def test_moving_a_date_there_and_back_restores_it(written: str, days: int) -> None:
    assert shift(shift(written, days), -days) == written


@given(WRITTEN, DAYS)
def test_a_moved_date_keeps_its_precision_time_and_zone(written: str, days: int) -> None:
    moved = shift(written, days)
    assert len(moved) == len(written)
    assert moved[10:] == written[10:]


@pytest.mark.parametrize(
    ("written", "days", "moved"),
    [
        ("2024-02-29", 365, "2025-02-28"),
        ("2023-02-28", 366, "2024-02-29"),
        ("2024-02-29T10:00:00+02:00", 1, "2024-03-01T10:00:00+02:00"),
        ("2026-11", 40, "2026-12"),
        ("2026-12", 30, "2027-01"),
        ("2026", 365, "2027"),
        ("2026", 100, "2026"),
        ("2025-02-29", 5, "2025-02-29"),
        ("9999-12-31", 5, "9999-12-31"),
        ("9999-12-31", -5, "9999-12-31"),
        ("0001-01-01", 5, "0001-01-01"),
        ("9998-12-31", 4000, "9998-12-31"),
        ("20261120", 5, "20261120"),
        ("on 2026-11-20", 5, "on 2026-11-20"),
    ],
)
def test_a_date_moves_as_the_calendar_says(written: str, days: int, moved: str) -> None:
    assert shift(written, days) == moved


def test_only_date_elements_are_touched() -> None:
    still = """{"id": "2026-11-20", "code": "3108", "valueString": "2026-11-20", "text": "2026", "value": 2026,
        "reference": "Observation/2026-11-20", "resourceType": "Bundle"}"""
    assert shift_dates(json.loads(still), 400) == json.loads(still)


def test_dates_are_moved_at_any_depth() -> None:
    written = (
        '[{"asOf": "2026-11-20", "event": ["2026-11-20"], "period": {"start": "2026-11", "end": "2026-11-20T10:00Z"}}]'
    )
    moved = (
        '[{"asOf": "2026-11-21", "event": ["2026-11-21"], "period": {"start": "2026-11", "end": "2026-11-21T10:00Z"}}]'
    )
    assert shift_dates(json.loads(written), 1) == json.loads(moved)


DATED_TYPES = [
    "AllergyIntolerance",
    "Annotation",
    "Attachment",
    "CapabilityStatement",
    "Condition",
    "MedicationDispense",
    "MedicationRequest",
    "MedicationStatement",
    "Meta",
    "NutritionOrder",
    "Observation",
    "Patient",
    "Period",
    "Procedure",
    "ServiceRequest",
    "Signature",
    "Specimen",
    "SpecimenCollection",
    "Timing",
    "VisionPrescription",
]


@pytest.mark.parametrize("kind", DATED_TYPES)
def test_every_date_element_of_a_resource_is_known_by_its_name(kind: str) -> None:
    fields = get_fhir_model_class(kind).model_fields.values()
    dated = [one.alias or "" for one in fields if re.search(r", (Date|DateTime|Instant)\b", repr(one.annotation))]
    assert dated
    assert [name for name in dated if not DATED_ELEMENT.fullmatch(name)] == []


# --- charts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_of", [ANCHOR, date(2024, 2, 29), date(2031, 3, 1)])
def test_every_chart_is_valid_fhir_on_any_day(as_of: date) -> None:
    charts = open_charts(as_of)
    for one in (*charts.clinic, *(resource for chart in charts.by_patient.values() for resource in chart)):
        assert accepted(one)
        assert set(one["meta"]) == {"versionId", "lastUpdated"}


def test_every_reference_resolves_and_stays_with_its_patient() -> None:
    for patient_id, one in EVERY:
        for kind, target in re.findall(r'"reference": "(\w+)/([^"]+)"', json.dumps(one)):
            assert CHARTS.find(kind, target) is not None
            assert kind != "Patient" or target == patient_id


def test_ids_are_unique_and_every_file_is_a_story_that_begins_with_its_patient() -> None:
    ids = [(one["resourceType"], one["id"]) for _, one in EVERY]
    assert len(ids) == len(set(ids))
    assert [story.patient_id for story in CHARTS.stories] == list(CHARTS.by_patient)
    assert all(
        (chart[0]["resourceType"], chart[0]["id"]) == ("Patient", key) for key, chart in CHARTS.by_patient.items()
    )
    assert all(story.plays and story.title and story.sentence for story in CHARTS.stories)


@pytest.mark.parametrize("as_of", [ANCHOR, date(2027, 2, 1), date(2030, 12, 31)])
def test_ages_stay_as_the_stories_tell_them(as_of: date) -> None:
    charts = open_charts(as_of)
    ages = {key: age_on(chart[0]["birthDate"], as_of) for key, chart in charts.by_patient.items()}
    assert ages.pop("child-of-nine") == 9
    assert all(18 <= age <= 70 for age in ages.values())


@pytest.mark.parametrize("as_of", [ANCHOR, date(2024, 2, 29), date(2031, 3, 1)])
def test_nothing_on_a_chart_lies_in_the_future(as_of: date) -> None:
    charts = open_charts(as_of)
    kept = [one for chart in charts.by_patient.values() for one in chart if one["resourceType"] != "Encounter"]
    dated = re.findall(r'"(\d{4}-\d\d-\d\d)', json.dumps([kept, charts.clinic]))
    assert dated
    assert max(dated) < as_of.isoformat()


def test_each_patient_is_seen_on_the_day_itself() -> None:
    visits = open_charts(date(2027, 2, 1)).every("Encounter")  # launchers ask for one
    assert [one["subject"]["reference"] for one in visits] == [f"Patient/{key}" for key in CHARTS.by_patient]
    assert {one["period"]["start"] for one in visits} == {"2027-02-01"}


def test_the_stories_numbers_are_the_charts_numbers() -> None:
    newest = {
        patient_id: max(
            (one["effectiveDateTime"], one["valueQuantity"]["value"])
            for owner, one in EVERY
            if owner == patient_id and one["resourceType"] == "Observation" and one["code"]["coding"][0]["code"] == CD4
        )[1]
        for patient_id in CHARTS.by_patient
        if patient_id != "prep-no-hiv"
    }
    for story in CHARTS.stories:
        told = re.search(r"CD4(?: count)?,? (?:stays at )?\(?(\d+)", f"{story.title} {story.sentence}")
        assert told is None or int(told[1]) == newest[story.patient_id]


def test_a_drug_or_test_has_one_display_for_its_code() -> None:
    named = re.findall(r'"code": "([^"]+)", "display": "([^"]+)"', json.dumps(CHARTS.by_patient, ensure_ascii=False))
    named += [(order.code, order.display) for story in CHARTS.stories for play in story.plays for order in play.orders]
    assert len(dict(named)) == len(set(named))


@pytest.mark.parametrize("order", [DraftOrder(RXNORM, "1433873", "dolutegravir"), DraftOrder(LOINC, CD4, "CD4 count")])
def test_a_draft_order_is_valid_fhir(order: DraftOrder) -> None:
    assert accepted(draft(order, 1, "starting-art", ANCHOR))


# --- the FHIR endpoint -----------------------------------------------------------------------------------------------


@pytest.fixture
def fhir() -> Client:
    app = Flask("ehr")
    app.register_blueprint(fhir_endpoint(CHARTS))
    return app.test_client()


def found(fhir: Client, address: str) -> dict[str, Any]:
    answer = fhir.get(address)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/fhir+json")
    bundle: dict[str, Any] = answer.get_json()
    assert accepted(bundle)
    return bundle


def ids(bundle: dict[str, Any]) -> list[str]:
    return [entry["resource"]["id"] for entry in bundle.get("entry", [])]


def links(bundle: dict[str, Any]) -> dict[str, str]:
    return {link["relation"]: link["url"] for link in bundle["link"]}


def test_metadata_is_a_valid_capability_statement_that_names_r4(fhir: Client) -> None:
    statement = found(fhir, "/fhir/metadata")
    assert (statement["resourceType"], statement["fhirVersion"]) == ("CapabilityStatement", "4.0.1")
    assert statement["implementation"]["url"] == "http://localhost/fhir"
    assert statement["rest"][0]["security"]["cors"] is True  # launchers write their addresses only where there is one


def test_read_gives_the_resource_itself(fhir: Client) -> None:
    patient = found(fhir, "/fhir/Patient/starting-art")
    assert patient == CHARTS.find("Patient", "starting-art")


def test_all_patients_fit_on_the_page_a_client_gets_unasked(fhir: Client) -> None:
    bundle = found(fhir, "/fhir/Patient")
    assert ids(bundle) == list(CHARTS.by_patient)
    assert "next" not in links(bundle)
    assert all(entry["search"] == {"mode": "match"} for entry in bundle["entry"])
    assert bundle["entry"][0]["fullUrl"] == "http://localhost/fhir/Patient/starting-art"


@pytest.mark.parametrize("count", [1, 2, 3, 7, 100])
def test_following_next_gives_each_result_once_in_order(fhir: Client, count: int) -> None:
    asked = "/fhir/Observation?patient=suppressed-for-years&_sort=-date"
    whole, page = found(fhir, asked), found(fhir, f"{asked}&_count={count}")
    gathered = ids(page)
    while (further := links(page).get("next")) is not None:
        assert len(ids(page)) == count
        page = found(fhir, further)
        assert ids(page)
        assert page["total"] == whole["total"]
        gathered += ids(page)
    assert gathered == ids(whole)
    assert len(gathered) == whole["total"] == len(set(gathered)) > 7


def test_a_count_of_zero_gives_the_total_alone(fhir: Client) -> None:
    bundle = found(fhir, "/fhir/Patient?_count=0")
    assert (bundle["total"], "entry" in bundle, "next" in links(bundle)) == (10, False, False)


def test_post_search_answers_as_get_does_and_pages_by_get(fhir: Client) -> None:
    form = {"patient": "cd4-150-suppressed", "code": f"{LOINC}|{CD4},{LOINC}|8123-2", "_sort": "-date", "_count": "2"}
    posted = fhir.post("/fhir/Observation/_search", data=form).get_json()
    assert posted == fhir.get("/fhir/Observation", query_string=form).get_json()
    assert (posted["total"], len(ids(posted))) == (5, 2)
    assert len(ids(found(fhir, links(posted)["next"]))) == 2


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("Observation?patient={p}&code=24467-3", ["cd4-1", "cd4-2", "cd4-3", "cd4-4"]),
        ("Observation?subject=Patient/{p}&code=http://loinc.org|24467-3&date=ge2026-01-01", ["cd4-3", "cd4-4"]),
        ("Observation?patient=Patient/{p}&code=8123-2,29541-0", ["cd4-percent-1"]),
        ("Observation?patient:Patient={p}&code=8123-2", ["cd4-percent-1"]),
        ("Observation?patient=http://localhost/fhir/Patient/{p}&code=8123-2", ["cd4-percent-1"]),
        ("Observation?patient={p}&code=http://snomed.info/sct|24467-3", []),
        ("Observation?patient={p}&code=|24467-3", []),
        ("Observation?patient={p}&code=http://loinc.org|&_sort=date&_count=2", ["cd4-1", "viral-load-1"]),
        ("Observation?patient={p}&category=laboratory&status=final&code=24467-3&_sort=-date&_count=1", ["cd4-4"]),
        ("Observation?patient={p}&status=preliminary", []),
        ("Observation?patient={p}&code=24467-3&date=lt2023", ["cd4-1"]),
        ("Observation?patient={p}&code=24467-3&date=2026-10-25", ["cd4-4"]),
        ("Observation?patient={p}&code=24467-3&date=eq2026-10,2022-05", ["cd4-1", "cd4-4"]),
        ("Observation?patient={p}&code=24467-3&date=ge2024-10&date=lt2026-10-25", ["cd4-2", "cd4-3"]),
        ("Observation?patient={p}&code=24467-3&date=gt2026-10-25", []),
        ("Observation?patient={p}&code=24467-3&date=le2026-10-25T06:15:00Z", ["cd4-1", "cd4-2", "cd4-3", "cd4-4"]),
        ("Observation?patient={p}&code=24467-3&date=lt2026-10-25T06:15:00Z", ["cd4-1", "cd4-2", "cd4-3"]),
        ("Observation?patient={p}&code=24467-3&date=ne2026-10-25", ["cd4-1", "cd4-2", "cd4-3"]),
        ("Observation?patient={p}&code=24467-3&date=sa2025", ["cd4-3", "cd4-4"]),
        ("Observation?patient={p}&code=24467-3&date=eb2023", ["cd4-1"]),
        ("Observation?_id={p}-cd4-1,{p}-cd4-2", ["cd4-1", "cd4-2"]),
        ("Observation?patient={p}&code=24467-3&_lastUpdated=ge2026-10&_sort=-_lastUpdated", ["cd4-4"]),
        ("Condition?patient={p}&clinical-status=active,recurrence&verification-status=confirmed", ["problem-1"]),
        ("Condition?patient={p}&category=problem-list-item&onset-date=le2023", ["problem-1"]),
        ("AllergyIntolerance?patient={p}", ["allergy-1"]),
        ("MedicationRequest?patient={p}&status=active,on-hold&intent=order&code=476556", ["med-2"]),
        ("MedicationRequest?patient={p}&authoredon=ge2027", []),
        ("MedicationStatement?patient={p}", []),
        ("ServiceRequest?patient=on-cotrimoxazole&status=active", ["on-cotrimoxazole-order-1"]),
    ],
)
def test_a_search_finds_exactly_this(fhir: Client, asked: str, expected: list[str]) -> None:
    bundle = found(fhir, "/fhir/" + asked.format(p="cd4-150-suppressed"))
    assert [one.removeprefix("cd4-150-suppressed-") for one in ids(bundle)] == expected


@pytest.mark.parametrize(
    "asked",
    [
        "name=nomvula",
        "name=SUNHAR",
        "family=sunharb",
        "given=vul",
        "name:contains=omv",
        "identifier=DEMO-CD4-150-SUPPRESSED",
        "identifier=https://ehr.example.org/patient-number|DEMO-CD4-150-SUPPRESSED",
        "birthdate=1981-01-27",
    ],
)
def test_a_patient_is_found_by_name_number_or_birth_date(fhir: Client, asked: str) -> None:
    assert ids(found(fhir, f"/fhir/Patient?{asked}")) == ["cd4-150-suppressed"]


def test_a_name_is_found_without_its_accents(fhir: Client) -> None:
    assert ids(found(fhir, "/fhir/Patient?name=lucia")) == ["not-seen-14-months"]


def test_sorting_takes_several_keys_and_puts_what_lacks_them_last(fhir: Client) -> None:
    bundle = found(fhir, "/fhir/Patient?_sort=gender,-birthdate")
    order = [(one["resource"]["gender"], one["resource"]["birthDate"]) for one in bundle["entry"]]
    assert [gender for gender, _ in order] == sorted(gender for gender, _ in order)
    for gender in ("female", "male"):
        born = [birth for one, birth in order if one == gender]
        assert born == sorted(born, reverse=True)
    onset_unknown = {"resourceType": "Condition", "id": "undated"}
    dated = [onset_unknown | {"id": day, "recordedDate": day} for day in ("2020-01-01", "2024")]
    for key, expected in (("recorded-date", ["2020-01-01", "2024"]), ("-recorded-date", ["2024", "2020-01-01"])):
        kept = in_order([onset_unknown, *dated], understand("Condition", [("_sort", key)]))
        assert [one["id"] for one in kept] == [*expected, "undated"]


@pytest.mark.parametrize(
    ("written", "first", "after"),
    [
        ("2024", "2024-01-01T00:00Z", "2025-01-01T00:00Z"),
        ("2024-02", "2024-02-01T00:00Z", "2024-03-01T00:00Z"),
        ("2024-02-29", "2024-02-29T00:00Z", "2024-03-01T00:00Z"),
        ("2024-02-29T08:00:00", "2024-02-29T08:00:00Z", "2024-02-29T08:00:01Z"),
        ("2024-02-29T08:00:00+03:00", "2024-02-29T05:00:00Z", "2024-02-29T05:00:01Z"),
    ],
)
def test_a_date_spans_every_moment_it_can_mean(written: str, first: str, after: str) -> None:
    span = (datetime.fromisoformat(first), datetime.fromisoformat(after))
    assert span_of(written) == span
    assert span_of({"start": written}) == (span[0], ALWAYS[1])
    assert span_of({"end": written}) == (ALWAYS[0], span[1])


def test_the_self_link_holds_what_was_applied_and_nothing_else(fhir: Client) -> None:
    bundle = found(
        fhir, "/fhir/Condition?patient=starting-art&_include=x&colour=red&code=&_lastUpdated=&_sort=weather&_count=5"
    )
    assert links(bundle)["self"] == "http://localhost/fhir/Condition?patient=starting-art&_count=5"
    assert bundle["total"] == 1
    assert links(found(fhir, "/fhir/Patient?_count=5000"))["self"] == "http://localhost/fhir/Patient?_count=100"


@pytest.mark.parametrize(
    ("method", "address", "status", "allow"),
    [
        ("GET", "Patient/nobody", 404, None),
        ("GET", "Weather/1", 404, None),
        ("GET", "Weather", 404, None),
        ("GET", "Patient/starting-art/$everything", 404, None),
        ("GET", "", 404, None),
        ("POST", "_services/smart/Launch", 404, None),
        ("PUT", "Weather/1", 404, None),
        ("PUT", "Patient/starting-art", 405, "GET, HEAD, OPTIONS"),
        ("PATCH", "Patient/starting-art", 405, "GET, HEAD, OPTIONS"),
        ("DELETE", "Patient/starting-art", 405, "GET, HEAD, OPTIONS"),
        ("POST", "Patient", 405, "GET, HEAD, OPTIONS"),
        ("POST", "metadata", 405, "GET, HEAD, OPTIONS"),
        ("PUT", "Patient/_search", 405, "POST, OPTIONS"),
        ("GET", "Observation?date=yesterday", 400, None),
        ("GET", "Observation?date=ap2026", 400, None),
        ("GET", "Observation?date=2026-13-01", 400, None),
        ("GET", "Observation?code:in=x", 400, None),
        ("GET", "Observation?_count=-1", 400, None),
        ("GET", "Observation?_count=many", 400, None),
        ("GET", "Observation?_offset=1e9", 400, None),
    ],
)
def test_what_is_not_served_is_refused_with_an_operation_outcome(
    fhir: Client, method: str, address: str, status: int, allow: str | None
) -> None:
    answer = fhir.open(f"/fhir/{address}", method=method)
    assert (answer.status_code, answer.headers.get("Allow")) == (status, allow)
    assert answer.headers["Content-Type"].startswith("application/fhir+json")
    outcome = answer.get_json()
    assert accepted(outcome)
    assert outcome["resourceType"] == "OperationOutcome"
    assert not {"nobody", "Weather", "yesterday", "many"} & set(re.findall(r"\w+", answer.text))


def test_a_search_that_is_not_a_form_is_refused_not_answered_with_everything(fhir: Client) -> None:
    assert fhir.post("/fhir/Patient/_search", json={"name": "lucia"}).status_code == 415


# --- the EHR that plays the stories, against a small service over HTTP ------------------------------------------------

CARD: dict[str, Any] = {
    "summary": "CD4 120/µL on 12 Nov: Pneumocystis prophylaxis is due",
    "indicator": "warning",
    "detail": "**Why** the count is below 200.\n\n- one\n- two\n\n[Guideline](https://guideline.example.org/pcp)",
    "source": {"label": "Guideline of the test, 2026", "url": "https://guideline.example.org"},
    "suggestions": [{"label": "Order TMP-SMX DS daily", "uuid": "1"}],
    "selectionBehavior": "at-most-one",
}
SILENT = {
    "complete": True,
    "findings": [
        {"rule": "pneumocystis-start", "outcome": "silent", "because": "CD4 count is 650 /uL"},
        {"rule": "monitoring-due", "outcome": "held", "why": "unrelated-order"},
        {"rule": "art-start", "outcome": "not-assessed", "missing": ["medications"]},
    ],
}
TEMPLATES = {
    "patient": "Patient/{{context.patientId}}",
    "nobody": "Patient/nobody-of-that-name",
    "clinician": "Practitioner/{{userPractitionerId}}",
    "cd4": "Observation?patient={{context.patientId}}&code=http://loinc.org|24467-3&_sort=-date",
    "refused": "Observation?code:in=x&patient={{context.patientId}}",
    "unserved": "Weather?patient={{context.patientId}}",
    "unknown": "Encounter/{{context.encounterId}}",
}
HOOKS = ("order-sign", "order-select", "patient-view")


@dataclass
class Clinic:
    """A running server: the real FHIR endpoint beside a small CDS service that keeps what it was sent."""

    url: str
    received: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200


@pytest.fixture
def clinic() -> Iterator[Clinic]:
    app, place = Flask("clinic"), Clinic("")
    app.register_blueprint(fhir_endpoint(CHARTS))

    @app.get("/cds-services")
    def discovery() -> dict[str, Any]:
        return {"services": [{"id": hook, "hook": hook, "description": "x", "prefetch": TEMPLATES} for hook in HOOKS]}

    @app.post("/cds-services/<hook>")
    def service(hook: str) -> Response:
        place.received.append(request.get_json())
        said = [CARD] if hook == "order-sign" else []
        answer = {"cards": said, "extension": {"org.immune-status-cds.evaluation": SILENT}}
        return Response(json.dumps(answer), place.status, content_type="application/json")

    server = make_server("127.0.0.1", 0, app, threaded=True)
    place.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield place
    server.shutdown()
    thread.join()
    server.server_close()


def exchange(clinic: Clinic, play_of: Play) -> Exchange:
    with plain_session() as session:
        ehr = DemoEhr(clinic.url, ANCHOR, session)
        service = next(one for one in ehr.discover() if one.hook == play_of.hook)
        return ehr.call(service, "starting-art", play_of)


DOLUTEGRAVIR = DraftOrder(RXNORM, "1433873", "dolutegravir 50 MG Oral Tablet")
CD4_TEST = DraftOrder(LOINC, CD4, "CD4 count")


@pytest.mark.parametrize("hook", HOOKS)
def test_the_request_is_what_the_hook_asks_for(clinic: Clinic, hook: str) -> None:
    sent = exchange(clinic, Play(hook, (DOLUTEGRAVIR, CD4_TEST))).request
    context = dict(sent["context"])
    assert clinic.received == [sent]
    assert (sent["hook"], sent["fhirServer"]) == (hook, f"{clinic.url}/fhir")
    assert (context.pop("patientId"), context.pop("userId")) == ("starting-art", "Practitioner/demo-clinician")
    drafts = [entry["resource"] for entry in context.pop("draftOrders", {}).get("entry", [])]
    kinds = [] if hook == "patient-view" else ["MedicationRequest", "ServiceRequest"]
    assert [one["resourceType"] for one in drafts] == kinds
    picked = {"selections": ["MedicationRequest/draft-1", "ServiceRequest/draft-2"]}
    assert context == (picked if hook == "order-select" else {})


def test_prefetch_is_what_the_templates_find_and_null_for_a_read_without_result(clinic: Clinic) -> None:
    prefetch = exchange(clinic, Play("patient-view", ())).request["prefetch"]
    assert set(prefetch) == {"patient", "nobody", "clinician", "cd4"}
    assert prefetch["patient"]["id"] == "starting-art"
    assert prefetch["clinician"]["id"] == "demo-clinician"
    assert prefetch["nobody"] is None
    assert ids(prefetch["cd4"]) == ["starting-art-cd4-1"]


def test_a_template_with_an_unknown_token_is_not_filled() -> None:
    context = {"patientId": "1", "draftOrders": {}}
    assert filled("Patient/{{context.patientId}}", context) == "Patient/1"
    assert filled("Patient/{{ context.patientId }}", context) == "Patient/1"
    assert filled("Patient/{{context.draftOrders}}", context) is None
    assert filled("Patient/{{context.patientId}}?on={{today()}}", context) is None


def test_all_stories_are_played_and_printed(clinic: Clinic) -> None:
    stream = StringIO()
    assert play(clinic.url, ANCHOR, console_for(stream)) == 0
    assert len(clinic.received) == sum(len(story.plays) for story in CHARTS.stories)
    text = stream.getvalue()
    assert "\x1b" not in text
    for told in (
        *(story.title for story in CHARTS.stories),
        "Achieng Lakeshore, 34 years, Kisumu.",
        "dolutegravir 50 MG Oral Tablet",
        "WARNING",
        CARD["summary"],
        "https://guideline.example.org/pcp",
        "[ Order TMP-SMX DS daily ]",
        "Source: Guideline of the test, 2026",
        "No cards: nothing to say.",
        "Assessed: pneumocystis-start.",
        "Held back: monitoring-due (unrelated-order).",
        "Not assessed: art-start (no medications).",
        f"{clinic.url}/fhir/metadata",
        f".venv/bin/cds-service fixture cd4-120-starting-art | curl -s -H 'Content-Type: application/json' -d @- "
        f"{clinic.url}/cds-services/immune-status-order-sign\n",
    ):
        assert told in text


def test_failed_calls_are_counted_and_said(clinic: Clinic) -> None:
    clinic.status = 412
    stream = StringIO()
    assert play(clinic.url, ANCHOR, console_for(stream)) == len(clinic.received) > 0
    assert stream.getvalue().count("The call failed: status 412") == len(clinic.received)


def test_where_no_service_answers_nothing_is_played() -> None:
    with plain_session() as session:
        lost = DemoEhr("http://127.0.0.1:9", ANCHOR, session).call(Service("x", "patient-view", {}), "x", Play("x", ()))
    assert (lost.status, lost.response, lost.answered) == (None, None, False)
    stream = StringIO()
    assert play("http://127.0.0.1:9", ANCHOR, console_for(stream)) == 1
    assert "No CDS services at http://127.0.0.1:9/cds-services" in stream.getvalue()


@pytest.mark.parametrize(("indicator", "colour"), [("critical", "31"), ("warning", "33"), ("info", "36")])
def test_a_card_is_coloured_by_its_indicator_where_there_is_a_terminal(indicator: str, colour: str) -> None:
    console = Console(file=StringIO(), force_terminal=True, width=100, color_system="standard", highlight=False)
    service, answer = Service("x", "order-sign", {}), {"cards": [CARD | {"indicator": indicator}]}
    recount(console, Play("order-sign", ()), Exchange(service=service, request={}, status=200, response=answer))
    assert isinstance(console.file, StringIO)
    assert f"\x1b[1;{colour}m {indicator.upper()} " in console.file.getvalue()


def test_markup_in_a_card_is_printed_as_it_stands() -> None:
    stream = StringIO()
    answer = {"cards": [{"summary": "[red]CD4[/red]", "indicator": "info", "source": {"label": "[/]"}}]}
    exchanged = Exchange(service=Service("x", "order-sign", {}), request={}, status=200, response=answer)
    recount(console_for(stream), Play("order-sign", ()), exchanged)
    assert "[red]CD4[/red]" in stream.getvalue()
    assert "Source: [/]" in stream.getvalue()
