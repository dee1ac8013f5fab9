"""An answer in, what no answer may ever break held against it."""

import json
import re

from tests.attack.golden import CANARIES
from tests.attack.line import Answer
from tests.attack.tables import Case
from tests.fixture_files import EVALUATION

LONGEST_OUTCOME = 2048
_TELLING = re.compile(
    r"Traceback|\bFile \"|\.py\b|site-packages|\.sqlite|\b[A-Z]\w*(?:Error|Exception|Warning)\b"
    r"|(?i:gunicorn|werkzeug|flask|python|pyjwt|sqlalchemy)\b"
)


_FIRST: dict[int, tuple[str, ...]] = {}  # the first 401, which all others must equal


def hold_row(case: Case, method: str, answer: Answer) -> None:
    """One answer against its row, and against what holds for all."""
    assert case.statuses or answer.status in _statuses(case), f"{answer.status}: {answer.written}"
    if answer.status == 0:  # the connection was closed without a word
        return
    hold(case, method, answer)
    for name, value in case.answer_headers.items():
        assert answer.header(name) == value
    assert not [one for one in case.present if one not in answer.written], answer.written
    assert not [one for one in case.absent if one in answer.written], answer.written
    if case.complete is not None:
        assert json.loads(answer.body)["extension"][EVALUATION]["complete"] is case.complete


def hold_crowd(case: Case, came: list[int]) -> None:
    """How often each status came, where a row says so."""
    if case.statuses:
        assert {str(status): came.count(status) for status in came} == case.statuses


def hold(case: Case, method: str, answer: Answer) -> None:
    """What is true of every answer, whatever was asked."""
    assert answer.status < 500 or answer.status in _statuses(case), f"{answer.status}: {answer.body!r}"
    assert not re.search(r"\d|/", answer.header("Server") or ""), "the server tells its version"
    if answer.status == 204:
        _hold_origin(case, answer)
        return
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert re.fullmatch(r"\d{4}\.\d+\.\d+", answer.header("X-Knowledge-Version") or "")
    _hold_origin(case, answer)
    if answer.status >= 400:
        _hold_refusal(method, answer)


def _statuses(case: Case) -> tuple[int, ...]:
    stated = [case.status] if isinstance(case.status, int) else case.status
    return (*stated, *(int(one) for one in case.statuses or ()))


def _hold_origin(case: Case, answer: Answer) -> None:
    assert answer.header("Access-Control-Allow-Origin") == case.origin, (
        "a page may read this that should not, or the reverse"
    )
    assert answer.header("Access-Control-Allow-Credentials") is None
    if case.by == "service":
        assert "Origin" in (answer.header("Vary") or "")


def _hold_refusal(method: str, answer: Answer) -> None:
    assert answer.header("Content-Type") == "application/fhir+json"
    assert len(answer.body) <= LONGEST_OUTCOME
    assert not [one for one in CANARIES if one in answer.written], "something of the input comes back"
    assert "ZZEVIL" not in answer.written, "something of the input comes back"
    found = _TELLING.search(answer.body.decode("utf-8", "replace"))
    assert not found, f"the refusal tells too much: {found and found[0]}"
    if answer.status in (429, 503):
        assert int(answer.header("Retry-After") or 0) > 0
    if method != "HEAD":
        _hold_outcome(json.loads(answer.body))


def _hold_outcome(content: dict[str, object]) -> None:
    assert content["resourceType"] == "OperationOutcome"
    issues = content["issue"]
    assert isinstance(issues, list)
    assert [one["severity"] for one in issues] == ["error"]


def hold_alike(method: str, answer: Answer) -> None:
    """Every 401 is the same, to the byte, but for its date: nobody learns what was wrong with a token."""
    if answer.status != 401 or method == "HEAD":
        return
    assert answer.header("WWW-Authenticate") == "Bearer"
    passing = ("date", "connection", "access-control-allow-origin", "x-correlation-id")
    headers = sorted(f"{name.lower()}: {value}" for name, value in answer.headers if name.lower() not in passing)
    seen = (*headers, answer.body.decode())
    assert _FIRST.setdefault(401, seen) == seen, "a 401 differs from the first one"
