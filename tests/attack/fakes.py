"""The words of a case in, how a FHIR server or a publisher of keys behaves out; each stands on loopback and is watched."""

import gzip
import json
import socket
from collections.abc import Callable
from string import Template

from tests import fhir_servers
from tests.attack import golden
from tests.attack.keys import jwks
from tests.attack.trusted import Issuer
from tests.fhir_servers import Asked, Behaviour, FakeServer, answering, searchset, whole

_RESOURCES = {
    "patient": golden.person(),
    "stranger": golden.person() | {"id": "somebody-else"},
    "outcome": {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "processing"}]},
}


class Friend:
    """A FHIR server that the hospital is allowed to lend its token for. `words`: a behaviour and what it takes."""

    def __init__(self, words: str) -> None:
        self._words = words
        self.places: dict[str, str] = {}

    def __call__(self, server: FakeServer, connection: socket.socket, asked: Asked) -> None:
        known = self.places | {"friend": server.base, "friend_port": str(server.port)}
        kind, *rest = Template(self._words).safe_substitute(known).split(" ", 1)
        _BEHAVIOURS[kind](*rest)(server, connection, asked)


def answers(_: FakeServer, connection: socket.socket, asked: Asked) -> None:
    """A Patient where one is read, an empty searchset where one searches."""
    is_read = asked.target.partition("?")[0].endswith(f"/Patient/{golden.PATIENT}")
    connection.sendall(whole(json.dumps(_RESOURCES["patient"]).encode() if is_read else searchset()))


def _redirects(words: str) -> Behaviour:
    status, to = words.split(" ", 1)
    return fhir_servers.redirecting(to, f"{status} x")


def _gives(name: str) -> Behaviour:
    return answering(whole(json.dumps(_RESOURCES[name]).encode()))


def _links(to: str) -> Behaviour:
    """A page that leads on; what it leads to is answered with an empty page, should anybody come."""
    return fhir_servers.leading_to(to)


_BEHAVIOURS: dict[str, Callable[..., Behaviour]] = {
    "answers": lambda: answers,
    "redirects": _redirects,
    "links": _links,
    "gives": _gives,
    "says": lambda status: fhir_servers.failing(status, Retry_After="120", WWW_Authenticate='Basic realm="x"'),
    "silent": lambda: fhir_servers.silent,
    "drips": lambda: fhir_servers.dripping(whole(searchset())),
    "drips-headers": lambda: fhir_servers.dripping_headers,
    "continues": lambda: fhir_servers.continuing,
    "floods": lambda: fhir_servers.flooding(stated=False, megabytes=16),
    "states-too-much": lambda: fhir_servers.flooding(stated=True, megabytes=16),
    "bomb": lambda: fhir_servers.gzip_bomb(20),
    "cookies": lambda: fhir_servers.setting_cookies,
    "half": lambda: fhir_servers.half(searchset()),
    "hangs-up": lambda: fhir_servers.closing_at_once,
    "resets": lambda: fhir_servers.resetting,
    "pages": lambda: fhir_servers.paging,
    "circles": lambda: fhir_servers.looping,
    "crowds": lambda: fhir_servers.crowded,
    "text": lambda words: answering(whole(words.encode())),
}


class Publisher:
    """Where issuers publish their keys: each answers in turn what its case says, and then the last of it for ever."""

    def __init__(self) -> None:
        self.issuers: dict[str, Issuer] = {}
        self._served: dict[str, int] = {}

    def __call__(self, server: FakeServer, connection: socket.socket, asked: Asked) -> None:
        host = asked.target.split("/")[1]
        one = self.issuers[host]
        words = one.published or ["keys"]
        turn = self._served[host] = self._served.get(host, -1) + 1
        _PUBLISHED[words[min(turn, len(words) - 1)]](json.dumps(jwks(one.keys)).encode())(server, connection, asked)


def _padded(keys: bytes) -> bytes:
    return keys[:-1] + b', "more": "' + b"x" * (300 << 10) + b'"}'


_PUBLISHED: dict[str, Callable[[bytes], Behaviour]] = {
    "keys": lambda keys: answering(whole(keys, Content_Type="application/json")),
    "page": lambda _: answering(whole(b"<html>Sign in</html>", Content_Type="text/html")),
    "redirect": lambda _: fhir_servers.redirecting("/elsewhere/keys"),
    "fails": lambda keys: answering(whole(keys, "500 x")),
    "missing": lambda keys: answering(whole(keys, "404 x")),
    "hangs": lambda _: fhir_servers.silent,
    "huge": lambda keys: answering(whole(_padded(keys))),
    "compressed": lambda keys: answering(whole(gzip.compress(keys), Content_Encoding="gzip")),
    "hangs-up": lambda _: fhir_servers.closing_at_once,
    "half": fhir_servers.half,
    "list": lambda keys: answering(whole(keys[len('{"keys": ') : -1])),
    "empty": lambda _: answering(whole(b'{"keys": []}')),
    "twice": lambda keys: answering(whole(keys[:-1] + b", " + keys[1:])),
}
