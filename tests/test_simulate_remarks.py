"""What the simulator says of answers that are not as CDS Hooks asks: each defect is named, and what is right is let be."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from cds_service.simulate.judge import judge_call, judge_discovery
from cds_service.simulate.peer import Answer
from cds_service.simulate.remarks import LONGEST, shown
from tests.fixture_files import RESPONSES
from tests.simulated_peer import CARD, SERVICE

JSON = {"content-type": "application/json; charset=utf-8"}
PATIENT = "starting-art"


def answered(content: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status=status, headers=JSON | headers, content=content)


def said(content: Any, status: int = 200, expected: Any = "cards", patient: str = PATIENT) -> list[str]:
    remarks = judge_call(answered(content, status), expected, patient)
    return [f"{one.level}: {one.text}" for one in remarks]


def change(path: str, value: Any = ...) -> Callable[[dict[str, Any]], None]:
    """Set a member of a card, or take it away."""

    def apply(card: dict[str, Any]) -> None:
        *way, last = path.split(".")
        held: Any = card
        for one in way:
            held = held[int(one) if one.isdecimal() else one]
        if value is ...:
            del held[last]
        else:
            held[last] = value

    return apply


def test_a_card_that_is_right_is_let_be() -> None:
    assert said({"cards": [CARD]}) == []
    assert said({"cards": []}) == []
    assert said({"cards": [CARD | {"summary": "µ" * 139}]}) == []
    assert said({"cards": [], "extension": {"org.example.x": None}}) == []


def test_every_answer_among_our_fixtures_is_right() -> None:
    files = [one for one in sorted(RESPONSES.glob("*/*.json")) if one.parent.name != "refused"]
    assert files
    for file in files:
        patients = said(json.loads(file.read_text("utf-8")), patient="anybody")
        assert [one for one in patients if "another patient" not in one] == [], file.name


ACTION = "suggestions.0.actions.0"
DEFECTS = [
    (change("summary"), "fault: card 1: summary is required, as text"),
    (change("summary", "x" * 140), "fault: card 1: summary must have fewer than 140 characters"),
    (change("indicator"), "fault: card 1: indicator must be one of info, warning, critical"),
    (change("indicator", "hard-stop"), "fault: card 1: indicator must be one of info, warning, critical"),
    (change("uuid"), "note: card 1: without a uuid nobody can say what became of it"),
    (change("uuid", 7), "fault: card 1: uuid must be text"),
    (change("detail", ["x"]), "fault: card 1: detail must be text"),
    (change("source"), "fault: card 1: source is required, with a label"),
    (change("source.label"), "fault: card 1, source: label is required, as text"),
    (change("source.url", "/guide"), "fault: card 1, source: url must be an absolute address"),
    (change("source.url", "http://[::"), "fault: card 1, source: url must be an absolute address"),
    (change("source.icon", "http://x.example.org/i.png"), "fault: card 1, source: icon must be an address of https"),
    (change("source.topic", "x"), "fault: card 1, source.topic must be an object with code, system"),
    (change("source.topic", {"code": "x"}), "fault: card 1, source.topic: system is required, as text"),
    (change("suggestions", {}), "fault: card 1: suggestions must be a list of objects"),
    (change("suggestions", ["x"]), "fault: card 1: suggestions must be a list of objects"),
    (change("selectionBehavior"), "fault: card 1: suggestions need a selectionBehavior: at-most-one or any"),
    (change("selectionBehavior", "all"), "fault: card 1: suggestions need a selectionBehavior: at-most-one or any"),
    (change("suggestions.0.label"), "fault: card 1, suggestion 1: label is required, as text"),
    (change("suggestions.0.uuid"), "note: card 1, suggestion 1: without a uuid nobody can say that it was accepted"),
    (change("suggestions.0.uuid", CARD["uuid"]), "fault: a uuid stands at two cards or suggestions"),
    (change(f"{ACTION}.description"), "fault: card 1, suggestion 1, action 1: description is required, as text"),
    (change(f"{ACTION}.type", "add"), "fault: card 1, suggestion 1, action 1: type must be create, update or delete"),
    (change(f"{ACTION}.resource"), "fault: card 1, suggestion 1, action 1: create needs a resource"),
    (change(f"{ACTION}.resource.resourceType"), "fault: card 1, suggestion 1, action 1: create needs a resource"),
    (
        change(f"{ACTION}.resource.subject.reference", "Patient/another"),
        "fault: card 1, suggestion 1, action 1: its resource is about another patient",
    ),
    (change(ACTION, 1), "fault: card 1, suggestion 1: actions must be a list of objects"),
    (change("overrideReasons.0.display"), "fault: card 1, override reason 1: display is required, as text"),
    (change("overrideReasons.0.code"), "fault: card 1, override reason 1: code is required, as text"),
    (change("overrideReasons.0.system"), "fault: card 1, override reason 1: system is required, as text"),
    (change("links.0.url", "guide.html"), "fault: card 1, link 1: url must be an absolute address"),
    (change("links.0.url", "http://x.example.org"), "fault: card 1, link 1: url must be an address of https"),
    (change("links.0.type"), "fault: card 1, link 1: type must be absolute or smart"),
    (change("links.0.label"), "fault: card 1, link 1: label is required, as text"),
    (change("links.0.appContext", "x"), "fault: card 1, link 1: an absolute link has no appContext"),
    (change("detail", None), "fault: cards[0].detail is null or empty: it must be left out"),
]


@pytest.mark.parametrize(("spoil", "expected"), DEFECTS, ids=[one[1] for one in DEFECTS])
def test_a_defect_of_a_card_is_named(spoil: Callable[[dict[str, Any]], None], expected: str) -> None:
    card = copy.deepcopy(CARD)
    if ACTION in expected or (expected.endswith("list of objects") and "actions" in expected):
        card["suggestions"][0]["actions"] = [1]
    else:
        spoil(card)
    assert expected in said({"cards": [card]})


def test_of_suggestions_that_exclude_each_other_one_may_be_recommended() -> None:
    two = [CARD["suggestions"][0], CARD["suggestions"][0] | {"uuid": "6f1e0a4e-0b8c-4a77-9a52-6b1c7d1c9a03"}]
    fault = "fault: card 1: of suggestions of which at most one may be chosen, two are recommended"
    assert said({"cards": [CARD | {"suggestions": two}]}) == [fault]
    assert said({"cards": [CARD | {"suggestions": two, "selectionBehavior": "any"}]}) == []


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ({"resourceId": "MedicationRequest/draft-1"}, []),
        ({}, ["fault: system action 1: delete needs a resourceId"]),
        (
            {"resource": {"resourceType": "MedicationRequest"}},
            ["note: system action 1: delete should name a resourceId; a resource is how older versions did it"],
        ),
    ],
)
def test_a_deletion_names_what_is_deleted(action: dict[str, Any], expected: list[str]) -> None:
    whole = {"type": "delete", "description": "Take it out"} | action
    assert said({"cards": [], "systemActions": [whole]}) == expected


@pytest.mark.parametrize("content", [None, [], {}, {"cards": {}}, {"cards": None}, "cards"])
def test_an_answer_without_a_list_of_cards_is_none(content: Any) -> None:
    assert said(content) == ["fault: an answer must be a JSON object with cards, a list"]


def test_cards_that_are_no_objects_are_named() -> None:
    assert said({"cards": [CARD, "hello"]}) == ["fault: card 2 is not an object"]


def test_json_must_be_called_json() -> None:
    wrong = Answer(status=200, headers={"content-type": "text/html"}, content={"cards": []})
    assert [one.text for one in judge_call(wrong, "cards", PATIENT)] == [
        "Content-Type must be application/json; it is text/html"
    ]
    silent = Answer(status=200, content={"cards": []})
    assert "it is not stated" in next(judge_call(silent, "cards", PATIENT)).text


OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "processing"}]}


@pytest.mark.parametrize(
    ("status", "expected", "words"),
    [
        (412, "cards-or-412", []),
        (412, "cards", ["fault: it says that data are missing, though all that its templates ask for was sent (412)"]),
        (400, "cards-or-412", ["fault: a status that is no answer to this call (400)"]),
        (204, "cards", ["fault: a status that is no answer to this call (204)"]),
        (500, "cards-or-412", ["fault: a status that is no answer to this call (500)"]),
        (302, "cards", ["fault: it sends its caller elsewhere; redirects are not followed (302)"]),
        (
            429,
            "cards",
            ["fault: too many calls at once for it (429)", "note: it does not say when to try again (Retry-After)"],
        ),
        (401, "refusal", []),
        (403, "refusal", ["note: a token that is wrong was refused with 403; 401 is usual"]),
        (200, "refusal", ["fault: a token that is wrong was not refused (200; 401 is expected)"]),
        (500, "refusal", ["fault: a token that is wrong was not refused (500; 401 is expected)"]),
    ],
)
def test_a_status_is_judged_by_what_was_sent(status: int, expected: str, words: list[str]) -> None:
    assert said(OUTCOME, status, expected) == words


def test_a_refusal_should_say_why_and_no_answer_is_a_fault() -> None:
    assert said({}, 412, "cards-or-412") == ["note: a refusal should say why in an OperationOutcome"]
    nothing = Answer(fault="no answer in time")
    assert [one.text for one in judge_call(nothing, "cards", PATIENT)] == ["no answer came: no answer in time"]
    assert [one.text for one in judge_discovery(nothing)] == ["no answer came: no answer in time"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"services": []}, []),
        ({"services": [SERVICE]}, []),
        ({}, ["fault: the answer must be a JSON object with services, a list"]),
        ([], ["fault: the answer must be a JSON object with services, a list"]),
        ({"services": ["x"]}, ["fault: discovery: services must be a list of objects"]),
        (
            {"services": [{"hook": "patient-view", "title": "T"}]},
            [f"fault: service 1: {name} is required, as text" for name in ("id", "description")],
        ),
        (
            {"services": [SERVICE | {"prefetch": {"patient": 1}}]},
            ["fault: service 1: prefetch must be an object of FHIR queries"],
        ),
        (
            {"services": [{name: one for name, one in SERVICE.items() if name != "title"}]},
            ["note: service 1: a title is recommended"],
        ),
        (
            {"services": [SERVICE | {"prefetch": {}}]},
            ["fault: services[0].prefetch is null or empty: it must be left out"],
        ),
    ],
)
def test_discovery_is_judged(content: Any, expected: list[str]) -> None:
    assert [f"{one.level}: {one.text}" for one in judge_discovery(answered(content))] == expected


def test_what_a_service_wrote_cannot_steer_a_terminal_and_is_not_long() -> None:
    assert "\x1b" not in shown("\x1b[2J\nwarning\u202e")
    assert shown("a\nb") == "a\ufffdb"
    assert len(shown("x" * 1000)) == LONGEST + 1
