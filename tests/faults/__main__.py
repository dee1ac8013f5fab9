"""`make faults`: how often each fault is tried in, a row of figures for each out; ends with 1 if anything was not as promised."""

import argparse
import resource
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.faults.certificates import Certificates, certificates
from tests.faults.neighbour import MOST, neighbours
from tests.faults.overload import overload
from tests.faults.servers import FAULTS, HANGS
from tests.faults.trying import row


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    options = _options(arguments)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, most) if most > 0 else 4096, most))
    with tempfile.TemporaryDirectory() as folder:
        known = certificates(Path(folder))
        parts = {"tries": _tries, "neighbour": _neighbours, "overload": _overload}
        chosen = [name for name in parts if getattr(options, f"only_{name}")] or ["tries", "neighbour"]
        wrong = [one for name in chosen for one in parts[name](options, known)]
    print("\n".join(f"not as promised: {one}" for one in wrong) or "nothing was otherwise than promised")
    return 1 if wrong else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("--tries", type=int, default=200, help="of each fault")
    parser.add_argument("--fault", choices=FAULTS, action="append", help="only this one (again for more)")
    parser.add_argument("--deadline-ms", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=7, help="pairs of rounds of two clients; rounds of overload")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each round of two clients")
    parser.add_argument("--calls", type=int, default=200, help="at once, in overload")
    parser.add_argument("--alone", dest="only_tries", action="store_true", help="the faults, without the two clients")
    parser.add_argument("--neighbour", dest="only_neighbour", action="store_true", help="the two clients alone")
    parser.add_argument("--overload", dest="only_overload", action="store_true", help="more calls at once than places")
    return parser.parse_args(arguments)


def _tries(options: argparse.Namespace, known: Certificates) -> Iterator[str]:
    print(
        f"{options.tries} tries each, deadline {options.deadline_ms} ms; times from the last byte sent to the last received"
    )
    chosen = options.fault or FAULTS
    for name, one_origin in [*((one, False) for one in chosen), *((one, True) for one in chosen)]:
        found = row(name, options.tries, options.deadline_ms, known, one_origin)
        print(found, flush=True)
        yield from (f"{name}: {what} {times}" for what, times in found.faults().items())


def _neighbours(options: argparse.Namespace, known: Certificates) -> Iterator[str]:
    for origins in (1, 40):
        found = neighbours(options.rounds, options.seconds, known, origins)
        print(
            f"{options.rounds} pairs of rounds of {options.seconds:.0f} s; the first client has {origins} servers, {HANGS}"
        )
        print(found, flush=True)
        if origins == 1 and (found.ratio > MOST or found.unwell):
            yield f"neighbour: ratio {found.ratio:.2f}, {found.unwell} calls not answered in full"


def _overload(options: argparse.Namespace, known: Certificates) -> Iterator[str]:
    for clients in (1, 4):
        found = overload(options.calls, options.rounds, options.deadline_ms, known, clients)
        print(f"{clients} clients, {options.rounds} rounds: {found}", flush=True)
        yield from (f"overload: {what} {times}" for what, times in found.faults().items())


if __name__ == "__main__":
    sys.exit(main())
