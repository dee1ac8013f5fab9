"""Clients that cannot show or do all that CDS Hooks has: the presets' shapes, each difference, and that nothing is lost by it."""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class

from cds_service.access.trust_file import presets, read_issuers, shape_of
from cds_service.app import create_app
from cds_service.chart.prefetch import KEYS
from cds_service.settings import SettingFault, Settings
from cds_service.wire.fitted import MORE_THAN_ONE, ONE_DRUG, OWN_DOSES
from cds_service.wire.orders import medication_request
from cds_service.wire.shape import ACTIONS, REASONS, STANDARD, Shape
from cds_service.wire.shaped_orders import shaped_order
from tests.fixture_files import legal, read, request_files, response_of
from tests.renderings import KNOWLEDGE, everything

Card = dict[str, Any]
SHAPES = {name: shape_of({"preset": name}) for name in presets()}
UNUSUAL = {name: shape for name, shape in SHAPES.items() if shape != STANDARD} | {
    "create-only": Shape(actions=("create",)),
    "discreet-epic": replace(SHAPES["epic"], discreet=True),
}
each_shape = pytest.mark.parametrize("shape", UNUSUAL.values(), ids=UNUSUAL)


@cache
def pairs(shape: Shape) -> tuple[tuple[Card, Card], ...]:
    """Each card as everybody gets it with that of a client of this shape."""
    return tuple(pair for one in everything() for pair in zip(one.cards(STANDARD), one.cards(shape), strict=True))


def suggestions(card: Card) -> list[Card]:
    return list(card.get("suggestions", ()))


def actions(card: Card) -> Iterator[Card]:
    yield from (action for one in suggestions(card) for action in one["actions"])


def answer(name: str) -> list[Card]:
    """The cards of a fixture."""
    path = next(path for path in request_files() if path.stem == name)
    return list(read(response_of(path))["cards"])


# --- whatever the shape ----------------------------------------------------------------------------------------------


@each_shape
def test_what_is_said_stays_said(shape: Shape) -> None:
    for plain, card in pairs(shape):
        assert (plain["uuid"], plain["indicator"]) == (card["uuid"], card["indicator"])
        lines = [line for line in plain["detail"].splitlines() if line]
        assert [line for line in lines if line not in card["detail"]] == []
        assert shape.discreet or plain["summary"] == card["summary"]


@each_shape
def test_an_order_that_cannot_be_placed_is_named_to_be_placed_by_hand(shape: Shape) -> None:
    for plain, card in pairs(shape):
        kept = {one["uuid"] for one in suggestions(card)}
        for one in suggestions(plain):
            drug = re.sub(r"^(Order|Replace .+ by) ", "", one["label"])
            told = drug in card["detail"] or one["label"][:1].lower() + one["label"][1:] in card["detail"]
            assert one["uuid"] in kept or told


@each_shape
def test_a_client_gets_only_what_it_can_do(shape: Shape) -> None:
    for _, card in pairs(shape):
        assert {one["type"] for one in actions(card)} <= set(shape.actions)
        assert card.get("selectionBehavior", shape.selection[0]) in shape.selection
        assert ("suggestions" in card) == ("selectionBehavior" in card)
        assert not shape.one_action or all(len(one["actions"]) == 1 for one in suggestions(card))
        marked = [one for one in suggestions(card) if "isRecommended" in one]
        assert len(marked) <= 1 or card["selectionBehavior"] == "any"


@each_shape
def test_every_order_of_every_shape_is_fhir_and_of_the_same_drug_or_test(shape: Shape) -> None:
    seen: set[str] = set()
    for plain, card in pairs(shape):
        meant = {str(one["resource"][_named(one["resource"])]["text"]) for one in actions(plain) if "resource" in one}
        for one in (one["resource"] for one in actions(card) if "resource" in one):
            assert one[_named(one)]["text"] in meant
            assert one["subject"]["reference"].startswith("Patient/")
            kind = str({name: value for name, value in one.items() if name not in ("subject", "encounter", "id")})
            if kind not in seen:
                get_fhir_model_class(one["resourceType"]).model_validate(one)
                seen.add(kind)
    assert seen


def _named(resource: Card) -> str:
    return "medicationCodeableConcept" if resource["resourceType"] == "MedicationRequest" else "code"


def test_a_client_that_preselects_what_is_recommended_never_gets_two_drugs_chosen() -> None:
    several = 0
    for plain, card in pairs(SHAPES["epic"]):
        drugs = [one for one in suggestions(card) if "medicationCodeableConcept" in str(one["actions"])]
        if len(drugs) > 1:
            several += 1
            assert not [one for one in suggestions(card) if "isRecommended" in one]
            assert ONE_DRUG in card["detail"]
            words = [one["label"] for one in suggestions(card) if one["label"].endswith(" (recommended)")]
            assert len(words) == len([one for one in suggestions(plain) if "isRecommended" in one])
    assert several > 10


def test_what_users_of_epic_read_stands_alone() -> None:
    for _, card in pairs(SHAPES["epic"]):
        for one in actions(card):
            assert re.match(r"(Order|Remove) \S", one["description"])
            assert not re.search(r"[*_`#|<>\n]", one["description"])


def test_a_topic_is_a_key_that_every_client_can_hold() -> None:
    codes = {card["source"]["topic"]["code"] for card, _ in pairs(SHAPES["epic"])}
    assert [one for one in codes if not re.fullmatch(r"[A-Za-z0-9]{1,100}", one)] == []


def test_no_card_has_what_some_client_removes_or_cannot_draw() -> None:
    """Links that a health system has not registered, system actions; tables, headings, images and HTML in the detail."""
    for card, _ in pairs(SHAPES["epic"]):
        assert not {"links", "systemActions"} & card.keys()
        assert not re.search(r"^\s*(\||#|>|!\[|```)|<[a-zA-Z/!]|\]\(|\*\*|__", card["detail"], re.MULTILINE)


# --- each difference and its fixture ---------------------------------------------------------------------------------


def test_a_client_that_knows_any_alone_gets_any_and_the_word() -> None:
    card = answer("client-knows-any-only")[0]
    assert card["selectionBehavior"] == "any"
    assert suggestions(card)[0]["label"] == "Order TMP-SMX double strength, 1 tablet daily (recommended)"
    assert suggestions(card)[0]["actions"][0]["description"].endswith(" (recommended)")
    assert f"- {ONE_DRUG}" in card["detail"]
    assert suggestions(answer("client-knows-any-only")[2])[0]["isRecommended"] is True  # the only one there


def test_a_client_that_cannot_update_gets_the_order_beside_the_draft_and_is_told() -> None:
    card = answer("client-cannot-update")[0]
    assert [one["type"] for one in actions(card)] == ["create"] * 5 + ["delete"]
    assert not [one for one in actions(card) if "id" in one.get("resource", {})]
    assert "- What is ordered beside dapsone does not end it: take that out as well." in card["detail"]
    assert suggestions(card)[-1]["label"] == "Remove dapsone from these orders"


def test_a_client_with_one_action_a_suggestion_never_gets_half_a_regimen() -> None:
    card = answer("client-takes-one-action")[0]
    assert "suggestions" not in card
    assert "- To be ordered by hand, together: isoniazid 300 mg with pyridoxine 25 mg daily." in card["detail"]


def test_a_client_that_orders_from_its_catalogue_gets_its_own_codes_first() -> None:
    found = answer("client-orders-from-its-catalogue")[1]
    codes = [[one["code"] for one in action["resource"]["code"]["coding"]] for action in actions(found)]
    assert codes == [["CD4COUNT", "24467-3"], ["HIVVL", "20447-9"]]
    assert {action["resource"]["intent"] for action in actions(found)} == {"proposal"}


def test_a_client_whose_doses_are_its_own_warns_of_it() -> None:
    assert f"- {OWN_DOSES}" in answer("client-knows-any-only")[0]["detail"]
    assert OWN_DOSES not in answer("client-orders-from-its-catalogue")[1]["detail"]


def test_a_client_that_needs_route_and_supply_gets_both_and_is_told() -> None:
    card = answer("client-needs-route-and-supply")[0]
    for one in (action["resource"] for action in actions(card)):
        assert one["dosageInstruction"][0]["route"]["coding"][0]["code"] == "26643006"
        assert one["dispenseRequest"]["numberOfRepeatsAllowed"] == 0
    assert [action["resource"]["dispenseRequest"]["quantity"]["value"] for action in actions(card)] == [28, 28, 42000]
    assert "- A drug order is for 28 days, without repeats: change what does not fit." in card["detail"]


@pytest.mark.parametrize(
    ("regimen", "amount"),
    [
        ("clarithromycin-twice-daily", 56),
        ("azithromycin-weekly", 8),
        ("azithromycin-twice-weekly", 8),
        ("pentamidine-monthly", 300),
        ("itraconazole-daily", 56),
    ],
)
def test_a_supply_is_counted_from_the_dose(regimen: str, amount: int) -> None:
    (drug,) = KNOWLEDGE.regimens[regimen].drugs
    found = shaped_order(medication_request(drug, dosed=True), SHAPES["openmrs"], KNOWLEDGE)
    assert found["dispenseRequest"]["quantity"]["value"] == amount
    assert "dispenseRequest" not in shaped_order(medication_request(drug, dosed=False), SHAPES["openmrs"], KNOWLEDGE)


def test_a_client_of_the_first_version_gets_nothing_it_does_not_know() -> None:
    cards = answer("client-of-cds-hooks-1")
    text = str(cards)
    assert not [word for word in ("isRecommended", "overrideReasons", "'topic'", "'any'") if word in text]
    assert [one["label"] for one in suggestions(cards[1])] == [
        "Order CD4 count (recommended)",
        "Order HIV viral load (recommended)",
    ]
    assert f"- {MORE_THAN_ONE}" in cards[1]["detail"]


def test_a_client_that_shows_fewer_reasons_gets_those_in_its_order() -> None:
    for card in answer("client-shows-three-override-reasons"):
        assert [one["code"] for one in card["overrideReasons"]] == ["action-completed", "patient-refuses", "not-now"]


def test_each_fixture_of_a_client_differs_from_what_everybody_gets() -> None:
    named = [path.stem for path in request_files() if path.stem.startswith("client-")]
    assert len(named) == 10
    for name in named:
        asked = next(one for one in everything() if one.asked.patient_id == name)
        assert asked.cards(STANDARD) != asked.cards(
            shape_of(legal(name)["extension"]["org.immune-status-cds.fixture"]["client"])
        )


# --- where it is said ------------------------------------------------------------------------------------------------


def test_what_nothing_is_known_of_gets_what_cds_hooks_allows() -> None:
    assert [name for name, one in SHAPES.items() if one == STANDARD] == ["standard", "sandbox", "meld"]
    assert STANDARD.override_reasons == REASONS
    assert STANDARD.actions == ACTIONS


ENTRY = '[[issuer]]\niss = "https://ehr.example.org"\njwks = "https://ehr.example.org/jwks"\n'


def issuer_shape(folder: Path, lines: str) -> Shape:
    file = folder / "issuers.toml"
    file.write_text(ENTRY + lines, "utf-8")
    (issuer,) = read_issuers(str(file), KEYS[1:])
    assert issuer.shape
    return issuer.shape


def test_an_issuer_may_differ_from_its_preset(tmp_path: Path) -> None:
    lines = (
        'preset = "epic"\nselection = ["at-most-one", "any"]\nown_doses = false\norder_items = { "24467-3" = "CD4" }\n'
    )
    found = issuer_shape(tmp_path, lines)
    assert found == replace(
        SHAPES["epic"], selection=("at-most-one", "any"), own_doses=False, order_items={"24467-3": "CD4"}
    )


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ('selection = ["all"]', "selection"),
        ("selection = []", "selection"),
        ('actions = ["patch"]', "actions"),
        ('one_action = "yes"', "one_action"),
        ('override_reasons = ["later"]', "override_reasons"),
        ('leaves_out = ["summary"]', "leaves_out"),
        ('order_intent = "wish"', "order_intent"),
        ("order_supply_days = 400", "order_supply_days"),
        ('order_items = { "24467-3" = "CD4" }', "item_system"),
        ('item_system = "urn:x:y"\norder_items = { "24467-3" = "" }', "order_items"),
        ("discreet = 1", "discreet"),
    ],
)
def test_nonsense_about_a_shape_starts_nothing_and_is_named(tmp_path: Path, lines: str, named: str) -> None:
    with pytest.raises(SettingFault, match=named):
        issuer_shape(tmp_path, lines)


def test_the_demo_can_be_seen_as_the_client_of_a_preset() -> None:
    with pytest.raises(SettingFault, match="CDS_CLIENT"):
        create_app(Settings(open_access=True, database_url="sqlite://", client="nobody"))


def test_there_are_regimens_of_several_orders_to_be_kept_whole() -> None:
    assert any(len(one["actions"]) > 1 for card, _ in pairs(SHAPES["epic"]) for one in suggestions(card))
