"""A request and an answer to it in, what is wrong with the answer out; None where all is as it is promised."""

import json
import re

from cds_service.wire.validation import validator
from tests.fuzz.documents import COMMENT, LENT, NAME, PATIENT
from tests.fuzz.line import Answer
from tests.fuzz.requests import Request

LONGEST_OUTCOME = 2048
LONGEST_SECONDS = 5.0
_BY_THE_SERVER = (400, 405, 408, 411, 413, 414, 417, 431, 501, 505)  # in words of its own, where HTTP itself is broken
_UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DIGITS = bytes.maketrans(b"123456789", b"000000000")
_fitting: set[int] = set()
_VERSION = re.compile(r"\d{4}\.\d+\.\d+")


def fault_of(request: Request, answer: Answer, limit: int) -> str | None:
    """The first that is wrong."""
    if answer.status == 0:
        return None if request.broken or len(request.sent) > limit else "no answer"
    return (
        _status(request, answer)
        or _leak(answer)
        or _headers(request, answer)
        or (_outcome(answer) if answer.status >= 400 and request.method != "HEAD" else _cards(request, answer))
    )


def _is_own(answer: Answer) -> bool:
    """Whether the service made it; else gunicorn did, before the service saw a request."""
    return answer.header("x-knowledge-version") is not None


def _status(request: Request, answer: Answer) -> str | None:
    status = answer.status
    if status in (429, 503):
        return f"{status} though the load is low"
    if status >= 500 and not (request.broken and status in _BY_THE_SERVER):
        return str(status)
    if request.kind == "chart" and status != 200:
        return f"{status} to a good request"
    if status == 401 and request.kind not in ("authorization", "http"):
        return "401 to a good token"
    return f"{answer.seconds:.1f} seconds" if answer.seconds > LONGEST_SECONDS else None


def _leak(answer: Answer) -> str | None:
    written = answer.body + "".join(f"{name}: {value}\n" for name, value in answer.headers).encode()
    never = (NAME, LENT, COMMENT, *((PATIENT,) if answer.status >= 400 else ()))
    found = next((one for one in never if one.encode() in written), None)
    return f"{found} comes back" if found else None


def _headers(request: Request, answer: Answer) -> str | None:
    if not _is_own(answer):
        odd = request.broken or request.kind == "authorization"  # a header may be too long, or no header at all
        expected = odd and answer.status in _BY_THE_SERVER and len(answer.body) <= LONGEST_OUTCOME
        return None if expected else "not an answer of the service"
    promised = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    wrong = [name for name, value in promised.items() if answer.header(name) != value]
    if not _VERSION.fullmatch(answer.header("x-knowledge-version") or ""):
        wrong.append("x-knowledge-version")
    if answer.header("access-control-allow-origin") is not None:
        wrong.append("access-control-allow-origin")
    return f"header {', '.join(wrong)}" if wrong else None


def _outcome(answer: Answer) -> str | None:
    if not _is_own(answer):
        return None
    if answer.header("content-type") != "application/fhir+json" or len(answer.body) > LONGEST_OUTCOME:
        return "a refusal of the wrong type or size"
    try:
        content = json.loads(answer.body)
        severities = [one["severity"] for one in content["issue"]]
        return (
            None if (content["resourceType"], severities) == ("OperationOutcome", ["error"]) else "no OperationOutcome"
        )
    except (ValueError, KeyError, TypeError):
        return "no OperationOutcome"


def _cards(request: Request, answer: Answer) -> str | None:
    """An answer to a hook fits the schema; one to feedback is empty. Other addresses are asked by odd HTTP only."""
    if request.broken or answer.status != 200:
        return None if request.broken else f"{answer.status} is no status of the contract"
    try:
        content = json.loads(answer.body)
    except ValueError:
        return "no JSON"
    if request.path.endswith("/feedback"):
        return None if content == {} else "feedback is answered with something"
    return _schema_fault(content, _UUID.sub(b"u", answer.body).translate(_DIGITS))


def _schema_fault(content: object, likeness: bytes) -> str | None:
    """The schema takes longer than the service: what differs from an answer that fitted in its digits alone fits too."""
    if hash(likeness) in _fitting:
        return None
    wrong = next(validator("response").iter_errors(content), None)
    if wrong:
        return f"the answer does not fit its schema at {list(wrong.absolute_path)}"
    _fitting.add(hash(likeness))
    return None
