"""`make load LOAD_ARGS=…`: one scenario and its size in, its figures out; ends with 1 if anything was not as promised."""

import argparse
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.load import databases, full_disk
from tests.load.burst import burst
from tests.load.databases import database
from tests.load.enduring import enduring
from tests.load.killing import killing
from tests.load.memory import memory
from tests.load.one_token import one_token
from tests.load.open_access import visiting
from tests.load.outages import outages
from tests.load.proxy import lacking
from tests.load.rolling import rolling
from tests.load.slow import MOST, slow
from tests.load.terminating import terminating

GROWTH = 20.0  # megabytes
_DESCRIPTORS = 4  # a worker keeps connections to its database
_WITHOUT_NGINX = ("memory", "kill", "term", "full-disk", "database-restart", "one-token")


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    options = _options(arguments)
    if why := (options.behind_nginx and lacking()) or options.lacking(options.database):
        print(why)
        return 1
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(20000, most) if most > 0 else 20000, most))
    with tempfile.TemporaryDirectory() as folder:
        wrong = options.run(Path(folder), options)
    print(f"not as promised: {wrong}" if wrong else "all as promised")
    return 1 if wrong else 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    kinds = parser.add_subparsers(required=True, metavar="SCENARIO")

    def add(name: str, says: str, run: Callable[[Path, argparse.Namespace], str], **sizes: float) -> None:
        one = kinds.add_parser(name, help=says)
        for size, usual in sizes.items():
            one.add_argument(f"--{size}", type=type(usual), default=usual)
        at_all = full_disk.lacking if run is _full_disk else databases.lacking
        one.set_defaults(run=run, behind_nginx=name not in _WITHOUT_NGINX, database="sqlite", lacking=at_all)
        if run in _ON_EITHER:
            one.add_argument("--database", choices=databases.KINDS, default="sqlite")

    add("rolling", "two replicas restarted in turn", _rolling, calls=10_000, rate=60.0)
    add("slow", "slow sockets", _slow, sockets=2000, rounds=5, seconds=8.0)
    add("burst", "ten times the load", _burst, seconds=60.0)
    add("memory", "many mixed requests", _memory, requests=200_000)
    add("kill", "workers killed: is feedback lost?", _kill, feedback=5000, kills=100)
    add("term", "servers restarted in order: is feedback lost?", _term, feedback=5000, restarts=100)
    add("full-disk", "no space is left for the database", _full_disk, times=5)
    add("database-restart", "the database goes away and comes back", _database_restart, times=5)
    add("one-token", "64 uses of a token at once", _one_token, rounds=50, kills=50)
    return parser.parse_args(arguments)


def _rolling(folder: Path, options: argparse.Namespace) -> str:
    print(found := rolling(folder, options.calls, options.rate))
    return f"{found.failed} failed" if found.failed or set(found.stopped) != {0} else ""


def _slow(folder: Path, options: argparse.Namespace) -> str:
    print(found := slow(folder, options.sockets, options.rounds, options.seconds))
    unwell = sum(one.status != 200 for one in found.calls.got)
    return f"ratio {found.ratio:.2f}, {unwell} failed" if found.ratio > MOST or unwell else ""


def _burst(folder: Path, options: argparse.Namespace) -> str:
    print(found := burst(folder, options.seconds))
    return f"{found.unexpected} unexpected" if found.unexpected or found.recovered > 5 else ""


def _memory(folder: Path, options: argparse.Namespace) -> str:
    print(found := memory(folder, options.requests))
    grown = found.growth > GROWTH or found.more_descriptors > _DESCRIPTORS or not found.same_workers
    return f"{found.growth:.1f} MB, {found.more_descriptors} descriptors" if grown else ""


def _kill(folder: Path, options: argparse.Namespace) -> str:
    with database(options.database, folder / "database") as kept:
        print(found := killing(folder, kept, options.feedback, options.kills))
    return found.wrong


def _term(folder: Path, options: argparse.Namespace) -> str:
    with database(options.database, folder / "database") as kept:
        print(found := terminating(folder, kept, options.feedback, options.restarts))
    return found.wrong


def _full_disk(folder: Path, options: argparse.Namespace) -> str:
    wrong = []
    for part in full_disk.PARTS[options.database]:
        disk, found = full_disk.full_disk(folder / part, options.database, part, options.times)
        print(f"{part}, on {disk}: {found}", flush=True)
        wrong.append(found.wrong)
    return "; ".join(filter(None, wrong))


def _database_restart(folder: Path, options: argparse.Namespace) -> str:
    with database(options.database, folder / "served") as kept:
        print(served := enduring(folder / "service", kept, outages(kept) * options.times), flush=True)
    with database(options.database, folder / "other") as kept:
        print(visit := visiting(folder / "demo", kept.url, outages(kept) * options.times))
    return "; ".join(filter(None, (served.wrong, visit.wrong)))


def _one_token(folder: Path, options: argparse.Namespace) -> str:
    with database(options.database, folder / "database") as kept:
        print(found := one_token(folder, kept, options.rounds, options.kills))
    return found.wrong


_ON_EITHER = (_kill, _term, _full_disk, _database_restart, _one_token)

if __name__ == "__main__":
    sys.exit(main())
