"""A number in, the request of that number out: the same for the same seed and day, but for its token, which must be fresh."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any
from uuid import uuid4

from tests.fuzz import authorizing, documents
from tests.fuzz.framing import chunked, framed_oddly
from tests.fuzz.line import message
from tests.fuzz.shapes import put_differently
from tests.fuzz.texts import changed_bytes, changed_text
from tests.fuzz.trust import Client
from tests.fuzz.words import TEXTS

_ELSEWHERE = (
    "http://127.0.0.1:9/fhir",
    "http://localhost:9/fhir",
    "http://169.254.169.254/latest",
    "https://evil.example/r4",
    "http://[::1]:9/",
    "http://2130706433/fhir",
    "file:///etc/passwd",
    "ftp://127.0.0.1/",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What goes over the wire. `broken`: HTTP itself is odd, so that the server may refuse it in its own words or hang up."""

    number: int
    kind: str
    path: str
    sent: bytes
    method: str = "POST"
    broken: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that requests are made from."""

    seed: str
    today: date
    client: Client
    servers: tuple[str, ...]  # FHIR servers that may be asked
    stranger: str  # and one that may not

    def request(self, number: int) -> Request:
        """The request of that number."""
        rng = Random(f"{self.seed}/{number}")  # noqa: S311  (it is to be repeated, not secret)
        kind = rng.choices(tuple(_KINDS), _WEIGHTS)[0]
        path, body = _KINDS[kind](self, rng, number)
        return self._written(rng, number, kind, path, body)

    def _written(self, rng: Random, number: int, kind: str, path: str, body: bytes) -> Request:
        jti = f"{number}-{uuid4()}"
        written: str | None = f"Bearer {self.client.token(path, jti=jti)}"
        if kind == "authorization":
            written = authorizing.authorization(rng, self.client, path, jti)
        headers = {"Host": "cds.example.org", "Content-Type": "application/json", "Content-Length": str(len(body))}
        headers |= {"Authorization": written} if written is not None else {}
        if kind == "http":
            sent, method = framed_oddly(rng, path, headers, body)
            return Request(number=number, kind=kind, path=path, sent=sent, method=method, broken=True)
        if kind != "authorization" and rng.random() < 0.1:
            del headers["Content-Length"]
            headers["Transfer-Encoding"], body = "chunked", chunked(rng, body)
        return Request(number=number, kind=kind, path=path, sent=message("POST", path, headers, body))

    def _fixture(self, rng: Random, _: int) -> tuple[str, bytes]:
        path, content = documents.fixture(rng, self.today)
        return path, _bytes(content)

    def _chart(self, rng: Random, _: int) -> tuple[str, bytes]:
        path, content = documents.chart(rng, self.today)
        return path, _bytes(content)

    def _either(self, rng: Random) -> tuple[str, dict[str, Any]]:
        return documents.fixture(rng, self.today) if rng.random() < 0.4 else documents.chart(rng, self.today)

    def _shape(self, rng: Random, _: int) -> tuple[str, bytes]:
        path, content = self._either(rng)
        return path, _bytes(put_differently(rng, content))

    def _text(self, rng: Random, _: int) -> tuple[str, bytes]:
        path, content = self._either(rng)
        return path, changed_text(rng, json.dumps(content))

    def _byte(self, rng: Random, _: int) -> tuple[str, bytes]:
        path, content = self._either(rng)
        return path, changed_bytes(rng, _bytes(content))

    def _feedback(self, rng: Random, _: int) -> tuple[str, bytes]:
        path, content = documents.feedback(rng)
        which = rng.random()
        if 0.2 < which < 0.7:
            content = put_differently(rng, content)
        body = _bytes(content)
        if which > 0.7:
            body = changed_text(rng, body.decode()) if which < 0.85 else changed_bytes(rng, body)
        return path, body.replace(documents.PATIENT.encode(), documents.COMMENT.encode())  # what is said here is kept

    def _fetch(self, rng: Random, number: int) -> tuple[str, bytes]:
        """Prefetch is lacking, in part or altogether, and a server is named."""
        path, content = self._either(rng)
        allowed = rng.random() < 0.8
        content["fhirServer"] = (
            f"{rng.choice(self.servers)}/n{number}" if allowed else rng.choice((self.stranger, *_ELSEWHERE, *TEXTS))
        )
        lent = {"access_token": documents.LENT, "token_type": "Bearer", "expires_in": 300, "scope": "user/*.read"}
        content["fhirAuthorization"] = lent if rng.random() < 0.8 else put_differently(rng, {"a": lent}, 1).get("a")
        prefetch = content.get("prefetch") or {}
        lacking = set(prefetch) if rng.random() < 0.3 else {one for one in prefetch if rng.random() < 0.3}
        content["prefetch"] = {name: value for name, value in prefetch.items() if name not in lacking}
        return path, _bytes(content)


def _bytes(content: Any) -> bytes:
    return json.dumps(content).encode()


_KINDS: dict[str, Callable[[Plan, Random, int], tuple[str, bytes]]] = {
    "fixture": Plan._fixture,
    "chart": Plan._chart,
    "shape": Plan._shape,
    "text": Plan._text,
    "byte": Plan._byte,
    "http": Plan._chart,
    "feedback": Plan._feedback,
    "authorization": Plan._chart,
    "fetch": Plan._fetch,
}
_WEIGHTS = (4, 6, 42, 10, 10, 8, 8, 6, 6)
