"""Charts in which every text is hostile in; proof that no answer and no refusal carries a piece of it."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.fixture_files import Clock, app_of, as_of, ask, read, request_files
from tests.hostile_texts import ADDED, CODES, HOSTILE, MARK, PIECES, VALUES, concepts, places, put, resources, strings

CLOCK = Clock()
APP = app_of(CLOCK)
CLIENT, BARE = APP.test_client(), FlaskClient(APP)
FILES = request_files()


def send(path: Path, request: dict[str, Any], client: FlaskClient = BARE) -> TestResponse:
    CLOCK.set(as_of(read(path)))
    return ask(client, request)


def leaked(answer: TestResponse) -> list[str]:
    """The strings of an answer, its headers too, that hold a piece of what was put into the request."""
    said = [*strings(answer.get_json(force=True)), *(text for pair in answer.headers for text in pair)]
    return [one for one in said if any(piece in one for piece in PIECES)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_hostile_text_in_any_one_place_comes_back_nowhere(path: Path) -> None:
    request = read(path)
    for place in places(request):
        answer = send(path, put(request, place, HOSTILE))
        assert answer.status_code in (200, 400, 404, 412, 422), place
        assert not leaked(answer), place


GIVEN_BACK = {"id", "identifier", "status", "intent", "category", "priority", "encounter", "authoredOn", "requester"}
GIVEN_BACK |= {"reasonCode", "reasonReference", "groupIdentifier"}  # of the draft itself, when it is offered changed


def without_what_is_given_back(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer less what tells the client which of its own orders is meant, and for which encounter and user."""
    left = copy.deepcopy(answer)
    for card in left.get("cards", ()):
        for action in (one for offered in card.get("suggestions", ()) for one in offered["actions"]):
            action.pop("resourceId", None)
            for name in GIVEN_BACK if action["type"] == "update" else {"encounter", "requester"}:
                action.get("resource", {}).pop(name, None)
    return left


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_code_or_id_of_the_client_comes_back_only_as_the_name_of_its_own_order(path: Path) -> None:
    request = read(path)
    for place in places(request):
        answer = send(path, put(request, place, MARK)).get_json(force=True)
        assert MARK not in json.dumps(without_what_is_given_back(answer)), place


@pytest.mark.parametrize("name", ADDED)
def test_what_the_fixtures_do_not_say_comes_back_nowhere_either(name: str) -> None:
    for path in FILES:
        request = read(path)
        for one in list(resources(request)):
            one[name] = ADDED[name]
        answer = send(path, request, CLIENT)
        assert not leaked(answer), path


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_hostile_result_is_at_most_unreadable(value: dict[str, Any]) -> None:
    for path in FILES:
        request = read(path)
        for one in resources(request):
            if one["resourceType"] == "Observation":
                for name in [name for name in one if name.startswith("value")]:
                    del one[name]
                one.update(value)
        assert not leaked(send(path, request, CLIENT)), path


@pytest.mark.parametrize("code", CODES.values(), ids=CODES)
def test_a_hostile_concept_is_at_most_unknown(code: dict[str, Any]) -> None:
    for path in FILES:
        request = read(path)
        for one in list(concepts(request)):
            one.update(code)
        assert not leaked(send(path, request, CLIENT)), path


def test_a_draft_of_a_hostile_id_cannot_be_named_so_nothing_is_offered_to_be_done_with_it() -> None:
    path = next(one for one in FILES if one.stem == "tmp-smx-after-sjs")
    request = read(path)
    request["context"]["draftOrders"]["entry"][0]["resource"]["id"] = "draft-1<img>"
    kinds = {
        action["type"]
        for card in send(path, request, CLIENT).get_json()["cards"]
        for offered in card["suggestions"]
        for action in offered["actions"]
    }
    assert kinds == {"create"}
