"""A `traceparent` header (W3C Trace Context) in; the ids of the trace and of the caller's span out."""

import re
from typing import NamedTuple

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")

_LENGTH_OF_00 = 55  # later versions may be longer


class TraceContext(NamedTuple):
    """The trace that a call belongs to, and the span that made it."""

    trace: str
    span: str


def trace_context(header: str | None) -> TraceContext | None:
    """None where there is none, or it is malformed: a trace is then not continued, and nobody is refused for it."""
    found = _TRACEPARENT.fullmatch(header or "")
    if found and found[0].startswith("00") and len(found[0]) != _LENGTH_OF_00:
        return None
    return TraceContext(found[1], found[2]) if found else None
