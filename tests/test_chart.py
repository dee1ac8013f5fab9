from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec import Raw
from msgspec.json import encode

from cds_service.chart.dates import earliest, latest
from cds_service.chart.read import read_chart
from cds_service.errors import Contradiction, MissingData
from cds_service.wire.request import HookRequest
from hooks.knowledge import load
from hooks.record import Allergy, DraftOrder, Medication, PatientRecord

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
KNOWLEDGE = load()
SERVER = "https://ehr.example/fhir"
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
RXNORM, ATC = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://www.whocc.no/atc"
Json = dict[str, Any]


def coded(system: str, code: str, **more: object) -> Json:
    return {"coding": [{"system": system, "code": code}], **more}


def resource(kind: str, name: str = "1", **elements: object) -> Json:
    whole = {"resourceType": kind, "id": name, "subject": {"reference": "Patient/his"}, **elements}
    return {name: value for name, value in whole.items() if value is not None}


def bundle(*resources: Json, **more: object) -> Json:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in resources], **more}


def cd4(name: str = "cd4", number: int = 450, **elements: object) -> Json:
    value = {"value": number, "unit": "/uL"}
    dated = {"status": "final", "effectiveDateTime": "2026-11-10"}
    return resource("Observation", name, code=coded(LOINC, "24467-3"), valueQuantity=value, **dated, **elements)


PATIENT = {"resourceType": "Patient", "id": "his", "birthDate": "1980-05-05"}
HIV = resource("Condition", "hiv", code=coded(SNOMED, "86406008"))
WHOLE = {"patient": PATIENT, "cd4": bundle(), "viralLoads": bundle(), "conditions": bundle(HIV)}


def read(drafts: Json | None = None, server: str | None = SERVER, **prefetch: Any) -> PatientRecord:
    """The record of a request with these prefetch keys besides the required ones."""
    return chart(WHOLE | prefetch, drafts, server)


def chart(prefetch: Json, drafts: Json | None = None, server: str | None = SERVER) -> PatientRecord:
    request = HookRequest(
        hook="order-sign",
        hook_instance="1",
        patient_id="his",
        fhir_server=server,
        draft_orders=None if drafts is None else Raw(encode(drafts)),
        prefetch={key: Raw(encode(value)) for key, value in prefetch.items()},
    )
    return read_chart(request, NOW, KNOWLEDGE)


def gap(record: PatientRecord, datum: str) -> str | None:
    found = record.gap(datum)
    return found.why if found else None


# --- whose it is -------------------------------------------------------------------------------------------------------

URN = "urn:uuid:9b2f1c1e-6b1c-4a52-8f0e-0d5b7f3a1c11"
HIS = [
    "Patient/his",
    "Patient/his/_history/3",
    f"{SERVER}/Patient/his",
    f"{SERVER}/Patient/his/_history/2",
    "https://ehr.example:443/fhir/Patient/his",
    "https://EHR.example/fhir/Patient/his",
    "https://ehr.example/fhir//Patient/his",
    "urn:uuid:his",
    "Patient/old",
    f"{SERVER}/Patient/old",
    "Patient/older",
    URN,
]
ANOTHERS = [
    "Patient/another",
    "Patient/HIS",
    "Patient/his2",
    f"{SERVER}/Patient/another",
    "https://other.example/fhir/Patient/his",
    "https://ehr.example:8443/fhir/Patient/his",
    "http://ehr.example/fhir/Patient/his",
    "https://ehr.example/Patient/his",
    "https://ehr.example/fhir/r4/Patient/his",
    "https://ehr.example.evil.example/fhir/Patient/his",
    "https://other.example/fhir/Patient/old",
    "urn:uuid:00000000-0000-4000-8000-000000000000",
    "Patient/sibling",
    "Patient/elsewhere",  # replaced, but on another server: the same id here is somebody else
]
NOBODYS = [
    "#inside",
    "",
    "his",
    "Patient/",
    "Patient/his?active=true",
    "Group/his",
    "/Patient/his",
    "Device/1",
    " Patient/his",
]
LINKED = PATIENT | {
    "link": [
        {"other": {"reference": "Patient/old"}, "type": "replaces"},
        {"other": {"reference": f"{SERVER}/Patient/older"}, "type": "replaced-by"},
        {"other": {"reference": "Patient/sibling"}, "type": "seealso"},
        {"other": {"reference": "https://other.example/fhir/Patient/elsewhere"}, "type": "replaces"},
    ]
}
WITH_URN = {"resourceType": "Bundle", "entry": [{"fullUrl": URN, "resource": LINKED}]}


@pytest.mark.parametrize("reference", HIS)
@pytest.mark.parametrize("server", [SERVER, f"{SERVER}/"])
def test_a_result_is_his_however_the_reference_is_written(reference: str, server: str) -> None:
    one = cd4(subject={"reference": reference})
    assert len(read(patient=WITH_URN, cd4=bundle(one), server=server).cd4_counts) == 1


@pytest.mark.parametrize("reference", ANOTHERS)
@pytest.mark.parametrize("element", ["subject", "patient"])
def test_a_reference_to_another_patient_ends_the_request(reference: str, element: str) -> None:
    with pytest.raises(Contradiction):
        read(patient=WITH_URN, cd4=bundle(cd4(**{"subject": None, element: {"reference": reference}})))


@pytest.mark.parametrize("subject", [{"reference": one} for one in NOBODYS] + [
    None, {}, {"display": "him"}, {"identifier": {"value": "his"}}, {"reference": 7}, "Patient/his", [],
])  # fmt: skip
def test_a_result_that_does_not_say_whose_it_is_cannot_be_used(subject: object) -> None:
    record = read(cd4=bundle(cd4(subject=subject)))
    assert not record.cd4_counts
    assert gap(record, "cd4-count") == "it does not say whose it is"


@pytest.mark.parametrize(("kind", "key", "datum"), [
    ("Condition", "conditions", "conditions"),
    ("AllergyIntolerance", "allergies", "allergies"),
    ("MedicationRequest", "medications", "medications"),
])  # fmt: skip
def test_an_entry_of_nobody_leaves_its_list_in_doubt(kind: str, key: str, datum: str) -> None:
    one = resource(kind, code=coded(SNOMED, "91939003"), medicationCodeableConcept=coded(RXNORM, "3108"), subject=None)
    record = read(**{"medications": bundle(), "allergies": bundle(), key: bundle(HIV, one)})
    assert gap(record, datum) == "it does not say whose it is"
    assert not record.medications
    assert not record.allergies


def test_without_a_known_server_one_server_is_believed_and_two_are_not() -> None:
    one, other = (cd4(name, subject={"reference": f"https://{name}.example/Patient/his"}) for name in ("one", "other"))
    assert read(cd4=bundle(one, one), server=None).cd4_counts
    with pytest.raises(Contradiction):
        read(cd4=bundle(one, other), server=None)


def test_a_server_with_a_port_that_is_none_matches_nothing() -> None:
    with pytest.raises(Contradiction):
        read(cd4=bundle(cd4(subject={"reference": "https://ehr.example:x/fhir/Patient/his"})))


ANOTHER = {"reference": "Patient/another"}
INNER = {"resourceType": "Observation", "id": "inner", "subject": ANOTHER}
HIDDEN: dict[str, Json] = {
    "contained": {"contained": [INNER]},
    "contained in what is not read": {
        "resourceType": "Procedure",
        "contained": [{"resourceType": "Claim", "patient": ANOTHER}],
    },
    "a second reference": {"patient": ANOTHER},
    "one of several": {"subject": [{"reference": "Patient/his"}, ANOTHER]},
    "beside a display that is none": {"subject": ANOTHER | {"display": 5}},
    "of a kind that is not read": {"resourceType": "Coverage", "subject": None, "beneficiary": ANOTHER},
    "where nothing else fits": {"status": 5, "subject": ANOTHER},
}


@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)
def test_another_patient_is_seen_wherever_he_is_named(hidden: Json) -> None:
    with pytest.raises(Contradiction):
        read(cd4=bundle(cd4() | hidden))
    with pytest.raises(Contradiction):
        read(drafts=bundle(cd4() | hidden))


def test_what_a_resource_contains_of_his_own_or_of_nobody_is_no_contradiction() -> None:
    inner = [
        {**INNER, "subject": {"reference": "Patient/his"}},
        {"resourceType": "Patient", "id": "p1"},
        7,
        {"id": "x"},
    ]
    assert len(read(cd4=bundle(cd4(contained=inner))).cd4_counts) == 1
    assert len(read(cd4=bundle(cd4(contained="none"))).cd4_counts) == 1


def test_the_merged_patient_may_come_too_and_another_may_not() -> None:
    old = {"resourceType": "Patient", "id": "old", "birthDate": "1999"}
    assert read(patient=bundle(old, LINKED)).age == 46
    with pytest.raises(Contradiction):
        read(patient=bundle(old, PATIENT))


# --- what each prefetch value means ------------------------------------------------------------------------------------

SULFA = resource("AllergyIntolerance", "sulfa", code=coded(SNOMED, "91939003"))


def outcome(severity: str) -> Json:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": severity, "code": "processing"}]}


def wrapped(status: str, **inside: object) -> Json:
    return {"response": {"status": status}, **inside}


NONE_THERE = {
    "null": None,
    "an empty searchset": {"resourceType": "Bundle", "type": "searchset", "total": 0},
    "no entries": bundle(),
    "entry null": {"resourceType": "Bundle", "entry": None},
    "a warning": outcome("warning"),
    "information": outcome("information"),
    "a warning as the only entry": bundle(outcome("warning")),
    "information as the only entry": bundle(outcome("information"), total=0),
    "an outcome without issues": {"resourceType": "OperationOutcome"},
    "wrapped": wrapped("200 OK", resource=bundle()),
}
NOT_SUPPLIED = {
    "an error": outcome("error"),
    "a fatal error": outcome("fatal"),
    "an error as the only entry": bundle(outcome("error")),
    "an error and a warning": bundle(outcome("warning"), outcome("error")),
    "text": "AllergyIntolerance?patient=his",
    "a number": 7,
    "true": True,
    "an array": [SULFA],
    "an empty object": {},
    "an object of no type": {"id": "1"},
    "a type that is no text": {"resourceType": 7},
    "entries that are no array": {"resourceType": "Bundle", "entry": {"resource": SULFA}},
    "wrapped 404": wrapped("404 Not Found", resource=bundle(SULFA)),
    "wrapped without resource": wrapped("200 OK"),
    "wrapped null": wrapped("200 OK", resource=None),
    "wrapped error": wrapped("200 OK", resource=outcome("error")),
}
THERE = {
    "a searchset": bundle(SULFA),
    "a bare resource": SULFA,
    "with a warning": bundle(SULFA, outcome("warning")),
    "with the total, the outcome not counted": bundle(SULFA, outcome("information"), total=1),
    "with a smaller total": bundle(SULFA, total=0),
    "with a self link": bundle(SULFA, link=[{"relation": "self", "url": "https://ehr.example/x"}]),
    "with a next link without address": bundle(SULFA, link=[{"relation": "next"}]),
    "with a total that is no number": bundle(SULFA, total="many"),
    "a Bundle without type": {"resourceType": "Bundle", "entry": [{"resource": SULFA}]},
    "wrapped": wrapped("200 OK", resource=bundle(SULFA)),
    "wrapped, a bare resource": wrapped("200", resource=SULFA),
    "a Bundle within a Bundle": bundle(bundle(SULFA)),
}
IN_PART = {
    "a next link": bundle(SULFA, link=[{"relation": "next", "url": "https://ehr.example/x?page=2"}]),
    "a next link and no entry": bundle(link=[{"relation": "next", "url": "https://ehr.example/x?page=2"}]),
    "a total greater than the entries": bundle(SULFA, total=2),
    "a total and no entries": {"resourceType": "Bundle", "total": 3},
    "an entry without resource": {"resourceType": "Bundle", "entry": [{"resource": SULFA}, {"fullUrl": "x"}]},
    "an entry that is null": {"resourceType": "Bundle", "entry": [{"resource": SULFA}, None]},
    "an entry whose resource is no resource": bundle(SULFA, {"id": "what"}),
    "an error beside entries": bundle(SULFA, outcome("error")),
    "a cut Bundle within a Bundle": bundle(bundle(SULFA, total=2)),
    "wrapped, cut": wrapped("200 OK", resource=bundle(SULFA, total=2)),
}


@pytest.mark.parametrize("value", NONE_THERE.values(), ids=NONE_THERE)
def test_asked_and_there_is_none(value: object) -> None:
    record = read(allergies=value)
    assert record.allergies == ()
    assert not record.no_known_allergy
    assert gap(record, "allergies") is None


@pytest.mark.parametrize("value", NOT_SUPPLIED.values(), ids=NOT_SUPPLIED)
def test_not_supplied(value: object) -> None:
    record = read(allergies=value)
    assert record.allergies is None
    assert gap(record, "allergies") == "was not supplied"


@pytest.mark.parametrize("value", THERE.values(), ids=THERE)
def test_supplied_whole(value: object) -> None:
    record = read(allergies=value)
    assert [one.source for one in record.allergies or ()] == ["AllergyIntolerance/sulfa"]
    assert gap(record, "allergies") is None


@pytest.mark.parametrize("value", IN_PART.values(), ids=IN_PART)
def test_truncated_is_never_there_is_none(value: object) -> None:
    assert gap(read(allergies=value), "allergies") == "came only in part"


@pytest.mark.parametrize(("key", "data"), [
    ("cd4", ["cd4-count", "cd4-percent"]),
    ("viralLoads", ["viral-load"]),
    ("conditions", ["conditions"]),
    ("allergies", ["allergies"]),
    ("medications", ["medications"]),
    ("labs", ["toxoplasma-igg", "g6pd", "hbsag", "crag", "tb-test", "coccidioides", "pregnancy"]),
    ("medicationStatements", []),
    ("orders", []),
])  # fmt: skip
def test_an_absent_key_leaves_its_data_in_doubt(key: str, data: list[str]) -> None:
    every = ("cd4", "viralLoads", "conditions", "allergies", "medications", "labs", "medicationStatements", "orders")
    record = chart({"patient": PATIENT} | {name: None for name in every if name != key})
    assert [one.datum for one in record.gaps] == data


@pytest.mark.parametrize(("prefetch", "lacking"), [
    ({}, "patient, cd4, viralLoads"),
    ({"patient": None, "cd4": None}, "patient"),
    ({"patient": outcome("error"), "cd4": None}, "patient"),
    ({"patient": bundle(), "viralLoads": None}, "patient"),
    ({"patient": {"resourceType": "Patient", "birthDate": "1980-05-05"}, "cd4": None}, "patient"),
    ({"patient": PATIENT}, "cd4, viralLoads"),
    ({"patient": PATIENT, "cd4": outcome("error"), "viralLoads": "text"}, "cd4, viralLoads"),
    ({"patient": PATIENT, "labs": bundle(resource("Observation", code=coded(LOINC, "29463-7")))}, "cd4, viralLoads"),
])  # fmt: skip
def test_required_data_that_did_not_come_is_named_by_its_keys(prefetch: Json, lacking: str) -> None:
    with pytest.raises(MissingData) as refused:
        chart(prefetch)
    assert f"supplied: {lacking}." in refused.value.sentence


@pytest.mark.parametrize("prefetch", [
    {"patient": PATIENT, "cd4": None},
    {"patient": PATIENT, "viralLoads": bundle()},
    {"who": PATIENT, "vitals": bundle(cd4())},
    {"everything": bundle(PATIENT, cd4())},
])  # fmt: skip
def test_a_usable_resource_counts_under_whatever_key_it_comes(prefetch: Json) -> None:
    assert chart(prefetch).age == 46


def test_a_bundle_that_was_cut_leaves_every_kind_in_it_in_doubt() -> None:
    record = read(cd4=bundle(cd4(), SULFA, total=9))
    assert {gap(record, datum) for datum in ("cd4-count", "allergies")} == {"came only in part"}
    assert gap(record, "viral-load") is None


def test_another_patient_is_said_before_missing_data() -> None:
    with pytest.raises(Contradiction):
        chart({"labs": bundle(cd4(subject={"reference": "Patient/another"}))})


# --- conditions and signs of HIV ---------------------------------------------------------------------------------------


def hiv_of(*conditions: Json, **prefetch: Any) -> str:
    return read(conditions=bundle(*conditions), **prefetch).hiv.status


@pytest.mark.parametrize(("clinical", "verification", "status"), [
    (None, None, "established"), ("active", "confirmed", "established"), ("recurrence", "confirmed", "established"),
    ("active", None, "established"), (None, "confirmed", "established"),
    ("active", "unconfirmed", "unclear"), ("active", "provisional", "unclear"), ("active", "differential", "unclear"),
    ("active", "refuted", "unclear"), ("active", "entered-in-error", "none"),
    ("inactive", "confirmed", "unclear"), ("resolved", "confirmed", "unclear"), ("remission", "confirmed", "unclear"),
])  # fmt: skip
@pytest.mark.parametrize("bare", [False, True], ids=["R4", "before R4"])
def test_status_of_a_diagnosis_of_hiv(clinical: str | None, verification: str | None, status: str, bare: bool) -> None:
    words = {"clinicalStatus": clinical, "verificationStatus": verification}
    stated = {name: word if bare else coded("x", word) for name, word in words.items() if word}
    assert hiv_of({**HIV, **stated}) == status


@pytest.mark.parametrize(("concept", "status"), [
    (coded(SNOMED, "86406008"), "established"),
    (coded("urn:oid:2.16.840.1.113883.6.96", "86406008"), "established"),
    (coded("http://snomed.info/sct/", "62479008"), "established"),
    (coded("http://hl7.org/fhir/sid/icd-10-cm", "B20"), "established"),
    (coded("http://hl7.org/fhir/sid/icd-10", "B20.0"), "established"),
    (coded("http://hl7.org/fhir/sid/icd-10", "B200"), "established"),
    (coded("http://hl7.org/fhir/sid/icd-10-cm", "R75"), "unclear"),
    (coded(SNOMED, "165816005"), "unclear"),
    (coded("urn:example:local", "H1", text="HIV infection"), "unclear"),
    ({"text": "HIV-1 disease"}, "unclear"),
    ({"text": "AIDS"}, "unclear"),
    ({"text": "No evidence of HIV"}, "none"),
    ({"text": "Family history of HIV infection"}, "none"),
    ({"text": "HIV screening"}, "none"),
    ({"text": "Hearing aids"}, "none"),
    (coded(SNOMED, "195967001", text="Asthma"), "none"),
    ({}, "none"),
])  # fmt: skip
def test_what_a_problem_says_of_hiv(concept: Json, status: str) -> None:
    assert hiv_of({**HIV, "code": concept}) == status


def test_an_established_diagnosis_outweighs_a_doubtful_one() -> None:
    assert hiv_of({**HIV, "id": "2", "verificationStatus": coded("x", "refuted")}, HIV) == "established"


def test_hiv_2_is_told_apart() -> None:
    assert read(conditions=bundle({**HIV, "code": coded(SNOMED, "79019005")})).hiv.type_2
    assert not read().hiv.type_2


def test_an_end_makes_a_problem_past_unless_it_is_called_active() -> None:
    ended = {**HIV, "abatementDateTime": "2025-01-01"}
    assert hiv_of(ended) == "unclear"
    assert hiv_of({**ended, "clinicalStatus": coded("x", "active")}) == "established"


@pytest.mark.parametrize("conditions", [outcome("error"), bundle(total=4)], ids=["not supplied", "cut"])
def test_without_a_whole_problem_list_nobody_is_without_hiv(conditions: Json) -> None:
    assert read(conditions=conditions).hiv.status == "unknown"


LOAD = resource("Observation", "load", status="final", code=coded(LOINC, "20447-9"), effectiveDateTime="2026-11-01",
                valueQuantity={"value": 30, "unit": "copies/mL"})  # fmt: skip
TLD = resource("MedicationRequest", "tld", status="active", intent="order", authoredOn="2026-09-21",
               medicationCodeableConcept=coded(ATC, "J05AR27"))  # fmt: skip


@pytest.mark.parametrize(("since", "loads", "status"), [
    ("2026-09-21", [LOAD], "established"),  # 60 days
    ("2026-09-22", [LOAD], "none"),
    ("2026-09-21", [], "none"),
    ("2026-09", [LOAD], "unclear"),  # of some days in it 60 days have passed, of others not
    ("2022-09", [LOAD], "established"),  # long past, whatever the day
])  # fmt: skip
def test_a_full_regimen_of_sixty_days_with_a_viral_load_counts_as_established(
    since: str, loads: list[Json], status: str
) -> None:
    medications = bundle({**TLD, "authoredOn": since})
    assert hiv_of(medications=medications, viralLoads=bundle(*loads)) == status


@pytest.mark.parametrize(("copies", "status"), [(200, "unclear"), (199, "none")])
def test_a_raised_viral_load_with_art_being_ordered_and_no_diagnosis_is_unclear(copies: int, status: str) -> None:
    load = {**LOAD, "valueQuantity": {"value": copies, "unit": "copies/mL"}}
    record = read(drafts=bundle({**TLD, "status": "draft"}), conditions=bundle(), viralLoads=bundle(load))
    assert record.hiv.status == status


# --- medications -------------------------------------------------------------------------------------------------------


def order(concept: Json | None = None, **elements: object) -> Json:
    stated = {"status": "active", "intent": "order", "authoredOn": "2026-01-10", "medicationCodeableConcept": concept}
    return resource("MedicationRequest", "order", **{**stated, **elements})


def taken(*orders: Json, key: str = "medications") -> tuple[Medication, ...]:
    return read(**{"medications": None, key: bundle(*orders)}).medications or ()


def names(medication: Medication | None) -> str:
    codes = medication.ingredients if medication else ()
    return " + ".join(sorted(KNOWLEDGE.ingredients[code].name for code in codes))


TMP_SMX, BIKTARVY = "sulfamethoxazole + trimethoprim", "bictegravir + emtricitabine + tenofovir alafenamide"


@pytest.mark.parametrize(("concept", "ingredients", "by_name"), [
    (coded(RXNORM, "3108"), "dapsone", False),  # ingredient
    (coded(RXNORM, "10831"), TMP_SMX, False),  # several ingredients
    (coded(RXNORM, "198335"), TMP_SMX, False),  # clinical drug
    (coded(RXNORM, "1999673"), BIKTARVY, False),  # branded drug
    (coded(RXNORM, "1546889"), "abacavir + dolutegravir + lamivudine", False),  # brand name
    (coded("urn:oid:2.16.840.1.113883.6.88", "3108"), "dapsone", False),
    (coded(ATC, "J05AR27"), "dolutegravir + lamivudine + tenofovir disoproxil", False),
    ({"coding": [{"system": "urn:example:local", "code": "7"}, {"system": ATC, "code": "J04BA02"}]}, "dapsone", False),
    (coded(RXNORM, "3108", text="Bactrim"), "dapsone", False),  # the code decides
    ({"text": "Bactrim DS tablet"}, TMP_SMX, True),
    ({"text": "CO-TRIMOXAZOLE 960 mg"}, TMP_SMX, True),
    ({"text": "tenofovir alafenamide 25 mg"}, "tenofovir alafenamide", True),
    ({"text": "tenofovir 300 mg"}, "tenofovir disoproxil", True),
    ({"text": "lamivudine/zidovudine 150/300"}, "lamivudine + zidovudine", True),
    (coded("urn:example:local", "7", text="dapsone 100 mg"), "dapsone", True),
    ({"coding": [{"display": "Triumeq"}]}, "abacavir + dolutegravir + lamivudine", True),
])  # fmt: skip
def test_which_drug_a_concept_names(concept: Json, ingredients: str, by_name: bool) -> None:
    (one,) = taken(order(concept))
    assert (names(one), one.by_name) == (ingredients, by_name)


@pytest.mark.parametrize("concept", [coded(RXNORM, "161"), {"text": "paracetamol"}, coded("urn:example:local", "7")])
def test_a_drug_that_is_none_of_ours_is_no_fault(concept: Json) -> None:
    record = read(medications=bundle(order(concept)))
    assert record.medications == ()
    assert not record.unreadable


DAPSONE = {"resourceType": "Medication", "id": "d", "code": coded(RXNORM, "197557")}
BY_INGREDIENT = {"resourceType": "Medication", "id": "d", "ingredient": [
    {"itemCodeableConcept": coded(RXNORM, code)} for code in ("10180", "10829")
]}  # fmt: skip


@pytest.mark.parametrize(("reference", "url", "medication", "ingredients"), [
    ("Medication/d", None, DAPSONE, "dapsone"),
    ("Medication/d/_history/4", None, DAPSONE, "dapsone"),
    (f"{SERVER}/Medication/d", None, DAPSONE, "dapsone"),
    (URN, URN, DAPSONE, "dapsone"),
    ("Medication/d", f"{SERVER}/Medication/d", {**DAPSONE, "id": None}, "dapsone"),
    ("Medication/d", None, BY_INGREDIENT, TMP_SMX),
])  # fmt: skip
def test_a_medication_that_came_beside_the_order(
    reference: str, url: str | None, medication: Json, ingredients: str
) -> None:
    beside = {"resource": medication, **({"fullUrl": url} if url else {})}
    entries = [{"resource": order(medicationReference={"reference": reference})}, beside]
    record = read(medications={"resourceType": "Bundle", "entry": entries})
    assert [names(one) for one in record.medications or ()] == [ingredients]


def test_a_contained_medication() -> None:
    inside = {
        "contained": [{"resourceType": "Specimen", "id": "x"}, DAPSONE],
        "medicationReference": {"reference": "#d"},
    }
    assert [names(one) for one in taken(order(**inside))] == ["dapsone"]


def test_the_display_of_a_reference_names_the_drug_where_nothing_else_does() -> None:
    (one,) = taken(order(medicationReference={"reference": "Medication/elsewhere", "display": "Bactrim DS"}))
    assert (names(one), one.by_name) == (TMP_SMX, True)


@pytest.mark.parametrize("drug", [
    {"medicationReference": {"reference": "Medication/elsewhere"}},
    {"medicationReference": {"reference": "#gone"}},
    {"medicationReference": {}},
    {"medicationCodeableConcept": {}},
    {},
])  # fmt: skip
def test_an_active_order_that_names_no_drug_leaves_the_list_in_doubt(drug: Json) -> None:
    record = read(medications=bundle(order(**drug)))
    assert gap(record, "medications") == "an entry does not say which drug it is"
    assert gap(read(medications=bundle(order(status="stopped", **drug))), "medications") is None


@pytest.mark.parametrize(("concept", "flag"), [
    (coded(RXNORM, "1741905"), "nonsystemic_exclude"),  # dapsone gel
    (coded(ATC, "D10AX05"), "nonsystemic_exclude"),
    ({"text": "dapsone 5 % gel, topical"}, "nonsystemic_exclude"),
    (coded(RXNORM, "864681"), "malaria_combo_not_pcp"),
    ({"text": "Malarone"}, "malaria_combo_not_pcp"),
    (coded(RXNORM, "2587899"), "not_hiv_regimen"),  # nirmatrelvir with ritonavir
    (coded(RXNORM, "1858267"), "hbv_product_taf_alone"),
    ({"text": "Vemlidy 25 mg"}, "hbv_product_taf_alone"),
    (coded(RXNORM, "639888"), "prep_or_backbone"),
    ({"text": "Truvada"}, "prep_or_backbone"),
    (coded(RXNORM, "861599"), "inhaled_pcp_prophylaxis"),
])  # fmt: skip
def test_what_sets_a_product_apart(concept: Json, flag: str) -> None:
    assert [one.flags for one in taken(order(concept))] == [{flag}]


@pytest.mark.parametrize(("status", "intent", "current"), [
    ("active", "order", True), ("active", "plan", True), ("active", "reflex-order", True),
    ("active", "original-order", True), ("active", "instance-order", True), ("active", None, True),
    ("active", "proposal", None), ("active", "option", None),
    ("stopped", "order", False), ("completed", "order", False), ("on-hold", "order", False), ("unknown", "order", False),
    (None, "order", False),
    ("cancelled", "order", None), ("entered-in-error", "order", None), ("draft", "order", None),
])  # fmt: skip
def test_status_and_intent_of_an_order(status: str | None, intent: str | None, current: bool | None) -> None:
    found = taken(order(coded(RXNORM, "3108"), status=status, intent=intent))
    assert [one.current for one in found] == ([] if current is None else [current])


def test_an_order_not_to_give_a_drug_is_no_order() -> None:
    assert not taken(order(coded(RXNORM, "3108"), doNotPerform=True))
    assert taken(order(coded(RXNORM, "3108"), doNotPerform=False))
    assert taken(order(coded(RXNORM, "3108"), reportedBoolean=True))


def bounded(**bounds: object) -> Json:
    return {"dosageInstruction": [{"timing": {"repeat": bounds}}]}


@pytest.mark.parametrize(("elements", "current", "short"), [
    ({}, True, False),
    (bounded(boundsPeriod={"start": "2026-11-10", "end": "2026-11-20"}), True, True),
    (bounded(boundsPeriod={"start": "2026-11-01", "end": "2026-11-19"}), False, False),
    (bounded(boundsPeriod={"start": "2026-11-07", "end": "2026-11-20"}), True, True),  # 14 days
    (bounded(boundsPeriod={"start": "2026-11-06", "end": "2026-11-20"}), True, False),
    (bounded(boundsPeriod={"start": "2026-11-06"}), True, False),
    (bounded(boundsDuration={"value": 14, "code": "d"}), True, True),
    (bounded(boundsDuration={"value": 2, "unit": "wk"}), True, True),
    (bounded(boundsDuration={"value": 3, "code": "wk"}), True, False),
    (bounded(boundsDuration={"value": "7", "code": "d"}), True, False),
    ({"dispenseRequest": {"expectedSupplyDuration": {"value": 7, "code": "d"}, "numberOfRepeatsAllowed": 1}}, True, True),
    ({"dispenseRequest": {"expectedSupplyDuration": {"value": 7, "code": "d"}, "numberOfRepeatsAllowed": 2}}, True, False),
    ({"dispenseRequest": {"expectedSupplyDuration": {"value": 7, "code": "d"}}}, True, False),  # repeats not limited
    ({"dosageInstruction": 7, "dispenseRequest": "x"}, True, False),
])  # fmt: skip
def test_how_long_an_order_runs(elements: Json, current: bool, short: bool) -> None:
    (one,) = taken(order(coded(RXNORM, "198335"), **elements))
    assert (one.current, one.short_course) == (current, short)


@pytest.mark.parametrize(("repeat", "often"), [
    ({"frequency": 1, "period": 1, "periodUnit": "d"}, 7),
    ({"frequency": 3, "period": 1, "periodUnit": "wk"}, 3),
    ({"frequency": 2, "period": 1, "periodUnit": "d", "dayOfWeek": ["sat", "sun"]}, 4),
    ({"dayOfWeek": ["mon", "wed", "fri"]}, 3),
    ({"frequency": 1, "period": 0, "periodUnit": "d"}, None),
    ({"frequency": 1, "period": 1, "periodUnit": "fortnight"}, None),
    ({"frequency": 1}, None),
])  # fmt: skip
def test_how_often_a_week_a_drug_is_taken(repeat: Json, often: int | None) -> None:
    (one,) = taken(order(coded(RXNORM, "198335"), **bounded(**repeat)))
    assert one.times_per_week == (None if often is None else Decimal(often))


@pytest.mark.parametrize(("elements", "since"), [
    ({}, date(2026, 1, 10)),
    ({"authoredOn": "2025-03"}, None),
    ({"authoredOn": "2021-03"}, date(2021, 3, 1)),
    ({"authoredOn": "2021"}, date(2021, 1, 1)),
    ({"authoredOn": "soon"}, None),
    ({"authoredOn": None}, None),
    (bounded(boundsPeriod={"start": "2025-06-01"}), date(2025, 6, 1)),
])  # fmt: skip
def test_since_when_a_drug_is_taken(elements: Json, since: date | None) -> None:
    assert [one.since for one in taken(order(coded(RXNORM, "3108"), **elements))] == [since]


@pytest.mark.parametrize(("status", "end", "current"), [
    ("active", None, True), ("active", "2026-11-20", True), ("active", "2026-11-19", False), ("active", "2026-11", True),
    ("completed", None, False), ("stopped", None, False), ("unknown", None, False),
    ("not-taken", None, None), ("entered-in-error", None, None), ("intended", None, None),
])  # fmt: skip
def test_a_statement_that_a_drug_is_taken(status: str, end: str | None, current: bool | None) -> None:
    period = {"start": "2026-01-01", **({"end": end} if end else {})}
    statement = resource(
        "MedicationStatement", status=status, effectivePeriod=period, medicationCodeableConcept=coded(RXNORM, "3108")
    )
    found = taken(statement, key="medicationStatements")
    assert [(one.current, one.since) for one in found] == ([] if current is None else [(current, date(2026, 1, 1))])


def test_a_medication_list_that_was_not_supplied_says_nothing_of_what_is_taken() -> None:
    statement = resource("MedicationStatement", status="active", medicationCodeableConcept=coded(RXNORM, "3108"))
    assert read(medicationStatements=bundle(statement)).medications is None


# --- allergies ---------------------------------------------------------------------------------------------------------


def allergy(concept: Json = SULFA["code"], **elements: object) -> Allergy:
    (one,) = read(allergies=bundle({**SULFA, "code": concept, **elements})).allergies or ()
    return one


def reaction(severity: str | None = None, manifestation: str = "271807003", **more: object) -> Json:
    stated = {"severity": severity} if severity else {}
    return {"reaction": [{"manifestation": [coded(SNOMED, manifestation)], **stated, **more}]}


RASH, SJS, TEN, DRESS, ANAPHYLAXIS = "271807003", "73442001", "768962006", "702809001", "39579001"


@pytest.mark.parametrize(("elements", "severe", "cutaneous"), [
    ({}, None, False),
    ({"criticality": "high"}, True, False),
    ({"criticality": "low"}, False, False),
    ({"criticality": "unable-to-assess"}, None, False),
    (reaction(), None, False),
    (reaction("mild"), False, False),
    (reaction("moderate"), False, False),
    (reaction("severe"), True, False),
    (reaction("mild") | {"criticality": "high"}, True, False),
    (reaction("severe") | {"criticality": "low"}, True, False),
    ({"reaction": [{"severity": "mild"}, {"severity": "severe"}]}, True, False),
    (reaction(manifestation=SJS), True, True),
    (reaction("mild", TEN), True, True),
    (reaction(manifestation=DRESS) | {"criticality": "low"}, True, True),
    (reaction(manifestation=ANAPHYLAXIS), True, False),
    ({"reaction": {"severity": "severe"}}, None, False),
    ({"reaction": [7, None]}, None, False),
])  # fmt: skip
def test_how_severe_a_reaction_was(elements: Json, severe: bool | None, cutaneous: bool) -> None:
    one = allergy(**elements)
    assert (one.severe, one.severe_cutaneous) == (severe, cutaneous)


@pytest.mark.parametrize(("concept", "sulfonamide", "ingredients", "recognised"), [
    (coded(SNOMED, "91939003"), True, "", True),
    (coded(SNOMED, "387406002"), True, "", True),
    (coded("http://hl7.org/fhir/sid/icd-10-cm", "Z88.2"), True, "", True),
    (coded("http://hl7.org/fhir/sid/icd-10-cm", "Z882"), True, "", True),
    (coded(SNOMED, "777642002"), True, "", True),
    ({"text": "Sulfa drugs"}, True, "", True),
    ({"text": "SULPHONAMIDES"}, True, "", True),
    (coded(RXNORM, "10831"), False, TMP_SMX, True),
    (coded(RXNORM, "3108"), False, "dapsone", True),
    ({"text": "Bactrim"}, False, TMP_SMX, True),
    (coded(SNOMED, "91934008"), False, "", True),  # seen labelled allergy to sulfonamide; it is none
    (coded(SNOMED, "294716003", text="Biguanide"), False, "", True),
    ({"text": "something in the ward"}, False, "", False),
    ({}, False, "", False),
])  # fmt: skip
def test_what_an_allergy_is_to(concept: Json, sulfonamide: bool, ingredients: str, recognised: bool) -> None:
    one = allergy(concept)
    named = " + ".join(sorted(KNOWLEDGE.ingredients[code].name for code in one.ingredients))
    assert (one.sulfonamide, named, one.recognised) == (sulfonamide, ingredients, recognised)


def test_the_substance_of_a_reaction_counts_too() -> None:
    one = allergy({"text": "drug reaction"}, reaction=[{"substance": coded(RXNORM, "3108")}])
    assert KNOWLEDGE.ingredients[next(iter(one.ingredients))].name == "dapsone"


@pytest.mark.parametrize("status", [
    {"verificationStatus": coded("x", "refuted")}, {"verificationStatus": coded("x", "entered-in-error")},
    {"clinicalStatus": coded("x", "inactive")}, {"clinicalStatus": coded("x", "resolved")}, {"clinicalStatus": "resolved"},
])  # fmt: skip
def test_an_allergy_that_no_longer_stands_is_passed_over(status: Json) -> None:
    assert read(allergies=bundle({**SULFA, **status})).allergies == ()
    none = {**SULFA, "code": coded(SNOMED, "716186003"), **status}
    assert not read(allergies=bundle(none)).no_known_allergy


def test_only_a_coded_statement_says_that_there_is_no_allergy() -> None:
    coded_none = read(allergies=bundle({**SULFA, "code": coded(SNOMED, "716186003")}))
    assert (coded_none.allergies, coded_none.no_known_allergy) == ((), True)
    assert not read(allergies=bundle({**SULFA, "code": {"text": "No known allergies"}})).no_known_allergy


# --- draft orders ------------------------------------------------------------------------------------------------------


def drafted(*orders: Json) -> tuple[DraftOrder, ...]:
    return read(drafts=bundle(*orders)).draft_orders or ()


def test_a_hook_without_draft_orders_is_not_a_hook_with_none() -> None:
    assert read().draft_orders is None
    assert read(drafts=bundle()).draft_orders == ()


def test_a_drafted_drug() -> None:
    (one,) = drafted(order(coded(RXNORM, "198335"), status="draft", dosageInstruction=[{"text": "one daily"}]))
    assert (names(one.medication), one.readable, one.medication and one.medication.has_dose) == (TMP_SMX, True, True)


def test_a_drug_without_a_dose_is_still_the_drug() -> None:
    (one,) = drafted(order(coded(RXNORM, "198335"), status="draft"))
    assert one.medication
    assert not one.medication.has_dose


@pytest.mark.parametrize("status", ["cancelled", "entered-in-error", "stopped", "completed"])
def test_a_withdrawn_draft_is_no_draft(status: str) -> None:
    assert not drafted(order(coded(RXNORM, "198335"), status=status))
    assert not drafted(order(coded(RXNORM, "198335"), status="draft", doNotPerform=True))


@pytest.mark.parametrize("draft", [
    order(status="draft"),
    order(status="draft", medicationReference={"reference": "Medication/elsewhere"}),
    {**order(status="draft"), "dosageInstruction": [], "status": 7},
    resource("ServiceRequest", status="draft"),
])  # fmt: skip
def test_a_draft_that_does_not_say_what_it_orders(draft: Json) -> None:
    (one,) = drafted(draft)
    assert not one.readable
    assert one.medication is None
    assert not one.tests


@pytest.mark.parametrize(("loinc", "tests"), [
    ("24467-3", {"cd4-count"}), ("8123-2", {"cd4-percent"}), ("20447-9", {"viral-load"}), ("62469-2", {"viral-load"}),
    ("40677-7", {"toxoplasma-igg"}), ("54218-3", set()), ("69354-9", set()), ("57698-3", set()),
])  # fmt: skip
def test_a_drafted_test(loinc: str, tests: set[str]) -> None:
    (one,) = drafted(resource("ServiceRequest", status="draft", intent="order", code=coded(LOINC, loinc)))
    assert (one.tests, one.readable) == (tests, True)


def test_drafts_of_other_kinds_are_no_orders_of_ours() -> None:
    assert not drafted(resource("NutritionOrder", status="draft"), resource("DeviceRequest", status="draft"))


def test_a_single_order_in_place_of_the_bundle() -> None:
    record = read(drafts=order(coded(RXNORM, "198335"), status="draft"))
    assert [names(one.medication) for one in record.draft_orders or ()] == [TMP_SMX]


def test_a_draft_may_refer_to_a_medication_beside_it() -> None:
    (one,) = drafted(order(status="draft", medicationReference={"reference": "Medication/d"}), DAPSONE)
    assert names(one.medication) == "dapsone"


@pytest.mark.parametrize(("status", "ordered"), [("active", {"cd4-count"}), ("completed", set()), ("revoked", set())])
def test_tests_on_order(status: str, ordered: set[str]) -> None:
    one = resource("ServiceRequest", status=status, intent="order", code=coded(LOINC, "24467-3"))
    assert read(orders=bundle(one)).tests_on_order == ordered


# --- dates -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("born", "years"), [
    ("1980-11-20", 46), ("1980-11-21", 45), ("1980-11-19", 46), ("2013-11-20", 13), ("2013-11-21", 12),
    ("2004-02-29", 22), ("1980", None), ("1980-10", 46), ("1980-12", 45), ("1980-11", None), ("2026-11-20", 0),
    ("2026-11-21", None), ("2027", None), ("", None), (None, None), ("1980-13-01", None), ("20/11/1980", None),
    ("1980-11-20T08:00:00Z", 46),
])  # fmt: skip
def test_age_by_a_birth_date_that_may_be_partial(born: str | None, years: int | None) -> None:
    assert read(patient=PATIENT | {"birthDate": born}).age == years


@pytest.mark.parametrize(("text", "first", "last"), [
    ("2024", "2024-01-01", "2024-12-31"), ("2024-02", "2024-02-01", "2024-02-29"), ("2023-02", "2023-02-01", "2023-02-28"),
    ("2024-02-10", "2024-02-10", "2024-02-10"), ("2024-02-10T23:59:00-08:00", "2024-02-10", "2024-02-10"),
])  # fmt: skip
def test_the_days_a_partial_date_can_be(text: str, first: str, last: str) -> None:
    assert (earliest(text), latest(text)) == (date.fromisoformat(first), date.fromisoformat(last))
