"""Suggestions in; the draft orders that a click would create, change or take away are held here to what a client can use."""

import json
from typing import Any

import pytest
from fhir.resources.R4B.medicationrequest import MedicationRequest

from cds_service.wire import orders
from cds_service.wire.request import HookRequest
from hooks import advice
from hooks.advice import DrugOrder, RemoveDraft, ReplaceDraft
from hooks.knowledge import load
from tests.fixture_files import Clock, app_of, as_of, ask, legal
from tests.test_wire import changed

CLOCK = Clock()
CLIENT = app_of(CLOCK).test_client()
KNOWLEDGE = load()
UNSAFE = legal("tmp-smx-after-sjs")
OF_THE_ORDER = ("id", "identifier", "status", "intent", "category", "priority", "subject", "encounter", "authoredOn")
OF_THE_ORDER += ("requester", "reasonCode", "reasonReference", "groupIdentifier")
OF_ITS_DRUG = (
    "dispenseRequest",
    "note",
    "substitution",
    "text",
    "contained",
    "priorPrescription",
    "medicationReference",
)
OURS = {"medicationCodeableConcept", "dosageInstruction", "resourceType"}
WHOLE = {  # what else a draft can hold
    "reasonReference": [{"reference": "Condition/tmp-smx-after-sjs-problem-1"}],
    "groupIdentifier": {"system": "https://ehr.example.org/visit", "value": "V-17"},
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">TMP-SMX</div>'},
    "contained": [{"resourceType": "Medication", "id": "m1", "code": {"text": "TMP-SMX"}}],
    "priorPrescription": {"reference": "MedicationRequest/earlier"},
    "note": [{"time": "2026-11-20T08:00:00Z", "text": "with a glass of water"}],
}
FREE = {"text", "display"}


def draft_of(request: dict[str, Any]) -> dict[str, Any]:
    return request["context"]["draftOrders"]["entry"][0]["resource"]


def with_more(**elements: Any) -> dict[str, Any]:
    """The request whose draft holds more; an element that is None is left out of it."""

    def change(request: dict[str, Any]) -> None:
        draft = draft_of(request)
        draft.update(elements)
        for name in [name for name, one in draft.items() if one is None]:
            del draft[name]

    return changed(change, UNSAFE)


def actions(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Every action of every suggestion in the answer to a request."""
    CLOCK.set(as_of(request))
    answer = ask(CLIENT, request)
    assert answer.status_code == 200, answer.text
    offered = [one for card in answer.get_json()["cards"] for one in card.get("suggestions", [])]
    return [action for one in offered for action in one["actions"]]


def plain(node: Any) -> Any:
    """Codes, references and identifiers; not the free words beside them."""
    if isinstance(node, dict):
        return {name: plain(one) for name, one in node.items() if name not in FREE}
    return [plain(one) for one in node] if isinstance(node, list) else node


def updated(request: dict[str, Any]) -> list[dict[str, Any]]:
    return [one["resource"] for one in actions(request) if one["type"] == "update"]


# --- a draft that is replaced ------------------------------------------------------------------------------------------


def test_an_update_gives_the_draft_back_whole_with_another_drug() -> None:
    request = with_more(**WHOLE)
    draft, found = draft_of(request), updated(request)
    assert len(found) == 2
    for one in found:
        assert {name: one.get(name) for name in OF_THE_ORDER} == {name: plain(draft[name]) for name in OF_THE_ORDER}
        assert one["medicationCodeableConcept"] != draft["medicationCodeableConcept"]
        assert one["dosageInstruction"] != draft["dosageInstruction"]
        assert set(one) == set(OF_THE_ORDER) | OURS


@pytest.mark.parametrize("name", OF_ITS_DRUG)
def test_an_update_drops_what_was_about_the_old_drug(name: str) -> None:
    assert [one for one in updated(with_more(**WHOLE)) if name in one] == []


@pytest.mark.parametrize("request_", [UNSAFE, with_more(**WHOLE)], ids=["as sent", "with all there can be"])
def test_an_update_is_a_valid_order_for_what_it_says(request_: dict[str, Any]) -> None:
    for one in updated(request_):
        order = MedicationRequest.model_validate(one)
        said = order.medicationCodeableConcept.coding[0].display
        assert "atovaquone" in said or "pentamidine" in said
        assert order.dosageInstruction[0].text


def test_an_update_keeps_the_encounter_and_requester_of_the_draft_not_those_of_the_session() -> None:
    other = {"encounter": {"reference": "Encounter/other"}, "requester": {"reference": "Practitioner/other"}}
    for one in updated(with_more(**other)):
        assert {name: one[name] for name in other} == other


@pytest.mark.parametrize("subject", [{"identifier": {"value": "7"}}, {"reference": "Group/ward"}, {"display": "x"}])
def test_an_update_is_for_the_patient_of_the_context_whatever_the_draft_says(subject: dict[str, Any]) -> None:
    for one in updated(with_more(subject=subject)):
        assert one["subject"] == {"reference": "Patient/tmp-smx-after-sjs"}


@pytest.mark.parametrize(
    "odd",
    [{"identifier": [{"value": "<b>7</b>"}]}, {"groupIdentifier": {"value": "7\u202e"}}, {"priority": "[x](y)"}],
    ids=str,
)
def test_an_update_leaves_out_what_could_be_taken_for_markup(odd: dict[str, Any]) -> None:
    found = updated(with_more(**odd))
    assert len(found) == 2
    for one in found:
        assert not odd.keys() & one.keys()
        assert one["authoredOn"] == draft_of(UNSAFE)["authoredOn"]


def test_an_update_has_those_of_the_session_where_the_draft_has_none() -> None:
    context = UNSAFE["context"]
    found = updated(with_more(encounter=None, requester=None, category=None))
    assert found
    for one in found:
        assert one["encounter"] == {"reference": f"Encounter/{context['encounterId']}"}
        assert one["requester"] == {"reference": context["userId"]}
        assert one["category"][0]["coding"][0]["code"] == "outpatient"


@pytest.mark.parametrize(
    "said", [[{"text": "ask her"}], [{"coding": [{"display": "ask her"}]}]], ids=["text", "display"]
)
def test_of_what_the_draft_says_in_words_only_nothing_is_left_not_even_its_place(said: list[Any]) -> None:
    found = updated(with_more(reasonCode=said))
    assert len(found) == 2
    for one in found:
        assert "reasonCode" not in one
        assert one["identifier"] == draft_of(UNSAFE)["identifier"]
        assert "ask her" not in json.dumps(one)


@pytest.mark.parametrize(
    "broken",
    [
        {"reasonCode": "prophylaxis"},
        {"identifier": {"value": "not a list"}},
        {"authoredOn": "20 November"},
        {"priority": ["routine"]},
        {"category": [{"codes": ["outpatient"]}]},
        {"groupIdentifier": "V-17"},
    ],
    ids=lambda one: next(iter(one)),
)
def test_of_a_draft_that_does_not_hold_only_what_is_ours_is_sent(broken: dict[str, Any]) -> None:
    request = with_more(**broken)
    found = updated(request)
    assert len(found) == 2
    for one in found:
        assert MedicationRequest.model_validate(one)
        assert one["id"] == draft_of(request)["id"]
        assert (one["status"], one["intent"]) == ("draft", "order")
        assert set(one) == OURS | {"id", "status", "intent", "category", "subject", "encounter", "requester"}
        assert one["category"][0]["coding"][0]["code"] == "outpatient"


def test_a_draft_that_an_older_client_sends_without_its_bundle_is_replaced_as_well() -> None:
    def unpack(request: dict[str, Any]) -> None:
        request["context"]["draftOrders"] = draft_of(request)

    found = updated(changed(unpack, UNSAFE))
    assert [one["identifier"] for one in found] == [draft_of(UNSAFE)["identifier"]] * 2


def test_of_several_drafts_each_action_names_its_own() -> None:
    def add(request: dict[str, Any]) -> None:
        other = {**draft_of(request), "id": "draft-2", "identifier": [{"value": "other"}]}
        other["medicationCodeableConcept"] = draft_of(legal("cd4-120-starting-art"))["medicationCodeableConcept"]
        request["context"]["draftOrders"]["entry"].insert(0, {"resource": other})

    found = actions(changed(add, UNSAFE))
    assert {one["resource"]["identifier"][0]["value"] for one in found if one["type"] == "update"} == {
        draft_of(UNSAFE)["identifier"][0]["value"]
    }
    assert [one["resourceId"] for one in found if one["type"] == "delete"] == ["MedicationRequest/draft-1"]


# --- a draft that nothing names ----------------------------------------------------------------------------------------


def test_a_draft_without_an_id_can_be_neither_replaced_nor_taken_out() -> None:
    found = actions(with_more(id=None))
    assert {one["type"] for one in found} == {"create"}
    drugs = [one["resource"]["medicationCodeableConcept"]["text"] for one in found]
    assert [drug.split()[0] for drug in drugs] == ["atovaquone", "pentamidine"]
    assert "id" not in json.dumps([list(one["resource"]) for one in found])


def test_a_removal_names_the_draft_and_carries_nothing_else() -> None:
    found = [one for one in actions(UNSAFE) if one["type"] == "delete"]
    described = "Remove TMP-SMX from these orders"
    assert found == [{"type": "delete", "description": described, "resourceId": "MedicationRequest/draft-1"}]


# --- a regimen of several drugs ----------------------------------------------------------------------------------------

SESSION = HookRequest(hook="patient-view", hook_instance="h", patient_id="p", prefetch={})
SEVERAL = sorted(key for key, one in KNOWLEDGE.regimens.items() if len(one.drugs) > 1)


@pytest.mark.parametrize("key", SEVERAL)
def test_a_regimen_of_several_drugs_is_one_suggestion_of_several_orders(key: str) -> None:
    regimen = KNOWLEDGE.regimens[key]
    found = orders.actions(DrugOrder(regimen), SESSION, KNOWLEDGE)
    assert [one["type"] for one in found] == ["create"] * len(regimen.drugs)
    names = [drug.display for drug in regimen.drugs]
    assert [one["description"] for one in found] == [f"Order {name}" for name in names]
    assert [one["resource"]["medicationCodeableConcept"]["text"] for one in found] == names
    assert len({one["description"] for one in found}) == len(found)


def test_isoniazid_comes_with_pyridoxine_at_one_click() -> None:
    found = actions(legal("tb-test-positive"))
    assert [one["description"] for one in found] == [
        "Order isoniazid 300 MG Oral Tablet",
        "Order pyridoxine hydrochloride 25 MG Oral Tablet",
    ]
    for one in found:
        assert MedicationRequest.model_validate(one["resource"])


def test_a_regimen_of_one_drug_is_described_by_its_label() -> None:
    regimen = KNOWLEDGE.regimens["tmp-smx-ds-daily"]
    assert [one["description"] for one in orders.actions(DrugOrder(regimen), SESSION, KNOWLEDGE)] == [
        f"Order {regimen.label}"
    ]


def test_without_a_dose_the_order_names_the_ingredient_and_says_that_the_dose_is_to_be_set() -> None:
    regimen = KNOWLEDGE.regimens["tmp-smx-ds-daily"]
    (found,) = orders.actions(DrugOrder(regimen, dosed=False), SESSION, KNOWLEDGE)
    assert found["description"] == f"Order {regimen.name}, dose to be set"
    assert "dosageInstruction" not in found["resource"]
    assert found["resource"]["medicationCodeableConcept"]["text"] == regimen.drugs[0].ingredient_display


def test_each_kind_of_suggestion_has_a_label_of_its_own() -> None:
    order = DrugOrder(KNOWLEDGE.regimens["atovaquone-daily"])
    said = [
        orders.label(one, KNOWLEDGE)
        for one in (order, ReplaceDraft("MedicationRequest/1", "dapsone", order), advice.TestOrder("g6pd"))
    ]
    said.append(orders.label(RemoveDraft("MedicationRequest/1", "dapsone"), KNOWLEDGE))
    assert [one.split()[0] for one in said] == ["Order", "Replace", "Order", "Remove"]
    assert len(set(said)) == 4
