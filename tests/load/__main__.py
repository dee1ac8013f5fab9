"""`make load LOAD_ARGS=…`: one scenario and its size in, its figures out; ends with 1 if anything was not as promised."""

import argparse
import resource
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.load.burst import burst
from tests.load.killing import killing
from tests.load.memory import memory
from tests.load.proxy import lacking
from tests.load.rolling import rolling
from tests.load.slow import MOST, slow

GROWTH = 20.0  # megabytes
_DESCRIPTORS = 4  # a worker keeps connections to its database


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    options = _options(arguments)
    if options.behind_nginx and (why := lacking()):
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
        one.set_defaults(run=run, behind_nginx=name != "memory")

    add("rolling", "two replicas restarted in turn", _rolling, calls=10_000, rate=60.0)
    add("kill", "workers killed", _kill, calls=10_000, rate=60.0)
    add("slow", "slow sockets", _slow, sockets=2000, rounds=5, seconds=8.0)
    add("burst", "ten times the load", _burst, seconds=60.0)
    add("memory", "many mixed requests", _memory, requests=200_000)
    return parser.parse_args(arguments)


def _rolling(folder: Path, options: argparse.Namespace) -> str:
    print(found := rolling(folder, options.calls, options.rate))
    return f"{found.failed} failed" if found.failed or set(found.stopped) != {0} else ""


def _kill(folder: Path, options: argparse.Namespace) -> str:
    print(found := killing(folder, options.calls, options.rate))
    return f"{found.lost} lost" if found.lost or found.unexpected or max(found.back) > 10 else ""


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


if __name__ == "__main__":
    sys.exit(main())
