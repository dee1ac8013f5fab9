"""An audit record in; a line of JSON out, with a time and closed fields, to a place of its own."""

import os
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from cds_service.journal.fields import allowed
from cds_service.journal.sink import FLUSH_SECONDS, Sink

OFF, STANDARD_OUTPUT = "off", "stdout"


class Audit:
    """Where the records of one process go: standard output, a file that is only ever added to, or nowhere."""

    def __init__(self, place: str, clock: Callable[[], datetime], dropped: Callable[[], object]) -> None:
        """`place`: off, stdout or a path. Raises OSError where the file cannot be opened."""
        self._clock = clock
        self._sink = Sink(_descriptor(place), dropped) if place != OFF else None

    def record(self, fields: Mapping[str, Any]) -> None:
        """Never waits, never raises; a record that found no reader is counted."""
        if self._sink:
            moment = self._clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
            self._sink.write(msgspec.json.encode(allowed({"timestamp": moment, **fields})))

    def flush(self, seconds: float = FLUSH_SECONDS) -> None:
        """Waits a moment until what was recorded is written."""
        if self._sink:
            self._sink.flush(seconds)


def _descriptor(place: str) -> int:
    if place == STANDARD_OUTPUT:
        return sys.__stdout__.fileno() if sys.__stdout__ else 1
    return os.open(place, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
