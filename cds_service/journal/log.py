"""Events with closed fields in; lines of JSON on standard error out. Other people's loggers are let through by name only.

What a library says may hold an address with a patient's id, a parameter of a statement, a body: of its records only the
logger, the level, the place and the kind of exception are written, at every level.
"""

import logging
import os
import sys
import threading
from collections.abc import MutableMapping
from types import TracebackType
from typing import Any

import msgspec
import structlog

from cds_service.journal.fields import allowed
from cds_service.journal.sink import Sink

LEVELS = ("debug", "info", "warning", "error")
_OWN = ("cds_service", "hooks")
log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


def configure(level: str, sink: Sink) -> None:
    """From this level on our own events are written to this sink, with closed fields."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_number(level)),
        logger_factory=lambda *_: _Written(sink),
        cache_logger_on_first_use=False,
    )


def take_over(level: str) -> None:
    """From here on whatever anybody logs or lets go uncaught in this process goes the same way."""
    logging.root.handlers[:] = [_Bridge()]
    logging.root.setLevel(_number(level))
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda one: _uncaught(one.exc_type, one.exc_value, one.exc_traceback)
    sys.unraisablehook = lambda one: _uncaught(one.exc_type, one.exc_value, one.exc_traceback)


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]


def where(traceback: TracebackType | None) -> str:
    """The innermost place of a traceback: function and line, nothing of its values."""
    while traceback and traceback.tb_next:
        traceback = traceback.tb_next
    return f"{traceback.tb_frame.f_code.co_name}:{traceback.tb_lineno}" if traceback else "unknown:0"


class _Written:
    """Where the lines of structlog end."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def msg(self, line: bytes) -> None:
        self._sink.write(line)

    debug = info = warning = error = critical = msg


def _line(_: Any, __: str, fields: MutableMapping[str, Any]) -> tuple[tuple[bytes], dict[str, Any]]:
    return (msgspec.json.encode(allowed({**fields, "process": os.getpid()})),), {}


class _Bridge(logging.Handler):
    """The way in for the standard library's loggers: ours give fields, of others only the place is told."""

    def emit(self, record: logging.LogRecord) -> None:
        """Never raises: what cannot be logged is not."""
        own = record.name.partition(".")[0] in _OWN
        fields = {name: getattr(record, name) for name in ("rule", "fault") if own and hasattr(record, name)}
        if record.exc_info and record.exc_info[0]:
            fields |= {"fault": record.exc_info[0].__name__}
        event = getattr(record, "event", "library") if own else "library"
        place = f"{record.funcName}:{record.lineno}"
        log.log(max(record.levelno, logging.DEBUG), event, logger=record.name, place=place, **fields)


def _uncaught(kind: type[BaseException] | None, _: object, traceback: TracebackType | None) -> None:
    log.error("uncaught", fault=kind.__name__ if kind else None, place=where(traceback))


configure("warning", Sink(sys.__stderr__.fileno() if sys.__stderr__ else 2))  # until the settings say otherwise
