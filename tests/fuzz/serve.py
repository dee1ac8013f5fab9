"""Settings as JSON on the command line in, the production service out; each new place it goes to is written to a journal."""

import json
import os
import sys
from typing import Any

from flask import Flask

from cds_service import serve
from cds_service.app import create_app
from cds_service.outbound import connection
from cds_service.settings import Settings

WAYS_OUT = ("socket.connect", "socket.sendto")
_WATCHED = (
    *WAYS_OUT,
    "socket.getaddrinfo",
    "socket.gethostbyname",
    "subprocess.Popen",
    "os.system",
    "os.posix_spawn",
    "os.exec",
)


class Journal:
    """What the processes of the service did outside themselves, each thing once a process."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._seen: set[tuple[int, str, str]] = set()

    def note(self, event: str, where: object) -> None:
        """One line, written whole."""
        line = (os.getpid(), event, str(where))
        if line not in self._seen:
            self._seen.add(line)
            os.write(self._file, (json.dumps(line) + "\n").encode())

    def watch(self, event: str, arguments: tuple[Any, ...]) -> None:
        """An audit hook."""
        if event in _WATCHED:
            self.note(event, arguments[1] if event in WAYS_OUT else arguments[0])


def main(asked: dict[str, Any]) -> None:
    """Serves until it is told to stop."""
    journal = Journal(asked["journal"])

    def app(settings: Settings, *, database_made: bool) -> Flask:
        journal.note("born", "")
        return create_app(settings, database_made=database_made)

    serve.create_app = app
    if asked["authorities"]:  # of the TLS certificates that the fakes show
        connection.DEFAULT_CA_BUNDLE_PATH = asked["authorities"]
    sys.addaudithook(journal.watch)
    serve.serve(Settings(**asked["settings"]), "127.0.0.1", asked["port"], asked["workers"], sys.stdout)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
