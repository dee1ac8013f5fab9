"""A stretch of a test in; every line that the journal would have written during it out."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from cds_service.journal.log import configure


class Lines:
    """In the place of a sink: what was written, as text and as fields."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def write(self, line: bytes) -> None:
        self.written.append(line)

    @property
    def text(self) -> str:
        return b"\n".join(self.written).decode()

    @property
    def fields(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.written]


@contextmanager
def journal(level: str = "debug") -> Iterator[Lines]:
    """What our own events write, from this level on."""
    before, lines = structlog.get_config(), Lines()
    configure(level, lines)  # type: ignore[arg-type]
    try:
        yield lines
    finally:
        structlog.configure(**before)
