"""The published OpenAPI document held against the application: its routes, its refusals, its schemas, and every answer it gives."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from cds_service import __version__
from cds_service.wire.interface import family
from cds_service.wire.validation import validator
from hooks import SERVICES
from tests.clients import BASE
from tests.fixture_files import Clock, app_of, as_of, read, request_files, response_of, service_for
from tests.openapi_document import Published
from tests.test_access import Site

CLOCK = Clock()
APP = app_of(CLOCK)
PUBLISHED = Published(json.loads(APP.test_client().get("/openapi.json").data))
PATHS: Mapping[str, Any] = PUBLISHED.document["paths"]
PARTS: Mapping[str, Any] = PUBLISHED.document["components"]
REQUESTS = request_files()


CLIENT = FlaskClient(APP)


# --- the document ----------------------------------------------------------------------------------------------------


def test_it_is_openapi_3_1() -> None:
    OpenAPIV31SpecValidator(PUBLISHED.document).validate()
    assert PUBLISHED.document["info"]["version"] == __version__


@pytest.mark.parametrize("name", PARTS["schemas"])
def test_each_schema_is_draft_2020_12(name: str) -> None:
    Draft202012Validator.check_schema(PARTS["schemas"][name])


def test_every_route_and_method_is_in_the_document_and_the_reverse() -> None:
    written = {
        (address, method.upper()) for address, path in PATHS.items() for method in path if method != "parameters"
    }
    rules = {"<service_id>": "{id}", "<path:filename>": "{filename}"}
    served = set()
    for rule in APP.url_map.iter_rules():
        address = rule.rule
        for theirs, ours in rules.items():
            address = address.replace(theirs, ours)
        served |= {(address, method) for method in rule.methods or ()}
    assert written == served


def test_every_kind_of_refusal_is_in_the_document_with_its_status_and_code() -> None:
    named: dict[str, set[str]] = {}
    for path in PATHS.values():
        for operation in (one for method, one in path.items() if method != "parameters"):
            for status, answer in operation["responses"].items():
                named.setdefault(answer.get("$ref", "").rpartition("/")[2], set()).add(status)
    for kind in family():
        assert named[kind.__name__] == {str(kind.status)}
        schema = PARTS["responses"][kind.__name__]["content"]["application/fhir+json"]["schema"]
        assert schema["properties"]["issue"]["items"]["properties"]["code"]["const"] == kind.issue


def test_it_names_the_services_and_asks_each_for_what_it_needs() -> None:
    assert PARTS["parameters"]["ServiceId"]["schema"]["enum"] == [one.id for one in SERVICES]
    hooks = [PARTS["schemas"][one["$ref"].rpartition("/")[2]] for one in PARTS["schemas"]["HookRequest"]["anyOf"]]
    asked = [(one["properties"]["hook"]["const"], one["allOf"][0]["$ref"].rpartition("/")[2]) for one in hooks]
    assert asked == [(one.hook, "OrderRequest" if one.at_order else "Request") for one in SERVICES]


def test_it_knows_its_own_address_and_whether_tokens_are_looked_at(tmp_path: Path) -> None:
    trusting = Site(tmp_path).client.get("/openapi.json").get_json()
    assert trusting["servers"] == [{"url": BASE}]
    assert trusting["paths"]["/cds-services/{id}"]["post"]["security"] == [{"clientToken": []}]
    assert "servers" not in PUBLISHED.document
    assert PATHS["/cds-services/{id}"]["post"]["security"] == [{"clientToken": []}, {}]
    asking = {address for address, path in PATHS.items() if "get" in path and path["get"]["security"]}
    assert asking == {"/report", "/workbench"}


@pytest.mark.parametrize("page", ["/report", "/workbench"])
def test_a_page_that_nobody_may_see_is_not_in_it(page: str) -> None:
    sealed = app_of(CLOCK, open_access=False, workbench="on").test_client()
    assert page not in sealed.get("/openapi.json").get_json()["paths"]
    assert {sealed.open(page, method=method).status_code for method in ("GET", "POST", "OPTIONS")} == {404}


# --- its schemas are those that judge --------------------------------------------------------------------------------


def test_no_two_schema_files_give_a_schema_one_name() -> None:
    files = ("discovery", "request", "order-request", "response", "feedback", "operation-outcome", "report")
    contents = [validator(name).schema for name in files]
    defined = len(contents) + sum(len(one.get("$defs", {})) for one in contents if isinstance(one, dict))
    hand_written = {"HookRequest", "OrderSign", "OrderSelect", "PatientView"}
    assert len(PARTS["schemas"]) == defined + len(hand_written)


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.stem)
def test_what_is_published_judges_a_request_as_the_service_does(path: Path) -> None:
    request = read(path)
    for name, title in (("request", "Request"), ("order-request", "OrderRequest")):
        published = PUBLISHED.schema("components", "schemas", title)
        assert published.is_valid(request) is validator(name).is_valid(request)


@pytest.mark.parametrize("name", ["Response", "Feedback", "Discovery", "OperationOutcome"])
@pytest.mark.parametrize("value", [{}, {"cards": []}, {"cards": [{}]}, {"feedback": []}, {"services": []}, []])
def test_what_is_published_is_no_laxer(name: str, value: Any) -> None:
    judged = {"OperationOutcome": "operation-outcome"}.get(name, name.lower())
    assert PUBLISHED.schema("components", "schemas", name).is_valid(value) is validator(judged).is_valid(value)


# --- what it shows and promises is what is answered ------------------------------------------------------------------


@pytest.mark.parametrize("path", REQUESTS, ids=lambda path: path.stem)
def test_the_answer_to_each_fixture_is_as_published(path: Path) -> None:
    request = read(path)
    CLOCK.set(as_of(request))
    answer = CLIENT.post(f"/cds-services/{service_for(request)}", json=request)
    expected = read(response_of(path)).get("status") if path.parent.name == "refused" else 200
    assert answer.status_code == expected
    assert not PUBLISHED.faults_of(answer)


def examples() -> Iterator[tuple[str, Any]]:
    for address, path in PATHS.items():
        for method in ("get", "post"):
            content = path.get(method, {}).get("requestBody", {}).get("content", {})
            for one in content.get("application/json", {}).get("examples", {}).values():
                yield address, one["value"]


@pytest.mark.parametrize(("address", "value"), [*examples()])
def test_each_example_of_a_request_is_answered(address: str, value: Any) -> None:
    service = f"immune-status-{value.get('hook', 'order-sign')}"
    answer = CLIENT.post(address.replace("{id}", service), json=value)
    assert answer.status_code == 200
    assert not PUBLISHED.faults_of(answer)


def test_each_example_of_an_answer_is_one() -> None:
    shown = [
        (("paths", address, method, "responses", status, "content", media, "schema"), value)
        for address, path in PATHS.items()
        for method in ("get", "post")
        for status, answer in path.get(method, {}).get("responses", {}).items()
        for media, content in answer.get("content", {}).items()
        for value in [*(one["value"] for one in content.get("examples", {}).values()), *[content.get("example")]]
        if value is not None
    ]
    assert len(shown) == 2
    for pointer, value in shown:
        PUBLISHED.schema(*pointer).validate(value)
