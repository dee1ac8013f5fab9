import dataclasses
import json
import os
from contextlib import suppress
from copy import deepcopy
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.json import encode

from cds_service.chart.read import read_chart
from cds_service.dates import shift_dates
from cds_service.errors import Contradiction, Refusal
from cds_service.wire.request import HookRequest
from hooks import SERVICES
from hooks.assess import Assessment, assess
from hooks.knowledge import load, load_profiles
from hooks.record import PatientRecord

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KNOWLEDGE = load()
AT = {one.hook: one for one in SERVICES}
HOOKS = sorted(AT)
PROFILE = load_profiles(KNOWLEDGE)["dhhs"]
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
RXNORM, ATC = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://www.whocc.no/atc"
KEYS = ("cd4", "viralLoads", "conditions", "allergies", "medications", "labs", "medicationStatements", "orders")
Json = dict[str, Any]
Request = tuple[str, Json]  # hook; prefetch key -> Bundle or resource; "draftOrders" the draft orders


def repeatable(examples: int = 100) -> settings:
    """The same examples on every run; with HYPOTHESIS_EXPLORE in the environment, new ones."""
    explore = "HYPOTHESIS_EXPLORE" in os.environ
    return settings(derandomize=not explore, deadline=None, database=None, max_examples=examples)


# --- requests ----------------------------------------------------------------------------------------------------------


def coded(system: str, code: str) -> Json:
    return {"coding": [{"system": system, "code": code}]}


def resource(kind: str, name: str, **elements: object) -> Json:
    return {"resourceType": kind, "id": name, "subject": {"reference": "Patient/his"}, **elements}


def day(ago: int) -> str:
    return str(NOW.date() - timedelta(days=ago))


def result(name: str, loinc: str, ago: int, **elements: object) -> Json:
    return resource(
        "Observation", name, status="final", code=coded(LOINC, loinc), effectiveDateTime=day(ago), **elements
    )


def quantity(number: Decimal | int, unit: str) -> Json:
    return {"value": Raw(f"{Decimal(number):f}".encode()), "unit": unit}


def bundle(*resources: Json) -> Json:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in resources]}


PATIENT = resource("Patient", "his", birthDate="1980-05-05")
HIV = resource("Condition", "hiv", code=coded(SNOMED, "86406008"), clinicalStatus=coded("", "active"))
ART = resource(
    "MedicationRequest", "art", status="active", intent="order", authoredOn=day(500),
    medicationCodeableConcept=coded(RXNORM, "1999667"),
)  # fmt: skip
COTRIMOXAZOLE = resource(
    "MedicationRequest", "cotrimoxazole", status="active", intent="order", authoredOn=day(100),
    medicationCodeableConcept=coded(ATC, "J01EE01"),
)  # fmt: skip
SULFA = resource("AllergyIntolerance", "sulfa", code=coded(SNOMED, "387406002"), criticality="high")
IGG = result("igg", "40677-7", 900, valueCodeableConcept=coded(SNOMED, "260385009"))
CD4_ORDER = resource("ServiceRequest", "cd4-order", status="draft", intent="order", code=coded(LOINC, "24467-3"))
DRAFT = resource(
    "MedicationRequest", "new", status="draft", intent="order", medicationCodeableConcept=coded(RXNORM, "308191")
)
DAYS_AGO = st.integers(0, 420)


@st.composite
def results(draw: st.DrawFn, name: str, loinc: str, numbers: st.SearchStrategy[int], unit: str) -> list[Json]:
    drawn = draw(st.lists(st.tuples(DAYS_AGO, numbers), max_size=3, unique_by=lambda one: one[0]))
    return [
        result(f"{name}-{place}", loinc, ago, valueQuantity=quantity(number, unit))
        for place, (ago, number) in enumerate(drawn)
    ]


COUNTS = results("count", "24467-3", st.integers(10, 900), "/uL")
PERCENTS = results("percent", "8123-2", st.integers(3, 50), "%")
LOADS = results("load", "20447-9", st.sampled_from([10, 30, 49, 50, 120, 199, 200, 1500, 250_000]), "copies/mL")


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """The whole request of an adult, most with HIV, at any of the services."""
    hook = draw(st.sampled_from(HOOKS))
    some = st.sampled_from
    prefetch = {
        "patient": PATIENT,
        "cd4": bundle(*draw(COUNTS), *draw(PERCENTS)),
        "viralLoads": bundle(*draw(LOADS)),
        "conditions": bundle(*draw(some([(HIV,), (HIV,), (HIV,), ()]))),
        "allergies": bundle(*draw(some([(), (SULFA,)]))),
        "medications": bundle(*draw(some([(), (ART,), (ART, COTRIMOXAZOLE), (COTRIMOXAZOLE,)]))),
        "labs": bundle(*draw(some([(), (IGG,)]))),
        "medicationStatements": bundle(),
        "orders": bundle(),
    }
    for key in draw(st.sets(some(["allergies", "medications", "labs", "orders"]), max_size=1)):
        del prefetch[key]
    drafts = {"draftOrders": bundle(*draw(some([(DRAFT,), (CD4_ORDER, DRAFT)])))} if AT[hook].at_order else {}
    return hook, deepcopy(prefetch | drafts)


def read(request: Request, now: datetime = NOW) -> PatientRecord:
    hook, content = request
    drafts = content.get("draftOrders")
    return read_chart(
        HookRequest(
            hook=hook,
            hook_instance="1",
            patient_id="his",
            draft_orders=Raw(encode(drafts)) if AT[hook].at_order else None,
            prefetch={key: Raw(encode(value)) for key, value in content.items() if key != "draftOrders"},
        ),
        now,
        KNOWLEDGE,
    )


def judged(request: Request, now: datetime = NOW) -> Assessment:
    return assess(AT[request[0]], read(request, now), PROFILE)


def said(assessment: Assessment) -> list[tuple[object, ...]]:
    """Everything an assessment says, without the facts it shows as they came."""
    found = []
    for one in assessment.findings:
        advice = one.recommendation
        words = advice and (advice.summary, advice.indicator, advice.rationale, advice.notes, advice.suggestions)
        found.append((one.rule.id, one.outcome, words, one.why, one.because, one.missing, one.gaps))
    return found


def verdicts(assessment: Assessment) -> list[tuple[object, ...]]:
    return [
        (one.rule.id, one.outcome, one.recommendation and one.recommendation.indicator, one.missing)
        for one in assessment.findings
    ]


def with_entry(request: Request, key: str, one: Json) -> Request:
    hook, content = request
    held = content.get(key, bundle())
    return hook, content | {key: {**held, "entry": [*held["entry"], {"resource": one}]}}


# --- what changes nothing ----------------------------------------------------------------------------------------------

UNNAMED = [
    {"resourceType": "MedicationRequest", "status": "active", "intent": "order", "subject": {"reference": "Patient/his"},
     "medicationCodeableConcept": coded(RXNORM, code)}
    for code in ("3108", "1999667")
] + [result("", "24467-3", 30, valueQuantity=quantity(number, "/uL")) | {"id": None} for number in (180, 250)]  # fmt: skip


@repeatable()
@given(requests(), st.lists(st.sampled_from(UNNAMED), max_size=4), st.data())
def test_order_and_copies_of_entries_and_keys_change_nothing(
    request: Request, unnamed: list[Json], data: st.DataObject
) -> None:
    for one in unnamed:
        request = with_entry(request, "medications" if one["resourceType"] == "MedicationRequest" else "cd4", one)
    hook, content = request
    shuffled = {}
    for key in data.draw(st.permutations(list(content))):
        value = content[key]
        if "entry" in value:
            copies = [one for one in value["entry"] if data.draw(st.booleans())]
            value = {**value, "entry": data.draw(st.permutations([*value["entry"], *copies]))}
        shuffled[key] = value
    assert read((hook, shuffled)) == read(request)
    assert judged((hook, shuffled)) == judged(request)


LOCAL = resource(
    "Observation", "local", status="final", code={"coding": [{"system": "urn:example", "code": "X1"}]},
    effectiveDateTime=day(3), valueQuantity=quantity(90, "/uL"),
)  # fmt: skip


@repeatable()
@given(requests(), st.permutations(["cd4", "viralLoads", "labs"]))
def test_a_result_that_came_under_several_keys_is_read_the_same_whichever_came_first(
    request: Request, order: list[str]
) -> None:
    for key in order:
        request = with_entry(request, key, LOCAL)
    hook, content = request
    first = {key: content[key] for key in order}
    assert read((hook, first | content)) == read(request)
    assert read((hook, dict(reversed(content.items())))) == read(request)


CELLS = [("/uL", 1), ("10*9/L", 1000), ("/mm3", 1), ("cells/µL", 1), ("K/uL", 1000), ("10^6/L", 1), ("/mL", "0.001")]
PER_CENT = [("%", 1), (" % ", 1)]
COPIES = [("copies/mL", 1), ("10*3{copies}/mL", 1000), ("{copies}/uL", 1000), ("{copies}/L", "0.001"), ("cp/ml", 1)]
SAME = {"/uL": CELLS, "%": PER_CENT, "copies/mL": COPIES}


@repeatable()
@given(requests(), st.data())
def test_equivalent_units_change_nothing(request: Request, data: st.DataObject) -> None:
    hook, content = request
    other = deepcopy(content)
    for entry in other["cd4"]["entry"] + other["viralLoads"]["entry"]:
        value = entry["resource"]["valueQuantity"]
        unit, factor = data.draw(st.sampled_from(SAME[value["unit"]]))
        number = Decimal(bytes(value["value"]).decode()) / Decimal(factor)
        entry["resource"]["valueQuantity"] = quantity(number, unit)
    assert numbers(read((hook, other))) == numbers(read(request))
    assert said(judged((hook, other))) == said(judged(request))


def numbers(record: PatientRecord) -> list[tuple[object, ...]]:
    every = (*record.cd4_counts, *record.cd4_percents, *record.viral_loads)
    return [(one.measure, one.comparator, one.number, one.unit, one.date, one.source) for one in every]


@repeatable()
@given(requests(), st.integers(1, 9_999_999))
def test_a_viral_load_as_log_is_judged_as_in_copies_where_no_limit_is_within_rounding(
    request: Request, copies: int
) -> None:
    assume(not any(0.97 < copies / limit < 1.03 for limit in (50, 200, 1000)))
    as_log = round(Decimal(copies).log10(), 2)
    plain = with_entry(request, "viralLoads", result("x", "20447-9", 2, valueQuantity=quantity(copies, "copies/mL")))
    other = with_entry(
        request, "viralLoads", result("x", "29541-0", 2, valueQuantity=quantity(as_log, "log copies/mL"))
    )
    assert verdicts(judged(other)) == verdicts(judged(plain))


@repeatable()
@given(requests(), st.integers(-150, 150))  # nobody here has a birthday in that time
def test_moving_every_date_and_now_changes_only_dates(request: Request, days: int) -> None:
    hook, content = request
    later = (hook, shift_dates(json.loads(encode(content)), days))
    record = read(later, NOW + timedelta(days=days))
    assert record == moved(read(request), days)
    assert verdicts(assess(AT[hook], record, PROFILE)) == verdicts(judged(request))


def moved(value: Any, days: int) -> Any:
    """A record with all its days moved, but the age, which depends on them, as it was."""
    if isinstance(value, date):
        return value + timedelta(days=days)
    if isinstance(value, tuple):
        return tuple(moved(one, days) for one in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return dataclasses.replace(value, **{name: moved(getattr(value, name), days) for name in names})
    return value


IRRELEVANT = [
    result("weight", "29463-7", 1, valueQuantity=quantity(70, "kg")),
    result("pressure", "85354-9", 1, component=[{"code": coded(LOINC, "8480-6"), "valueQuantity": quantity(90, "mm[Hg]")}]),
    result("creatinine", "2160-0", 1, valueQuantity=quantity(90, "umol/L")),
    result("ratio", "54218-3", 1, valueQuantity=quantity(1, "{ratio}")),
    result("presence", "25835-0", 1, valueCodeableConcept=coded(SNOMED, "260373001")),
    result("other-virus", "11011-4", 1, valueQuantity=quantity(900, "[IU]/mL")),
    resource("Encounter", "visit", status="in-progress"),
    {"resourceType": "Practitioner", "id": "doctor"},
    resource("Procedure", "appendix", status="completed", code=coded(SNOMED, "80146002")),
    resource("Immunization", "flu") | {"patient": {"reference": "Patient/his"}},
    {"resourceType": "SomethingNew", "id": "x", "value": [1, 2]},
    resource("Condition", "asthma", code=coded(SNOMED, "195967001")),
    resource("MedicationRequest", "paracetamol", status="active", intent="order",
             medicationCodeableConcept=coded(RXNORM, "161")),
]  # fmt: skip


@repeatable()
@given(requests(), st.sampled_from(IRRELEVANT), st.sampled_from([*KEYS, "vitals"]))
def test_an_irrelevant_resource_changes_nothing(request: Request, one: Json, key: str) -> None:
    assume(key in request[1] or key == "vitals")  # an absent key that is answered is another matter
    kinds = {"MedicationRequest": "medications"}
    assume(kinds.get(one["resourceType"], "conditions") in request[1])
    more = with_entry(request, key, one)
    assert read(more) == read(request)
    assert judged(more) == judged(request)


@repeatable()
@given(requests(), st.data())
def test_a_result_counts_the_same_under_any_key(request: Request, data: st.DataObject) -> None:
    hook, content = request
    other = content | {"cd4": bundle(), "viralLoads": bundle()}
    moving = content["cd4"]["entry"] + content["viralLoads"]["entry"]
    for entry in moving:
        key = data.draw(st.sampled_from([*(key for key in KEYS if key in content), "observations"]))
        _, other = with_entry((hook, other), key, entry["resource"])
    assert read((hook, other)) == read(request)
    assert judged((hook, other)) == judged(request)


# --- what only takes away ----------------------------------------------------------------------------------------------

GOOD = {
    "cd4": result("spoiled", "24467-3", 5, valueQuantity=quantity(150, "/uL")),
    "viralLoads": result("spoiled", "20447-9", 5, valueQuantity=quantity(1500, "copies/mL")),
}
SPOILS: list[Json] = [
    {"valueQuantity": quantity(150, "mg/dL")},
    {"valueQuantity": {"value": "150", "unit": "/uL"}},
    {"valueQuantity": {"value": True, "unit": "/uL"}},
    {"valueQuantity": quantity(150, "/uL") | {"comparator": "~"}},
    {"valueQuantity": quantity(10**12, "/uL")},
    {"valueQuantity": quantity(-5, "copies/mL")},
    {"valueQuantity": 150},
    {"valueQuantity": None, "valueString": "see report"},
    {"valueString": "and text besides"},
    {"effectiveDateTime": None},
    {"effectiveDateTime": "2026-11"},
    {"effectiveDateTime": "2026-12-24"},
    {"effectiveDateTime": "yesterday"},
    {"status": "done"},
    {"status": "cancelled"},
    {"status": "entered-in-error"},
    {"subject": None},
    {"subject": {"display": "somebody"}},
    {"subject": {"reference": "#inside"}},
    {"status": "preliminary", "subject": None},
    {"modifierExtension": [{"url": "urn:example:not"}]},
    {"focus": [{"reference": "RelatedPerson/mother"}]},
    {"dataAbsentReason": {"text": "unknown"}},
    {"code": {"text": "HIV viral load, CD4"}},
    {"code": {"coding": [{"system": LOINC, "code": "24467-3"}, {"system": LOINC, "code": "20447-9"}]}},
]


@repeatable(200)
@given(requests(), st.sampled_from(sorted(GOOD)), st.sampled_from(SPOILS), DAYS_AGO)
def test_a_spoiled_result_adds_no_advice_and_silences_nothing(
    request: Request, key: str, spoil: Json, ago: int
) -> None:
    before = {one.rule.id: one.outcome for one in judged(request).findings}
    spoiled = GOOD[key] | {"effectiveDateTime": day(ago)} | spoil
    for one in judged(with_entry(request, key, spoiled)).findings:
        was = before.get(one.rule.id, "silent")
        if one.outcome in ("recommended", "held"):
            assert was in ("recommended", "held"), one
        if one.outcome == "silent":
            assert was == "silent", one


@repeatable(400)
@given(requests(), st.sampled_from(["cd4", "viralLoads", "conditions", "allergies", "medications", "labs"]))
def test_taking_a_key_away_never_makes_a_chart_look_more_complete(request: Request, key: str) -> None:
    hook, content = request
    assume(key in content)
    before, after = judged(request), judged((hook, {name: one for name, one in content.items() if name != key}))
    assert before.complete or not after.complete
    lost = {one.rule.id for one in before.findings if one.outcome == "not-assessed"}
    silent = {one.rule.id for one in after.findings if one.outcome == "silent"}
    assert not lost & silent


# --- what is refused ---------------------------------------------------------------------------------------------------

OTHERS = [
    result("x", "24467-3", 5, valueQuantity=quantity(150, "/uL")),
    result("x", "29463-7", 5),
    HIV, ART, SULFA, CD4_ORDER, IGG,
    resource("MedicationStatement", "x", status="active"),
    resource("Procedure", "x"),
    resource("SomethingNew", "x"),
    {"resourceType": "MedicationRequest", "id": "x", "dosageInstruction": 7, "status": [1]},
    {"resourceType": "Observation", "status": {}, "component": 3},
]  # fmt: skip
OTHER_PATIENT = st.sampled_from(
    ["Patient/another", "Patient/his2", "Patient/His", "Patient/another/_history/1", "https://ehr.example/fhir/Patient/another"]
)  # fmt: skip


@repeatable()
@given(requests(), st.sampled_from(OTHERS), OTHER_PATIENT, st.sampled_from(["subject", "patient"]), st.data())
def test_a_resource_of_another_patient_anywhere_is_refused(
    request: Request, one: Json, patient: str, element: str, data: st.DataObject
) -> None:
    theirs = {name: value for name, value in one.items() if name != "subject"} | {element: {"reference": patient}}
    drafts = ["draftOrders"] if AT[request[0]].at_order else []
    key = data.draw(st.sampled_from([*KEYS, "whatever", *drafts]))
    shape = data.draw(st.sampled_from(["entry", "alone", "wrapped", "deep"]))
    hook, content = request
    whole = {
        "alone": theirs,
        "wrapped": {"response": {"status": "200 OK"}, "resource": theirs},
        "deep": bundle(bundle(theirs)),
    }
    mixed = with_entry(request, key, theirs) if shape == "entry" else (hook, content | {key: whole[shape]})
    with pytest.raises(Contradiction):
        read(mixed)


@repeatable()
@given(requests(), st.sampled_from([*KEYS, "whatever"]))
def test_another_patient_is_refused_under_any_key(request: Request, key: str) -> None:
    with pytest.raises(Contradiction):
        read(with_entry(request, key, {"resourceType": "Patient", "id": "another"}))


# --- what never breaks -------------------------------------------------------------------------------------------------

REPEAT = {
    "boundsDuration": {"value": 10, "unit": "d", "code": "d"}, "boundsPeriod": {"start": "2026-01-01", "end": "2027-01-01"},
    "frequency": 1, "period": 1, "periodUnit": "d", "dayOfWeek": ["mon"],
}  # fmt: skip
DOSAGE = {"text": "daily", "timing": {"repeat": REPEAT}, "doseAndRate": [{"doseQuantity": {"value": 1}}]}
MEDICATION = {
    "resourceType": "Medication", "id": "inside", "code": coded(RXNORM, "3108"),
    "ingredient": [{"itemCodeableConcept": coded(RXNORM, "3108")}],
}  # fmt: skip
META = {"versionId": "1", "lastUpdated": "2026-11-11T08:00:00Z"}
FULL: Json = {
    "patient": {**PATIENT, "link": [{"other": {"reference": "Patient/old"}, "type": "replaces"}], "meta": META},
    "cd4": {
        "resourceType": "Bundle", "total": 4, "link": [{"relation": "self", "url": "https://ehr.example/x"}],
        "entry": [
            {"fullUrl": "https://ehr.example/Observation/1", "search": {"mode": "match"}, "resource": one}
            for one in (
                result("1", "24467-3", 9, valueQuantity={"value": 150, "comparator": "<", "unit": "/uL", "code": "/uL"},
                       meta=META, issued=day(9), specimen={"reference": "#s", "display": "blood"},
                       contained=[{"resourceType": "Specimen", "id": "s", "type": {"text": "blood"}}],
                       effectivePeriod={"start": day(9), "end": day(9)}, modifierExtension=[], focus=[],
                       interpretation=[coded(LOINC, "L")], referenceRange=[{"low": {"value": 500}}]),
                result("2", "24467-3", 9, component=[{"code": coded(LOINC, "8123-2"), "valueQuantity": quantity(12, "%")}]),
                result("3", "24467-3", 20, valueRange={"low": {"value": 500, "unit": "/uL"}}),
                result("4", "24467-3", 30, valueInteger=450, dataAbsentReason={}),
            )
        ],
    },
    "viralLoads": bundle(
        result("5", "29541-0", 9, valueQuantity={"value": Raw(b"3.2"), "unit": "log10 copies/mL"}),
        result("6", "20447-9", 90, valueString="<20 copies/mL"),
        result("7", "20447-9", 190, valueCodeableConcept={"text": "Not detected", **coded(SNOMED, "260415000")}),
    ),
    "conditions": bundle(
        {**HIV, "verificationStatus": coded("", "confirmed"), "onsetDateTime": "2010", "abatementDateTime": None}
    ),
    "allergies": bundle(
        {**SULFA, "clinicalStatus": coded("", "active"), "verificationStatus": coded("", "confirmed"),
         "reaction": [{"severity": "severe", "substance": coded(RXNORM, "10831"),
                       "manifestation": [coded(SNOMED, "73442001")]}]}
    ),
    "medications": bundle(
        {**ART, "dosageInstruction": [DOSAGE], "doNotPerform": False,
         "dispenseRequest": {"expectedSupplyDuration": {"value": 30, "code": "d"}, "numberOfRepeatsAllowed": 2}},
        {**resource("MedicationRequest", "by-reference", status="active", intent="order"),
         "contained": [MEDICATION], "medicationReference": {"reference": "#inside", "display": "dapsone"}},
    ),
    "medicationStatements": bundle(
        resource("MedicationStatement", "stated", status="active", dosage=[DOSAGE],
                 effectivePeriod={"start": day(90), "end": day(1)}, medicationCodeableConcept={"text": "dapsone 100 mg"})
    ),
    "labs": bundle(
        IGG,
        result("g6pd", "32546-4", 9, valueQuantity=quantity(3, "U/g"), interpretation=[coded(LOINC, "L")],
               referenceRange=[{"low": {"value": 7, "unit": "U/g"}}]),
    ),
    "orders": bundle({**CD4_ORDER, "status": "active", "doNotPerform": False}),
    "vitals": {"response": {"status": "200 OK"}, "resource": bundle(IRRELEVANT[0])},
    "failed": {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]},
    "draftOrders": bundle({**DRAFT, "dosageInstruction": [DOSAGE]}, CD4_ORDER),
}  # fmt: skip


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The path of every element, from the prefetch keys down to the codes."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return ([path] if path else []) + [deeper for name, one in inside for deeper in places(one, (*path, name))]


JUNK = [
    "null", "true", "false", "0", "-1", "1.5", "1e400", "-1e1000000", "1e1000000", "1e-1000000", "1e999999999999999999999",
    "123456789012345678901234567890.123456789", "[]", "{}", "[[]]", "[null]", "[{}]", '{"a":1}', "[1,2]", '""', '" "', '"x"',
    '"\\ud800"', '"\\u0000"', '"#"', '"#inside"', '"urn:uuid:"', '"http://["', '"https://x:port/Patient/his"', '"Patient/"',
    '"0000-00-00"', '"9999-12-31"', '"9999-12-31T23:59:59-14:00"', '"0001-01-01T00:00:00+14:00"', '"2026-02-30"',
    '"2026-11-10T08:00:00+99:00"', '"10E99"', '"<"', '"²"', '"٣"', '{"coding":7}', '{"coding":[7]}', '{"coding":[{"code":7}]}',
    '{"reference":7}', '{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Observation"}}]}',
    '{"resourceType":"OperationOutcome","issue":[{"severity":"fatal"}]}', '{"resourceType":7}', '{"resourceType":"Patient"}',
    "[" * 3000 + "]" * 3000, '{"a":' * 3000 + "1" + "}" * 3000, '"' + "9" * 5000 + '"', "9" * 5000, '"' + "x, " * 5000 + '"',
]  # fmt: skip
PLACES = places(FULL)


def spoiled_at(path: tuple[str | int, ...], junk: str) -> Json:
    whole = deepcopy(FULL)
    found: Any = whole
    for name in path[:-1]:
        found = found[name]
    found[path[-1]] = Raw(junk.encode())
    return whole


@repeatable(1500)
@given(st.sampled_from(PLACES), st.sampled_from(JUNK), st.sampled_from(HOOKS))
@example(("cd4", "entry", 0, "resource", "valueQuantity", "value"), "1e1000000", "order-sign")
@example(
    ("medications", "entry", 0, "resource", "dispenseRequest", "numberOfRepeatsAllowed"), "1e1000000", "order-sign"
)
@example(("allergies", "entry", 0, "resource", "reaction"), "7", "order-sign")
@example(("allergies", "entry", 0, "resource", "reaction", 0, "severity"), "[]", "order-sign")
@example(("cd4", "entry", 0, "resource", "contained"), "7", "order-sign")
def test_junk_in_any_element_is_refused_or_read_around_and_never_breaks(
    path: tuple[str | int, ...], junk: str, hook: str
) -> None:
    try:
        assessment = judged((hook, spoiled_at(path, junk)))
    except Refusal:
        return
    faults = [gap for one in assessment.findings for gap in one.gaps if "internal fault" in gap.why]
    assert not faults


@pytest.mark.parametrize("edge", ["9999-12-31", "9999-12-31T23:59:59-14:00", "0001-01-01", "0001-01-01T00:00:00+14:00"])
def test_the_ends_of_the_calendar_break_nothing_wherever_they_stand(edge: str) -> None:
    for path in PLACES:
        if not isinstance(leaf(path), str):
            continue
        with suppress(Refusal):
            assessment = judged(("order-sign", spoiled_at(path, f'"{edge}"')))
            assert not [gap for one in assessment.findings for gap in one.gaps if "internal fault" in gap.why], path


def leaf(path: tuple[str | int, ...]) -> Any:
    found: Any = FULL
    for name in path:
        found = found[name]
    return found


def test_the_request_that_is_spoiled_is_itself_whole() -> None:
    record = read(("order-sign", FULL))
    assert not record.unreadable
    assert not record.gaps
    assert [len(one) for one in (record.cd4_counts, record.cd4_percents, record.viral_loads)] == [3, 1, 3]


WHOLE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


@repeatable(300)
@given(st.sampled_from(sorted(FULL)), WHOLE)
def test_any_json_under_any_key_is_refused_or_read_around(key: str, value: Any) -> None:
    with suppress(Refusal):
        judged(("order-sign", FULL | {key: value}))
