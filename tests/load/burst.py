"""A while of ten times the usual load in; how soon the refusals came, and how soon all was as before, out."""

from dataclasses import dataclass
from pathlib import Path

from tests.load.calling import Calls, call, drive, in_seconds
from tests.load.proxy import proxy
from tests.load.replicas import replicas
from tests.load.rolling import CLIENTS

REFUSED = (429, 503)
SOON = 100  # milliseconds
EXPECTED = (200, *REFUSED)
_USUAL = 0.3  # of what the machine can do
_TIMES = 10
_LANES = 160  # connections in the burst
_OF_THE_USUAL = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Calls before, in and after it. `recovered`: seconds from its end until answers were as quick as before."""

    rate: float
    before: Calls
    during: Calls
    afterwards: Calls
    recovered: float
    inside: list[float]  # milliseconds of the refusals as nginx has them, without the wait in the client itself

    @property
    def unexpected(self) -> int:
        """Answers that are neither cards nor a refusal for want of room."""
        return sum(one.status not in EXPECTED for one in self.during.got)

    @property
    def soon(self) -> float:
        """The part of the refusals that came at once."""
        return sum(one <= SOON for one in self.inside) / max(1, len(self.inside))

    def __str__(self) -> str:
        ordered = sorted(self.inside) or [0.0]
        inside = ", ".join(f"p{100 * p:g} {ordered[int(p * (len(ordered) - 1))]:.0f} ms" for p in (0.5, 0.95, 0.99, 1))
        lasted = max(one.began + one.seconds for one in self.during.got) - min(one.began for one in self.during.got)
        refused = Calls([one for one in self.during.got if one.status in REFUSED])
        return (
            f"usual {self.rate:.0f} a second: {self.before}\n"
            f"burst, {len(self.during.got) / lasted:.0f} a second sent: {self.during}\n"
            f"refusals in nginx: {inside}, {100 * self.soon:.0f} % within {SOON} ms; at the client: {refused}\n"
            f"as before after {self.recovered:.1f} s: {self.afterwards}"
        )


def burst(folder: Path, seconds: float) -> Burst:
    """Two replicas behind nginx; what they can do is measured first."""
    with (
        replicas(folder / "service", 2, CLIENTS) as found,
        proxy(folder / "proxy", [one.port for one in found]) as through,
    ):
        most = drive(CLIENTS, through, call, lanes=8, ends=in_seconds(min(6.0, seconds)))
        rate = _USUAL * len(most.got) / min(6.0, seconds)
        usual = {"lanes": _OF_THE_USUAL, "rate": rate}
        before = drive(CLIENTS, through, call, ends=in_seconds(min(10.0, seconds)), **usual)
        log = through.folder / "access.log"
        seen = len(log.read_text("utf-8"))
        during = drive(CLIENTS, through, call, lanes=_LANES, ends=in_seconds(seconds), rate=_TIMES * rate)
        inside = _refusals(log.read_text("utf-8")[seen:])
        afterwards = drive(CLIENTS, through, call, ends=in_seconds(10.0), **usual)
        recovered = _recovered(before, afterwards)
    return Burst(rate=rate, before=before, during=during, afterwards=afterwards, recovered=recovered, inside=inside)


def _refusals(log: str) -> list[float]:
    fields = (line.split(" ") for line in log.splitlines())
    return [1000 * float(one[7]) for one in fields if int(one[4]) in REFUSED]


def _recovered(before: Calls, afterwards: Calls) -> float:
    """When the last call that was slower than all of before had been answered."""
    began = min(one.began for one in afterwards.got)
    limit = 1.5 * before.milliseconds(0.99) / 1000
    late = [one.began + one.seconds - began for one in afterwards.got if one.seconds > limit or one.status != 200]
    return max(late, default=0.0)
