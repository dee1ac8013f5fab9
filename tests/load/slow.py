"""Slow sockets in, how the calls of a good client feel beside them out: rounds by turns without and with them."""

import multiprocessing
import ssl
import statistics
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path
from time import monotonic, sleep

from tests.load.calling import PATH, Calls, call, drive, in_seconds
from tests.load.proxy import Proxy, proxy
from tests.load.replicas import replicas
from tests.load.rolling import CLIENTS

MOST = 2.0  # times its usual
_EACH = 3.0  # seconds from one byte to the next
_OF_ONE_ADDRESS = 200  # below the limit of nginx, or most of them would be refused
_RATE, _LANES = 20.0, 3
_KINDS = ("idle", "head", "body")
_HEAD = f"POST {PATH} HTTP/1.1\r\nHost: cds.example.org\r\nContent-Type: application/json\r\n".encode()
_FIRST = {"head": _HEAD, "body": _HEAD + b"Authorization: Bearer x\r\nContent-Length: 100000\r\n\r\n{"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slow:
    """`alone`, `beside`: p95 of each round in milliseconds. `held`: how many slow sockets were open at the end of each round."""

    alone: list[float]
    beside: list[float]
    held: list[int]
    calls: Calls

    @property
    def ratio(self) -> float:
        """Of the medians of all rounds."""
        return statistics.median(self.beside) / statistics.median(self.alone)

    def __str__(self) -> str:
        alone, beside = (
            f"{statistics.median(one):.1f} ms ({min(one):.1f} to {max(one):.1f})" for one in (self.alone, self.beside)
        )
        return (
            f"p95 of a round alone {alone}, beside {min(self.held)} to {max(self.held)} slow sockets {beside}, "
            f"ratio {self.ratio:.2f}; {self.calls}"
        )


def slow(folder: Path, sockets: int, rounds: int, seconds: float) -> Slow:
    """Pairs of rounds."""
    with (
        replicas(folder / "service", 2, CLIENTS) as found,
        proxy(folder / "proxy", [one.port for one in found]) as before,
    ):
        _round(before, seconds)  # to begin with
        alone, beside, held, calls = [], [], [], Calls()
        for _ in range(rounds):
            calls.got += (one := _round(before, seconds)).got
            alone.append(one.milliseconds(0.95))
            with _slow_sockets(before, sockets) as holding:
                calls.got += (one := _round(before, seconds)).got
            beside.append(one.milliseconds(0.95))
            held.append(holding[0])
        return Slow(alone=alone, beside=beside, held=held, calls=calls)


def _round(before: Proxy, seconds: float) -> Calls:
    return drive(CLIENTS, before, call, lanes=_LANES, ends=in_seconds(seconds), rate=_RATE)


@contextmanager
def _slow_sockets(before: Proxy, number: int) -> Iterator[list[int]]:
    """They are there when the block begins, held by a process of its own; how many there were at its end is told afterwards."""
    spawn = multiprocessing.get_context("spawn")
    ready, enough, at_end = spawn.Event(), spawn.Event(), spawn.Value("i", 0)
    certificate = str(before.folder / "certificate.pem")
    holder = spawn.Process(target=_hold, args=((before.port, certificate), number, ready, enough, at_end))
    holder.start()
    while not ready.wait(0.1) and holder.is_alive():
        pass
    held: list[int] = []
    yield held
    enough.set()
    holder.join()
    held.append(at_end.value)
    sleep(0.5)


class _Socket:
    """One slow socket, opened anew when nginx has had enough of it."""

    def __init__(self, number: int, port: int, certificate: str) -> None:
        address = f"127.0.1.{1 + number // _OF_ONE_ADDRESS}"
        self._kind = _KINDS[number % len(_KINDS)]
        self._proxy, self._address = Proxy(port=port, folder=Path(), trust=_trust(certificate)), address
        self.open()

    def open(self) -> None:
        self.line: ssl.SSLSocket | None = None
        with suppress(OSError):
            self.line = self._proxy.connect(self._address)
            self.line.setblocking(False)
            self.line.send(_FIRST.get(self._kind, b""))

    def drip(self) -> None:
        """One more byte, on a new connection if the old one is closed."""
        with suppress(OSError):
            if self.line and not self._ended():
                self.line.send(b"" if self._kind == "idle" else b"x")
                return
        if self.line:
            self.line.close()
        self.open()

    def _ended(self) -> bool:
        assert self.line
        try:
            self.line.recv(1000)
        except ssl.SSLWantReadError:
            return False
        return True


_trusted: dict[str, ssl.SSLContext] = {}


def _trust(certificate: str) -> ssl.SSLContext:
    return _trusted.setdefault(certificate, ssl.create_default_context(cafile=certificate))


def _hold(where: tuple[int, str], number: int, ready: Event, enough: Event, at_end: "Synchronized[int]") -> None:
    lines = [_Socket(place, *where) for place in range(number)]
    ready.set()
    while not enough.is_set():
        began = monotonic()
        for place, line in enumerate(lines):
            sleep(max(0.0, began + _EACH * place / number - monotonic()))
            line.drip()
            if place % 50 == 0 and enough.is_set():
                break
    at_end.value = sum(one.line is not None for one in lines)
