"""What gunicorn says in; log lines out that hold the format of its message, never what was put into it (addresses, paths)."""

import logging
import sys
from typing import Any

from cds_service.journal.log import log, where


class ServerLog:
    """In the place of gunicorn's own logger. No access log: what was answered stands in the audit record."""

    def __init__(self, cfg: Any) -> None:
        self.cfg = cfg

    def critical(self, message: str, *args: Any, **_: Any) -> None:
        """As a logger's."""
        self.log(logging.CRITICAL, message, *args)

    def error(self, message: str, *args: Any, **_: Any) -> None:
        """As a logger's."""
        self.log(logging.ERROR, message, *args)

    def warning(self, message: str, *args: Any, **_: Any) -> None:
        """As a logger's."""
        self.log(logging.WARNING, message, *args)

    def info(self, message: str, *args: Any, **_: Any) -> None:
        """As a logger's."""
        self.log(logging.INFO, message, *args)

    def debug(self, message: str, *args: Any, **_: Any) -> None:
        """As a logger's."""
        self.log(logging.DEBUG, message, *args)

    def exception(self, message: str, *args: Any, **_: Any) -> None:
        """As a logger's; of the exception its kind and place."""
        kind, _value, traceback = sys.exc_info()
        fault = {"fault": kind.__name__, "place": where(traceback)} if kind else {}
        self.log(logging.ERROR, message, *args, **fault)

    def log(self, level: int, message: str, *args: Any, **fault: str) -> None:
        """A message that comes without arguments may have been put together already: it is not shown."""
        log.log(level, "server", message=message if args else None, **fault)

    def access(self, *_: Any) -> None:
        """Written nowhere."""

    def reopen_files(self) -> None:
        """There are none."""

    def close_on_exec(self) -> None:
        """There are none."""
