"""A FHIR server and a question in; out comes what it answered, read as plain JSON, or the word why nothing came."""

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from cds_service.outbound.document import fetch_answer
from cds_service.outbound.faults import Failed
from cds_service.outbound.url_guard import Guard

SECONDS = 20.0  # for one question
_MOST_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class Answered:
    """`content` None: nothing came that can be read; then `fault` says why, in a word of `outbound.faults`."""

    content: dict[str, Any] | None
    fault: str = ""
    date: str | None = None

    @property
    def matches(self) -> list[dict[str, Any]]:
        """The resources that a search found, without what only tells about the search."""
        entries = (self.content or {}).get("entry")
        inner = [one.get("resource") for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []
        return [one for one in inner if isinstance(one, dict) and one.get("resourceType") != "OperationOutcome"]


@dataclass(frozen=True, slots=True)
class Server:
    """The one server that is asked. Never shown: it may hold a token."""

    base: str
    guard: Guard
    context: ssl.SSLContext = field(repr=False)
    bearer: str | None = field(default=None, repr=False)

    def ask(self, question: str) -> Answered:
        """What it has at this address below its base."""
        lent: Mapping[str, str] = {"Authorization": f"Bearer {self.bearer}"} if self.bearer else {}
        sent = {"Accept": "application/fhir+json, application/json", **lent}
        url = f"{self.base.rstrip('/')}/{question}"
        try:
            came = fetch_answer(url, self.guard, monotonic() + SECONDS, _MOST_BYTES, self.context, more=sent)
        except Failed as failed:
            return Answered(None, failed.fault)
        try:
            content = json.loads(came.body)
        except (ValueError, RecursionError):
            content = None
        if not isinstance(content, dict):
            return Answered(None, "unreadable", came.date)
        return Answered(content, date=came.date)
