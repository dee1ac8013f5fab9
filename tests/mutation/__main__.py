"""The options in; out come how many mutants of `hooks/` the specification kills, and those that survive (exit 1: too many)."""

import argparse
import ast
import random
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.mutation.mutants import ROOT, Mutant, module_of, mutants_of
from tests.mutation.result import Result, entry, equivalents
from tests.mutation.trial import Outcome, judge

GROUPS = {"core": "hooks/*.py", "rules": "hooks/rules/*.py", "knowledge": "hooks/knowledge/*.py"}
_PATIENCE = 600.0  # seconds, on a machine with much else to do


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What is asked for; by default the sample that stands for the project."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--seed", type=int, default=2026, help="of the sample")
    parser.add_argument("--sample", type=int, default=400, help="how many mutants; 0 for all")
    parser.add_argument("--workers", type=int, default=2, help="how many are tried at once")
    parser.add_argument("--timeout", type=float, default=60, help="seconds a mutant may take; then it counts as killed")
    parser.add_argument("--least", type=float, default=90, help="percent that must be killed")
    parser.add_argument("--groups", nargs="+", choices=GROUPS, default=["core", "rules"], help="what is mutated")
    parser.add_argument("--only", nargs="+", metavar="FILE", help="mutate these files of hooks/ instead")
    parser.add_argument("--out", type=Path, help="write the survivors here, as entries of mutants_equivalent.toml")
    return parser.parse_args(arguments)


def files_of(groups: Iterable[str]) -> list[str]:
    """Paths from the root of the project, in order."""
    return [path.relative_to(ROOT).as_posix() for group in groups for path in sorted(ROOT.glob(GROUPS[group]))]


def drawn(mutants: Sequence[Mutant], size: int, seed: int) -> list[Mutant]:
    """A sample, the same for the same seed; in the order of the files."""
    kept = random.Random(seed).sample(range(len(mutants)), min(size or len(mutants), len(mutants)))  # noqa: S311
    return [mutants[place] for place in sorted(kept)]


def tried(mutants: Sequence[Mutant], workers: int, timeout: float) -> Iterable[tuple[Mutant, Outcome]]:
    """Each mutant with what became of it, in order."""
    sources = [{one.module: one.source()} for one in mutants]
    with ThreadPoolExecutor(workers) as pool:
        outcomes = pool.map(partial(judge, timeout=timeout), sources, [one.module for one in mutants])
        yield from zip(mutants, outcomes, strict=True)


def intact(files: Iterable[str]) -> Outcome:
    """The modules written anew as mutants are, but without a fault."""
    sources = {module_of(file): ast.unparse(ast.parse((ROOT / file).read_text("utf-8"))) for file in files}
    return judge(sources, timeout=_PATIENCE)  # every case is served, unlike those of a mutant that is killed


def state() -> dict[Path, int]:
    """When each file was last written that an answer or a case depends on."""
    folders = (ROOT / "hooks", ROOT / "cds_service", ROOT / "tests" / "spec")
    return {path: path.stat().st_mtime_ns for one in folders for path in one.rglob("*.*") if path.suffix != ".pyc"}


def main() -> int:
    """Prints the survivors as they are found, then the figures."""
    wanted, before = options(), state()
    files = wanted.only or files_of(wanted.groups)
    if (fault := intact(files).killed_by) is not None:
        print(f"fails without any mutant: {fault}", file=sys.stderr)
        return 2
    result = run(files, wanted)
    if wanted.out:
        wanted.out.write_text("\n".join(map(entry, result.survivors)), "utf-8")
    print(result)
    if state() != before:
        print("files changed meanwhile: these figures do not hold", file=sys.stderr)
        return 2
    return int(result.rate < wanted.least)


def run(files: Sequence[str], wanted: argparse.Namespace) -> Result:
    """Tries the sample."""
    every, started = [one for file in files for one in mutants_of(file)], time.monotonic()
    sample, result = drawn(every, wanted.sample, wanted.seed), Result(equivalents())
    print(f"{len(sample)} of the {len(every)} mutants of {len(files)} files, seed {wanted.seed}", flush=True)
    for mutant, outcome in tried(sample, wanted.workers, wanted.timeout):
        if result.count(mutant, outcome):
            print(f"survived: {mutant}", flush=True)
    print(f"{time.monotonic() - started:.0f} s")
    return result


if __name__ == "__main__":
    sys.exit(main())
