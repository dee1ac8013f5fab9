"""CDS Hooks on the wire: discovery, what a request must be, what an answer looks like, and how a refusal is said."""

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.wire.cards import render
from cds_service.wire.request import HookRequest
from hooks import SERVICES
from hooks.assess import Assessment, Finding
from hooks.knowledge import load, load_profiles
from hooks.record import Gap
from tests.fixture_files import ANCHOR, EVALUATION, Clock, app_of, as_of, ask, legal, read, request_files

CLOCK = Clock()
CLIENT = app_of(CLOCK).test_client()
ORDER_SIGN = "/cds-services/immune-status-order-sign"
STARTING = legal("cd4-120-starting-art")
LEGAL = [read(path) for path in request_files() if path.parent.name != "refused"]
CANARIES = ("ZZCANARYNAME", "ZZCANARYID", "ZZCANARYTOKEN")
HL7 = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
OURS = "https://immune-status-cds.org/CodeSystem/override-reason"

Change = Callable[[dict[str, Any]], object]


def changed(change: Change, request: Mapping[str, Any] = STARTING) -> dict[str, Any]:
    """A copy of a request with something changed in it."""
    copied = copy.deepcopy(dict(request))
    change(copied)
    return copied


def post(body: bytes | str | Mapping[str, Any], path: str = ORDER_SIGN, **more: Any) -> TestResponse:
    text = json.dumps(body) if isinstance(body, Mapping) else body
    return CLIENT.post(path, data=text, **({"content_type": "application/json"} | more))


def cards(request: Mapping[str, Any], client: FlaskClient = CLIENT) -> list[dict[str, Any]]:
    answer = ask(client, request)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.get_json()["cards"]
    return found


def every(node: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every value at any depth, with the name it stands under."""
    yield name, node
    below = node.items() if isinstance(node, dict) else [(name, one) for one in node] if isinstance(node, list) else ()
    for under, one in below:
        yield from every(one, under)


def resources(request: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The resources of all suggestions in the answer to a request."""
    offered = [one for card in cards(request) for one in card.get("suggestions", [])]
    return [action["resource"] for one in offered for action in one["actions"]]


# --- discovery -------------------------------------------------------------------------------------------------------


def test_discovery_lists_one_service_for_each_hook() -> None:
    services = CLIENT.get("/cds-services").get_json()["services"]
    assert {one["id"]: one["hook"] for one in services} == {
        f"immune-status-{hook}": hook for hook in ("order-sign", "order-select", "patient-view")
    }


def test_discovery_is_the_same_with_a_slash_and_with_any_token() -> None:
    plain = CLIENT.get("/cds-services").data
    assert CLIENT.get("/cds-services/").data == plain
    assert CLIENT.get("/cds-services", headers={"Authorization": "Bearer not-a-token"}).data == plain


def test_prefetch_templates_keep_to_what_clients_can_fill() -> None:
    for service in CLIENT.get("/cds-services").get_json()["services"]:
        assert {"patient", "cd4", "viralLoads", "conditions", "allergies", "medications"} <= set(service["prefetch"])
        for template in service["prefetch"].values():
            assert set(re.findall(r"{{(.*?)}}", template)) == {"context.patientId"}
            asked = re.findall(r"[?&]([^=]+)=", template)
            assert set(asked) <= {"patient", "code", "status", "_sort", "_count"}


def test_nothing_sent_out_is_null_or_empty() -> None:
    answers = [CLIENT.get("/cds-services").get_json(), *(ask(CLIENT, request).get_json() for request in LEGAL)]
    empty = [name for answer in answers for name, one in every(answer) if one in (None, "", [], {})]
    assert set(empty) <= {"cards"}


# --- what is refused -------------------------------------------------------------------------------------------------


def text_of(change: Change) -> str:
    return json.dumps(changed(change))


def raw(old: str, new: str) -> bytes:
    """The request's text with one piece of it replaced."""
    text = json.dumps(STARTING)
    assert old in text
    return text.replace(old, new, 1).encode()


NOT_JSON = {
    "empty": b"",
    "blank": b" \n",
    "null": b"null",
    "an array": b"[]",
    "a string": b'"ZZCANARYNAME"',
    "a number": b"1",
    "true": b"true",
    "cut short": json.dumps(STARTING).encode()[:-2],
    "two documents": json.dumps(STARTING).encode() * 2,
    "trailing comma": b'{"hook": "order-sign",}',
    "comment": b'{"hook": "order-sign" /* ZZCANARYNAME */}',
    "single quotes": b"{'hook': 'order-sign'}",
    "not UTF-8 in a member that is read": raw('"order-sign"', '"order-sign"').replace(b"order-sign", b"order-\xff", 1),
    "not UTF-8 in a member that is not": raw('"Lakeshore"', '"Lakeshore"').replace(b"Lakeshore", b"Lake\xffshore"),
    "NaN": raw("120,", "NaN,"),
    "infinity": raw("120,", "Infinity,"),
    "minus infinity": raw("120,", "-Infinity,"),
    "deep nesting in the envelope": b'{"context": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "deep nesting in the extension": raw('{"asOf"', '{"deep": ' + "[" * 200_000 + "]" * 200_000 + ', "asOf"'),
    "lone surrogate where it is read": raw(f'"{STARTING["hookInstance"]}"', '"ZZCANARYID\\ud800"'),
    "lone surrogate where it is not": raw('"Lakeshore"', '"ZZCANARYNAME\\ud83d"'),
    "a CD4 count beyond all numbers": raw("120,", "1e999,"),
    "a CD4 count of 400 digits": raw("120,", "9" * 400 + ","),
    "the hook twice": raw('"hook":', '"hook": "ZZCANARYNAME", "hook":'),
    "the patient twice, once with an escape": raw('"patientId":', '"patient\\u0049d": "ZZCANARYID", "patientId":'),
    "the value twice": raw('"value": 120', '"value": 20, "value": 120'),
    "a member twice that is not read": raw('"city":', '"city": "ZZCANARYNAME", "city":'),
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON.keys())
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    answer = post(body)
    assert answer.status_code == 400
    assert_silent_about_input(answer)


def without(*path: str) -> Change:
    def change(request: dict[str, Any]) -> None:
        for name in path[:-1]:
            request = request[name]
        del request[path[-1]]

    return change


def with_(value: Any, *path: str) -> Change:
    def change(request: dict[str, Any]) -> None:
        for name in path[:-1]:
            request = request[name]
        request[path[-1]] = value

    return change


BAD_ENVELOPES: dict[str, tuple[Change, str]] = {
    "no hook": (without("hook"), "hook"),
    "hook is null": (with_(None, "hook"), "hook"),
    "hook is a number": (with_(1, "hook"), "hook"),
    "hook is empty": (with_("", "hook"), "hook"),
    "no hookInstance": (without("hookInstance"), "hookInstance"),
    "hookInstance is empty": (with_("", "hookInstance"), "hookInstance"),
    "hookInstance is an object": (with_({"ZZCANARYID": 1}, "hookInstance"), "hookInstance"),
    "no context": (without("context"), "context"),
    "context is an array": (with_(["ZZCANARYNAME"], "context"), "context"),
    "context is null": (with_(None, "context"), "context"),
    "no patientId": (without("context", "patientId"), "patientId"),
    "patientId is null": (with_(None, "context", "patientId"), "patientId"),
    "patientId is a number": (with_(123, "context", "patientId"), "patientId"),
    "patientId is empty": (with_("", "context", "patientId"), "patientId"),
    "patientId climbs": (with_("../ZZCANARYID", "context", "patientId"), "patientId"),
    "patientId is a query": (with_("ZZCANARYID?x=", "context", "patientId"), "patientId"),
    "patientId has a space": (with_("a ZZCANARYID", "context", "patientId"), "patientId"),
    "patientId is too long": (with_("a" * 65, "context", "patientId"), "patientId"),
    "patientId ends its line": (with_("starting-art\n", "context", "patientId"), "patientId"),
    "patientId is another type's": (with_("Group/starting-art", "context", "patientId"), "patientId"),
    "no draftOrders": (without("context", "draftOrders"), "draftOrders"),
    "draftOrders is null": (with_(None, "context", "draftOrders"), "draftOrders"),
    "draftOrders is an array": (with_([], "context", "draftOrders"), "draftOrders"),
    "draftOrders is text": (with_("ZZCANARYNAME", "context", "draftOrders"), "draftOrders"),
    "userId is a number": (with_(5, "context", "userId"), "userId"),
    "encounterId is an object": (with_({"ZZCANARYID": 1}, "context", "encounterId"), "encounterId"),
    "selections is text": (with_("ZZCANARYID", "context", "selections"), "selections"),
    "prefetch is an array": (with_([{"ZZCANARYNAME": 1}], "prefetch"), "prefetch"),
    "prefetch is text": (with_("ZZCANARYNAME", "prefetch"), "prefetch"),
    "extension is an array": (with_([], "extension"), "extension"),
    "fhirServer is a number": (with_(5, "fhirServer"), "fhirServer"),
    "fhirAuthorization is text": (with_("ZZCANARYTOKEN", "fhirAuthorization"), "fhirAuthorization"),
}


@pytest.mark.parametrize(("change", "field"), BAD_ENVELOPES.values(), ids=BAD_ENVELOPES.keys())
def test_a_bad_envelope_is_refused_with_its_field_named(change: Change, field: str) -> None:
    answer = post(text_of(change))
    assert answer.status_code == 400
    assert field in answer.get_json(force=True)["issue"][0]["diagnostics"]
    assert_silent_about_input(answer)


def test_an_authorization_without_a_server_is_refused() -> None:
    def lend(request: dict[str, Any]) -> None:
        del request["fhirServer"]
        request["fhirAuthorization"] = {"access_token": "ZZCANARYTOKEN", "token_type": "Bearer"}

    answer = post(text_of(lend))
    assert answer.status_code == 400
    assert "fhirServer" in answer.text
    assert_silent_about_input(answer)


def whose(reference: str, key: str) -> Change:
    def change(request: dict[str, Any]) -> None:
        one = request["prefetch"][key]["entry"][0]["resource"]
        one["patient" if "patient" in one else "subject"] = {"reference": reference}

    return change


def drafted_for(reference: str) -> Change:
    def change(request: dict[str, Any]) -> None:
        request["context"]["draftOrders"]["entry"][0]["resource"]["subject"] = {"reference": reference}

    return change


def lent_for(patient: str) -> Change:
    return with_({"access_token": "ZZCANARYTOKEN", "patient": patient}, "fhirAuthorization")


CONTRADICTIONS: dict[str, Change] = {
    "the hook is another service's": with_("patient-view", "hook"),
    "the hook is nobody's": with_("ZZCANARYNAME", "hook"),
    "the authorization is for another patient": lent_for("ZZCANARYID"),
    "another patient's CD4": whose("Patient/ZZCANARYID", "cd4"),
    "the same id on another server": whose("https://other.example.org/fhir/Patient/starting-art", "viralLoads"),
    "another patient's allergy": whose("Patient/ZZCANARYID", "allergies"),
    "another patient's draft": drafted_for("Patient/ZZCANARYID"),
    "the user is the patient": with_("Patient/starting-art", "context", "userId"),
    "the user is a relative, by an address": with_("https://ehr.example.org/fhir/RelatedPerson/7", "context", "userId"),
    "another Patient": with_({"resourceType": "Patient", "id": "ZZCANARYID"}, "prefetch", "patient"),
}


@pytest.mark.parametrize("change", CONTRADICTIONS.values(), ids=CONTRADICTIONS.keys())
def test_a_contradiction_is_refused_and_nothing_is_dropped(change: Change) -> None:
    answer = post(text_of(change))
    assert answer.status_code == 422
    assert answer.get_json(force=True)["issue"][0]["code"] == "conflict"
    assert_silent_about_input(answer)


FAILED = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "diagnostics": "ZZCANARYNAME"}]}
UNOBTAINABLE: dict[str, tuple[Change, set[str]]] = {
    "no prefetch": (without("prefetch"), {"patient", "cd4", "viralLoads"}),
    "prefetch null": (with_(None, "prefetch"), {"patient", "cd4", "viralLoads"}),
    "prefetch empty": (with_({}, "prefetch"), {"patient", "cd4", "viralLoads"}),
    "patient null": (with_(None, "prefetch", "patient"), {"patient"}),
    "patient absent": (without("prefetch", "patient"), {"patient"}),
    "patient failed": (with_(FAILED, "prefetch", "patient"), {"patient"}),
    "patient unusable": (with_("ZZCANARYNAME", "prefetch", "patient"), {"patient"}),
    "both kinds of result failed": (
        lambda request: request["prefetch"].update(cd4=FAILED, viralLoads=FAILED),
        {"cd4", "viralLoads"},
    ),
    "both kinds of result unusable": (
        lambda request: request["prefetch"].update(cd4="<html>ZZCANARYNAME</html>", viralLoads=[1]),
        {"cd4", "viralLoads"},
    ),
}


@pytest.mark.parametrize(("change", "keys"), UNOBTAINABLE.values(), ids=UNOBTAINABLE.keys())
def test_required_data_that_did_not_come_is_refused_naming_the_keys(change: Change, keys: set[str]) -> None:
    def alone(request: dict[str, Any]) -> None:
        del request["fhirServer"]  # so that there is nowhere to fetch it from
        change(request)

    answer = post(text_of(alone))
    assert answer.status_code == 412
    said = answer.get_json(force=True)["issue"][0]
    assert said["code"] == "processing"
    named = {"patient", "cd4", "viralLoads", "conditions", "medications"} & set(re.findall(r"\w+", said["diagnostics"]))
    assert named == keys
    assert_silent_about_input(answer)


@pytest.mark.parametrize(
    ("status", "path", "more"),
    [
        (404, "/cds-services/ZZCANARYID", {}),
        (404, "/cds-services/immune-status-order-sign/ZZCANARYID", {}),
        (404, "/ZZCANARYID", {}),
        (404, "/cds-services/ZZCANARYID/feedback", {}),
        (405, "/cds-services", {}),
        (415, ORDER_SIGN, {"content_type": "text/plain; note=ZZCANARYNAME"}),
        (415, ORDER_SIGN, {"headers": {"Content-Encoding": "ZZCANARYNAME"}}),
    ],
)
def test_a_request_that_misses_its_address_or_form_is_refused(status: int, path: str, more: dict[str, Any]) -> None:
    answer = post(STARTING, path, **more)
    assert answer.status_code == status
    assert_silent_about_input(answer)


def test_a_body_over_the_limit_is_refused_at_its_byte() -> None:
    body = json.dumps(STARTING).encode()
    client = app_of(CLOCK, max_body_bytes=len(body)).test_client()
    exact = client.post(ORDER_SIGN, data=body, content_type="application/json")
    over = client.post(ORDER_SIGN, data=body + b" ", content_type="application/json")
    assert (exact.status_code, over.status_code) == (200, 413)


def assert_silent_about_input(answer: TestResponse) -> None:
    said = answer.text + str(answer.headers)
    assert not [one for one in (*CANARIES, "Traceback", "msgspec", "jsonschema", "/site-packages/") if one in said]


def at_patient_view(request: dict[str, Any]) -> None:
    request["hook"] = "patient-view"


# Each pair has two defects; what the contract judges first decides.
ORDER_OF_JUDGEMENT = {
    "address before caller": (404, b"", {"path": "/cds-services/none", "environ_base": {"REMOTE_ADDR": "192.0.2.1"}}),
    "method before media type": (405, b"{}", {"path": "/cds-services", "content_type": "text/plain"}),
    "media type before JSON": (415, b"not json", {"content_type": "text/plain"}),
    "JSON before envelope": (400, b"{", {}),
    "envelope before contradiction": (400, text_of(lambda one: (at_patient_view(one), one.pop("hookInstance"))), {}),
    "contradiction before data": (422, text_of(lambda one: (at_patient_view(one), one.pop("prefetch"))), {}),
    "whose it is before what is lacking": (
        422,
        text_of(lambda one: (whose("Patient/another", "cd4")(one), one["prefetch"].pop("patient"))),
        {},
    ),
}


@pytest.mark.parametrize(("status", "body", "more"), ORDER_OF_JUDGEMENT.values(), ids=ORDER_OF_JUDGEMENT.keys())
def test_of_two_defects_the_earlier_judged_decides(status: int, body: bytes | str, more: dict[str, Any]) -> None:
    assert post(body, **more).status_code == status


@pytest.mark.parametrize("more", [{}, {"content_type": "text/plain"}, {"headers": {"Content-Encoding": "gzip"}}])
def test_the_caller_is_judged_before_what_it_sends(more: dict[str, Any]) -> None:
    answer = post(b"not json", environ_base={"REMOTE_ADDR": "192.0.2.1"}, **more)
    assert answer.status_code == 401


# --- what is tolerated -----------------------------------------------------------------------------------------------


def test_a_patient_id_may_come_as_a_reference() -> None:
    named = changed(with_("Patient/starting-art", "context", "patientId"))
    assert ask(CLIENT, named).data == ask(CLIENT, STARTING).data


@pytest.mark.parametrize("name", ["fhirServer", "fhirAuthorization", "extension"])
def test_null_stands_for_an_absent_member(name: str) -> None:
    absent = changed(lambda request: request.pop(name, None))
    service = "/cds-services/immune-status-order-sign"
    assert post(changed(with_(None, name)), service).data == post(absent, service).data
    assert post(absent, service).status_code == 200


@pytest.mark.parametrize("name", ["userId", "encounterId", "selections"])
def test_null_stands_for_an_absent_member_of_the_context(name: str) -> None:
    absent = ask(CLIENT, changed(lambda request: request["context"].pop(name, None)))
    assert absent.status_code == 200
    assert ask(CLIENT, changed(with_(None, "context", name))).data == absent.data


def test_what_older_and_odder_clients_add_is_ignored() -> None:
    def add(request: dict[str, Any]) -> None:
        request |= {"user": "Practitioner/x", "patient": "another", "redirect": "https://x.example", "encounter": None}
        request |= {"oauth": {"token": "ZZCANARYTOKEN"}, "__proto__": {"x": 1}, "preFetchData": {"patient": {}}}
        request["context"] |= {"medications": [], "draftOrder": 1, "patient": "another"}
        request["extension"]["org.example.other"] = [[[["ZZCANARYNAME"]]]]

    assert ask(CLIENT, changed(add)).data == ask(CLIENT, STARTING).data


@pytest.mark.parametrize("instance", ["1", "not a uuid", "ñ" * 500])
def test_any_text_is_a_hook_instance(instance: str) -> None:
    assert len(cards(changed(with_(instance, "hookInstance")))) == len(cards(STARTING))


# --- cards -----------------------------------------------------------------------------------------------------------


def uuids(answer: Any) -> list[str]:
    return [one for name, one in every(answer) if name == "uuid"]


def test_the_same_call_gets_the_same_bytes_and_another_call_other_uuids() -> None:
    first, again = (ask(CLIENT, STARTING) for _ in range(2))
    assert first.data == again.data
    seen = uuids(first.get_json())
    assert len(set(seen)) == len(seen) > 1
    for change in (with_("another", "hookInstance"),):
        other = uuids(ask(CLIENT, changed(change)).get_json())
        assert len(other) == len(seen)
        assert not set(other) & set(seen)


def test_findings_point_to_the_cards_that_say_them() -> None:
    for request in LEGAL:
        CLOCK.set(as_of(request))
        answer = ask(CLIENT, request).get_json()
        known = {card["uuid"]: card["source"]["topic"]["code"] for card in answer["cards"]}
        pointed = [one["card"] for one in answer["extension"][EVALUATION]["findings"] if "card" in one]
        assert set(pointed) == {uuid for uuid, code in known.items() if code != "NotAssessed"}


def gaps_cut(request: Mapping[str, Any], lost: tuple[str, ...], partial: bool) -> dict[str, Any]:
    """The request without some keys, or with them cut short by a page that cannot be followed."""
    short = changed(lambda one: one.pop("fhirServer", None), request)
    for key in lost:
        if partial:
            short["prefetch"][key]["link"] = [{"relation": "next", "url": "https://ehr.example.org/fhir?page=2"}]
        else:
            del short["prefetch"][key]
    return short


OPTIONAL = ("cd4", "viralLoads", "conditions", "allergies", "medications", "labs", "medicationStatements", "orders")
SUBSETS = [
    lost
    for size in range(len(OPTIONAL) + 1)
    for lost in combinations(OPTIONAL, size)
    if not {"cd4", "viralLoads"} <= {*lost}
]


def lint(card: Mapping[str, Any]) -> None:
    """What every card is held to besides its schema."""
    assert len(card["summary"]) < 140
    detail = card["detail"]
    assert not re.search(r"[|<>\t\r]|&\w+;|\]\(|```|https?:", detail), detail
    assert not re.search(r"^\s*(#|\d+\. |={3,}|-{3,})", detail, re.MULTILINE), detail
    assert len([line for line in detail.splitlines() if line]) <= 14, detail
    assert card["source"]["topic"]["code"].isalnum()
    recommended = [one for one in card.get("suggestions", []) if one.get("isRecommended")]
    assert len(recommended) <= 1 or card["selectionBehavior"] == "any"


@pytest.mark.parametrize("partial", [False, True], ids=["absent", "cut short"])
@pytest.mark.parametrize("name", ["cd4-120-starting-art", "cd4-85-sulfonamide-sjs", "results-that-cannot-be-read"])
def test_whatever_is_missing_the_cards_stay_short_and_say_what_they_lack(name: str, partial: bool) -> None:
    request = legal(name)
    CLOCK.set(as_of(request))
    for lost in SUBSETS:
        answer = ask(CLIENT, gaps_cut(request, lost, partial)).get_json()
        evaluation = answer["extension"][EVALUATION]
        unsaid = [card for card in answer["cards"] if card["source"]["topic"]["code"] == "NotAssessed"]
        for card in answer["cards"]:
            lint(card)
        assert len(unsaid) <= 1
        assert all(card["summary"].startswith("Not assessed") for card in unsaid)
        assert not (unsaid and evaluation["complete"]), lost
        if {"conditions", "medications", "cd4"} & {*lost}:
            assert unsaid, lost


def test_what_only_supplements_never_makes_an_answer_incomplete() -> None:
    short = gaps_cut(STARTING, ("medicationStatements", "orders"), partial=False)
    assert ask(CLIENT, short).get_json()["extension"][EVALUATION]["complete"] is True


@pytest.mark.parametrize("request_", LEGAL, ids=lambda one: one["context"]["patientId"])
def test_every_card_of_the_fixtures_reads_well(request_: dict[str, Any]) -> None:
    CLOCK.set(as_of(request_))
    for card in cards(request_):
        lint(card)


DATA = (
    *("cd4-count", "cd4-percent", "viral-load", "baseline-cd4", "art-start-date", "medications", "conditions"),
    *("allergies", "birth-date", "toxoplasma-igg", "g6pd", "hbsag", "crag", "tb-test", "pregnancy"),
)
WHYS = ("was not supplied", "came only in part", "its unit is not known for this test, and its value fits none " * 3)
CALL = HookRequest(hook="order-sign", hook_instance="1", patient_id="1")


@pytest.mark.parametrize("why", WHYS)
def test_a_not_assessed_card_is_short_whichever_data_are_missing(why: str) -> None:
    profile = load_profiles(load())["dhhs"]
    rules = {rule.id: rule for service in SERVICES for rule in service.rules}.values()
    serious = [replace(rule, worst="warning") for rule in rules]
    for size in (1, 2, 3, len(DATA)):
        for missing in combinations(DATA, size):
            gaps = tuple(Gap(datum, why) for datum in missing)
            findings = tuple(
                Finding(rule=rule, outcome="not-assessed", missing=missing, gaps=gaps)
                for rule in (serious if size > 2 else [*serious[:1], *serious[-1:]])
            )
            for shown in (findings, findings[-1:]):
                body = render(Assessment(profile, shown), SERVICES[0], CALL, ANCHOR, "summary")
                assert len(body["cards"][0]["summary"]) < 140
                assert "\n" not in body["cards"][0]["summary"]


def test_a_not_assessed_card_names_a_datum_of_the_advice_it_names() -> None:
    profile = load_profiles(load())["dhhs"]
    first, *_, last = [replace(rule, worst="warning") for rule in SERVICES[0].rules]
    lacks = {first: Gap("allergies", "was not supplied"), last: Gap("viral-load", "came only in part")}
    for order in ((first, last), (last, first)):
        found = tuple(
            Finding(rule=rule, outcome="not-assessed", missing=(lacks[rule].datum,), gaps=(lacks[rule],))
            for rule in order
        )
        summary = render(Assessment(profile, found), SERVICES[0], CALL, ANCHOR, "off")["cards"][0]["summary"].lower()
        named = {rule.id for rule in order if rule.title.lower() in summary}
        blamed = {rule.id for rule in order if ("allergy list" if rule is first else "viral load") in summary}
        assert named
        assert named & blamed


HOSTILE = "ZZCANARYNAME <img src=x onerror=alert(1)> [click](javascript:alert(1)) | a | b |\n\n# \u202e\u200b`x` '; --"
TEXTS = ("display", "text", "family", "given", "city", "valueString", "title", "description", "div", "comment", "note")


def bewitched(node: Any) -> Any:
    """The same chart with a hostile string in every place that is free text."""
    if isinstance(node, dict):
        free = {name: HOSTILE for name in node if name in TEXTS and isinstance(node[name], str)}
        added = {"note": [{"text": HOSTILE}]} if "resourceType" in node and node["resourceType"] != "Bundle" else {}
        return {name: bewitched(one) for name, one in node.items()} | free | added
    return [bewitched(one) for one in node] if isinstance(node, list) else node


@pytest.mark.parametrize("request_", LEGAL, ids=lambda one: one["context"]["patientId"])
def test_no_text_of_the_chart_comes_back(request_: dict[str, Any]) -> None:
    CLOCK.set(as_of(request_))
    bent = bewitched(request_)
    bent["context"] |= {"userId": f"Practitioner/{HOSTILE}", "encounterId": HOSTILE}
    bent["hookInstance"] = HOSTILE
    answer = ask(CLIENT, bent)
    assert answer.status_code == 200
    assert not [piece for piece in ("ZZ", "onerror", "javascript", "\u202e", "\u200b", "; --") if piece in answer.text]
    for card in answer.get_json()["cards"]:
        lint(card)


def test_a_code_counts_and_its_display_does_not() -> None:
    """A draft that calls dolutegravir aspirin is dolutegravir, and the card never says aspirin."""

    def lie(request: dict[str, Any]) -> None:
        for entry in request["context"]["draftOrders"]["entry"]:
            for coding in entry["resource"]["medicationCodeableConcept"]["coding"]:
                coding["display"] = "aspirin"

    honest, lying = (ask(CLIENT, request) for request in (STARTING, changed(lie)))
    assert honest.data == lying.data


def test_every_card_offers_the_same_six_override_reasons() -> None:
    offered = [card["overrideReasons"] for request in LEGAL for card in cards(request)]
    assert len(offered) > 5
    assert all(one == offered[0] for one in offered)
    assert [(one["system"], one["display"]) for one in offered[0]] == [
        (HL7, "Already done or ordered elsewhere"),
        (HL7, "Patient declines"),
        (HL7, "Contraindicated for this patient"),
        (OURS, "Not now, will review"),
        (OURS, "The data are wrong or outdated"),
        (OURS, "I disagree with the recommendation"),
    ]
    assert len({one["code"] for one in offered[0]}) == 6


# --- orders that a click would create --------------------------------------------------------------------------------


def test_a_suggested_order_carries_patient_encounter_and_user() -> None:
    offered = resources(STARTING)
    assert offered
    for one in offered:
        assert one["subject"] == {"reference": "Patient/starting-art"}
        assert one["encounter"] == {"reference": f"Encounter/{STARTING['context']['encounterId']}"}
        assert one["requester"] == {"reference": STARTING["context"]["userId"]}
        assert (one["status"], one["intent"]) == ("draft", "order")


def test_a_suggested_order_leaves_out_what_the_context_does_not_say() -> None:
    def forget(request: dict[str, Any]) -> None:
        del request["context"]["userId"], request["context"]["encounterId"]

    offered = resources(changed(forget))
    assert offered
    assert not [one for one in offered if {"encounter", "requester"} & set(one)]


def test_an_encounter_may_come_as_a_reference() -> None:
    named = changed(with_("Encounter/e1", "context", "encounterId"))
    assert {one["encounter"]["reference"] for one in resources(named)} == {"Encounter/e1"}


# The elements of R4 (4.0.1), by type; an element of several types under each of its names. Those of DomainResource and
# Element stand once.
ANYWHERE = {"id", "extension"}
DOMAIN = {"resourceType", "meta", "implicitRules", "language", "text", "contained", "modifierExtension"}
R4 = {
    "MedicationRequest": """identifier status statusReason intent category priority doNotPerform reportedBoolean
        reportedReference medicationCodeableConcept medicationReference subject encounter supportingInformation authoredOn
        requester performer performerType recorder reasonCode reasonReference instantiatesCanonical instantiatesUri basedOn
        groupIdentifier courseOfTherapyType insurance note dosageInstruction dispenseRequest substitution
        priorPrescription detectedIssue eventHistory""",
    "ServiceRequest": """identifier instantiatesCanonical instantiatesUri basedOn replaces requisition status intent
        category priority doNotPerform code orderDetail quantityQuantity quantityRatio quantityRange subject encounter
        occurrenceDateTime occurrencePeriod occurrenceTiming asNeededBoolean asNeededCodeableConcept authoredOn requester
        performerType performer locationCode locationReference reasonCode reasonReference insurance supportingInfo
        specimen bodySite note patientInstruction relevantHistory""",
    "OperationOutcome": "issue",
    "OperationOutcomeIssue": "modifierExtension severity code details diagnostics location expression",
    "Dosage": """modifierExtension sequence text additionalInstruction patientInstruction timing asNeededBoolean
        asNeededCodeableConcept site route method doseAndRate maxDosePerPeriod maxDosePerAdministration
        maxDosePerLifetime""",
    "DosageDoseAndRate": "type doseRange doseQuantity rateRatio rateRange rateQuantity",
    "Timing": "modifierExtension event repeat code",
    "TimingRepeat": """boundsDuration boundsRange boundsPeriod count countMax duration durationMax durationUnit frequency
        frequencyMax period periodMax periodUnit dayOfWeek timeOfDay when offset""",
    "Quantity": "value comparator unit system code",
    "CodeableConcept": "coding text",
    "Coding": "system version code display userSelected",
    "Reference": "reference type identifier display",
    "Identifier": "use type system value period assigner",
}
TYPE_OF = {
    "issue": "OperationOutcomeIssue",
    "details": "CodeableConcept",
    "dosageInstruction": "Dosage",
    "doseAndRate": "DosageDoseAndRate",
    "timing": "Timing",
    "repeat": "TimingRepeat",
    "doseQuantity": "Quantity",
    "category": "CodeableConcept",
    "medicationCodeableConcept": "CodeableConcept",
    "code": "CodeableConcept",
    "coding": "Coding",
    "subject": "Reference",
    "encounter": "Reference",
    "requester": "Reference",
    "identifier": "Identifier",
    "reasonCode": "CodeableConcept",
}
RESOURCES = ("MedicationRequest", "ServiceRequest", "OperationOutcome")


def foreign(node: Any, kind: str) -> Iterator[str]:
    """The elements of an instance that R4 does not know, with the type they stand in."""
    if isinstance(node, list):
        for one in node:
            yield from foreign(one, kind)
    elif isinstance(node, dict):
        known = ANYWHERE | (DOMAIN if kind in RESOURCES else set()) | set(R4[kind].split())
        yield from (f"{kind}.{name}" for name in node if name not in known)
        for name, one in node.items():
            if isinstance(one, dict | list):
                yield from foreign(one, TYPE_OF[name])


def sent_resources() -> list[dict[str, Any]]:
    """Every resource of every answer to the fixtures, refusals too."""
    sent = []
    for path in request_files():
        request = read(path)
        CLOCK.set(as_of(request))
        answer = ask(CLIENT, request).get_json(force=True)
        sent += [one for _, one in every(answer) if isinstance(one, dict) and "resourceType" in one]
    return sent


def test_every_resource_sent_is_valid_and_keeps_to_the_elements_of_r4() -> None:
    sent = sent_resources()
    assert {one["resourceType"] for one in sent} == set(RESOURCES)
    for one in sent:
        assert get_fhir_model_class(one["resourceType"]).model_validate(one)
        assert not list(foreign(one, one["resourceType"]))


@pytest.mark.parametrize("kind", R4)
def test_r4_and_r4b_agree_on_what_we_send(kind: str) -> None:
    """The models at hand are those of R4B. For these types its elements are those of R4, so what they accept is R4."""
    module = {"OperationOutcomeIssue": "operationoutcome", "DosageDoseAndRate": "dosage", "TimingRepeat": "timing"}
    model = getattr(__import__(f"fhir.resources.R4B.{module.get(kind, kind.lower())}", fromlist=[kind]), kind)
    resource_type = DOMAIN if kind in RESOURCES else set()
    assert set(model.elements_sequence()) | {"resourceType"} == (
        ANYWHERE | resource_type | set(R4[kind].split()) | {"resourceType"}
    )


def test_an_element_that_only_later_releases_know_would_be_found() -> None:
    later = {"resourceType": "MedicationRequest", "medication": {}, "category": [{"coding": [{"codex": 1}]}]}
    with pytest.raises(KeyError):
        list(foreign(later, "MedicationRequest"))
    del later["medication"]
    assert list(foreign(later | {"reason": "x"}, "MedicationRequest")) == ["MedicationRequest.reason", "Coding.codex"]


# --- the evaluation extension ----------------------------------------------------------------------------------------


def test_in_full_every_silent_rule_says_why() -> None:
    findings = ask(CLIENT, STARTING).get_json()["extension"][EVALUATION]["findings"]
    silent = [one for one in findings if one["outcome"] == "silent"]
    assert silent
    assert all(one["because"] for one in silent)


def test_every_rule_of_the_service_is_listed() -> None:
    for service in SERVICES:
        request = next(
            one for one in LEGAL if one["hook"] == service.hook and one["context"]["patientId"] != "prep-no-hiv"
        )
        CLOCK.set(as_of(request))
        findings = ask(CLIENT, request).get_json()["extension"][EVALUATION]["findings"]
        assert [one["rule"] for one in findings] == [rule.id for rule in service.rules]


def test_a_summary_has_no_reasons_and_off_has_nothing() -> None:
    full = ask(CLIENT, STARTING).get_json()
    summary = ask(app_of(CLOCK, explain="summary").test_client(), STARTING).get_json()
    off = ask(app_of(CLOCK, explain="off").test_client(), STARTING).get_json()
    assert full["cards"] == summary["cards"] == off["cards"]
    assert set(off) == {"cards"}
    for one in full["extension"][EVALUATION]["findings"]:
        one.pop("because", None)
    assert summary["extension"] == full["extension"]
