"""The fixture requests in; the answers the service gives them out. `python -m tests.fixture_files` re-makes the responses.

Also the client that the tests of the wire use: it holds every answer against the schemas and headers that all answers share.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from fhir.resources.R4B.operationoutcome import OperationOutcome
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from cds_service.access.trust_file import shape_of
from cds_service.app import create_app
from cds_service.settings import Settings
from cds_service.web.wiring import KEY
from cds_service.wire.validation import validator

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
REQUESTS, RESPONSES = FIXTURES / "requests", FIXTURES / "responses"
EXTENSION = "org.immune-status-cds.fixture"
EVALUATION = "org.immune-status-cds.evaluation"
ANCHOR = date(2026, 11, 20)
LONGEST_OUTCOME = 2048
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WIDTH = 120


def pretty(value: Any, indent: str = "", taken: int = 0) -> str:
    """JSON that reads well: what fits on a line stands on one. `taken`: what else stands on its line."""
    flat = json.dumps(value, ensure_ascii=False)
    if not value or not isinstance(value, dict | list) or len(indent) + taken + len(flat) <= _WIDTH:
        return flat
    deeper = indent + "  "
    if isinstance(value, list):
        parts = [pretty(one, deeper, 1) for one in value]
    else:
        parts = [f"{json.dumps(name)}: {pretty(one, deeper, len(name) + 5)}" for name, one in value.items()]
    opening, closing = "[]" if isinstance(value, list) else "{}"
    return f"{opening}\n{deeper}" + f",\n{deeper}".join(parts) + f"\n{indent}{closing}"


def request_files() -> list[Path]:
    """Every fixture request, the refused ones too."""
    return sorted(REQUESTS.glob("*/*.json"))


def read(path: Path) -> dict[str, Any]:
    """A fixture file's content."""
    content: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return content


def legal(name: str) -> dict[str, Any]:
    """A legal fixture request by its name."""
    return next(read(path) for path in request_files() if path.stem == name)


def response_of(path: Path) -> Path:
    """Where the expected answer to a request stands."""
    return RESPONSES / path.relative_to(REQUESTS)


def as_of(request: Mapping[str, Any]) -> date:
    """The day a request is written for."""
    return date.fromisoformat(request["extension"][EXTENSION]["asOf"])


def service_for(request: Mapping[str, Any]) -> str:
    """The id of the service a request is for: the one it names, else the one of its hook."""
    named: str | None = request.get("extension", {}).get(EXTENSION, {}).get("service")
    return named or f"immune-status-{request['hook']}"


def numbered(answer: Any) -> Any:
    """The same answer with its UUIDs as uuid-1, uuid-2 … in order of appearance."""
    names: dict[str, str] = {}
    return json.loads(_UUID.sub(lambda one: names.setdefault(one[0], f"uuid-{len(names) + 1}"), json.dumps(answer)))


class HeldClient(FlaskClient):
    """A client that lets no answer pass which breaks what the contract promises of all answers."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        answer = super().open(*args, **kwargs)
        hold(answer, answer.request.method, answer.request.path)
        return answer


def hold(answer: TestResponse, method: str, path: str) -> None:
    """Headers, media type and form of one answer."""
    if method == "OPTIONS" and answer.status_code == 204:
        return
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert re.fullmatch(r"\d{4}\.\d+\.\d+", answer.headers["X-Knowledge-Version"])
    if method == "HEAD":
        return
    if answer.status_code >= 400:
        _hold_outcome(answer)
    elif path.startswith("/cds-services"):
        _hold_answer(answer, path)


def _hold_outcome(answer: TestResponse) -> None:
    assert answer.content_type == "application/fhir+json"
    assert len(answer.data) <= LONGEST_OUTCOME
    outcome = OperationOutcome.model_validate_json(answer.data)
    assert [issue.severity for issue in outcome.issue] == ["error"]


def _hold_answer(answer: TestResponse, path: str) -> None:
    assert answer.content_type == "application/json"
    parts = path.strip("/").split("/")
    if len(parts) == 3:
        assert json.loads(answer.data) == {}
    else:
        validator("discovery" if len(parts) == 1 else "response").validate(json.loads(answer.data))


class Clock:
    """A clock that stands where it is put."""

    def __init__(self, day: date = ANCHOR) -> None:
        self.set(day)

    def set(self, day: date) -> None:
        """Noon (UTC) of that day."""
        self.now = datetime.combine(day, time(12), UTC)

    def __call__(self) -> datetime:
        return self.now


def app_of(clock: Callable[[], datetime], **settings: Any) -> Flask:
    """The service in open access, with a database in memory where no other is named."""
    app = create_app(
        Settings(**{"open_access": True, "explain": "full", "database_url": "sqlite://"} | settings), clock
    )
    app.test_client_class = HeldClient
    return app


def lines_of(request: Mapping[str, Any]) -> str:
    """The lines of the trust file that the client of a fixture has about its cards, as JSON; most have none."""
    return json.dumps(request.get("extension", {}).get(EXTENSION, {}).get("client", {}), sort_keys=True)


class Clients:
    """One service by one clock, as each fixture's client sees it."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._made: dict[str, FlaskClient] = {}

    def of(self, request: Mapping[str, Any]) -> FlaskClient:
        lines = lines_of(request)
        if lines not in self._made:
            app = app_of(self._clock)
            app.extensions[KEY] = replace(app.extensions[KEY], shape=shape_of(json.loads(lines)))
            self._made[lines] = app.test_client()
        return self._made[lines]


def ask(client: FlaskClient, request: Mapping[str, Any]) -> TestResponse:
    """Send a request to the service it is for."""
    return client.post(f"/cds-services/{service_for(request)}", json=request)


def answer_to(client: FlaskClient, path: Path, request: Mapping[str, Any]) -> Any:
    """What a response file holds: the body; for a refused request the status with it."""
    answer = ask(client, request)
    body = numbered(answer.get_json(force=True))
    if path.parent.name == "refused":
        return {"status": answer.status_code, "body": body}
    assert answer.status_code == 200, f"{path.name}: {answer.text}"
    return body


def make_responses() -> int:
    """Write every response anew, drop those without a request, and return how many there are."""
    clock = Clock()
    clients = Clients(clock)
    paths = request_files()
    for path in paths:
        request = read(path)
        clock.set(as_of(request))
        response_of(path).parent.mkdir(parents=True, exist_ok=True)
        response_of(path).write_text(pretty(answer_to(clients.of(request), path, request)) + "\n", "utf-8")
    for stale in set(RESPONSES.glob("*/*.json")) - set(map(response_of, paths)):
        stale.unlink()
    return len(paths)


if __name__ == "__main__":
    print(f"{make_responses()} responses written")
