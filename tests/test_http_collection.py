"""The collection for .http clients, read as they read it and sent to the demo: each request gets the status its title promises."""

import json
import re
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pytest
from flask.testing import FlaskClient

from cds_service.demo.run import demo_app
from cds_service.settings import Settings
from tests.fixture_files import ANCHOR, legal

PATH = Path(__file__).resolve().parents[1] / "docs" / "immune-status.http"
TEXT = PATH.read_text("utf-8")
VARIABLES = dict(re.findall(r"^@(\w+) = (.+)$", TEXT, re.MULTILINE))
DAY = date.fromisoformat(VARIABLES["today"])
SHOWN = "cd4-120-starting-art"


class Asked(NamedTuple):
    """One request of the collection."""

    title: str
    status: int
    method: str
    path: str
    headers: dict[str, str]
    body: str


def read(block: str) -> Asked:
    """A title with its status, the request line, headers, an empty line, and a body or the file that holds it."""
    title, _, rest = block.partition("\n")
    head, _, body = rest.strip().partition("\n\n")
    line, *headers = head.splitlines()
    method, address = line.split(" ")
    promised = re.search(r": (\d{3})(?:,|$)", title)
    assert promised, f"no status in: {title}"
    if body.startswith("< "):
        body = (PATH.parent / body[2:].strip()).read_text("utf-8")
    path = address.removeprefix(VARIABLES["address"])
    named = dict(one.split(": ", 1) for one in headers)
    return Asked(title.strip(), int(promised[1]), method, path, named, body)


def filled(text: str) -> str:
    """Each variable replaced; one that is not defined is a fault."""
    return re.sub(r"{{(\w+)}}", lambda one: VARIABLES[one[1]], text)


COLLECTION = [read(block) for block in filled(TEXT).split("\n###")[1:]]
SIGN = next(one for one in COLLECTION if one.path == "/cds-services/immune-status-order-sign")


def new_client() -> FlaskClient:
    settings = Settings(open_access=True, explain="full", database_url="sqlite://", public_url=VARIABLES["address"])
    return demo_app(settings, DAY).test_client()


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return new_client()


@pytest.mark.parametrize("asked", COLLECTION, ids=lambda asked: asked.title)
def test_a_request_gets_the_status_that_its_title_promises(client: FlaskClient, asked: Asked) -> None:
    answer = client.open(asked.path, method=asked.method, headers=asked.headers, data=asked.body.encode())
    assert answer.status_code == asked.status


def test_it_leaves_no_address_out(client: FlaskClient) -> None:
    paths = {one.path for one in COLLECTION}
    documented = client.get("/openapi.json").get_json()["paths"].keys() - {"/static/{filename}"}
    patterns = {re.sub(r"{\w+}", "[a-z-]+", path) for path in documented}
    assert [one for one in patterns if not any(re.fullmatch(one, path) for path in paths)] == []


def test_the_body_it_shows_is_the_fixture() -> None:
    assert ANCHOR == DAY
    assert json.loads(SIGN.body) == legal(SHOWN)


def test_every_date_it_shows_is_a_variable_but_for_a_birth_date() -> None:
    shown = TEXT[TEXT.index("{\n") :]
    assert re.findall(r'(?<!"birthDate": ")\b\d{4}-\d{2}-\d{2}', shown) == []


def test_its_feedback_is_about_a_card_that_the_order_gets() -> None:
    client = new_client()  # once the feedback of the collection was sent, its card is silent for a while
    cards = client.post(SIGN.path, headers=SIGN.headers, data=SIGN.body.encode()).get_json()["cards"]
    assert VARIABLES["card"] == cards[0]["uuid"]
    assert VARIABLES["suggestion"] == cards[0]["suggestions"][0]["uuid"]
