"""Modules of `hooks/` with their text in; what became of it out: the first case that fails in a process that serves with them."""

import importlib
import multiprocessing
import os
import random
import resource
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from multiprocessing.connection import Connection
from types import CodeType, ModuleType
from typing import Any

from tests.mutation.mutants import ROOT

SPEC = "tests.cases"
UNDER_TEST = ("hooks", "cds_service", SPEC, "tests.charts")  # what is loaded anew for each fault
NO_START = "does not start"
MOST_MEMORY = 4 * 2**30  # bytes of address space, should a fault never stop collecting
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["tests.mutation.warm"])


@dataclass(frozen=True, slots=True)
class Outcome:
    """`killed_by` is the case that failed, or what else went wrong; None where the fault survived."""

    killed_by: str | None
    timed_out: bool = False


def judge(sources: Mapping[str, str], first: str = "", timeout: float = 60) -> Outcome:
    """Serves the cases in a new process with these texts for these modules; those about the rules of `first` go first."""
    receiving, sending = _PROCESSES.Pipe(duplex=False)
    process = _PROCESSES.Process(target=_serve, args=(dict(sources), first, sending), daemon=True)
    process.start()
    sending.close()
    try:
        if not receiving.poll(timeout):
            return Outcome("no answer in time", timed_out=True)
        return Outcome(receiving.recv())
    except EOFError:
        return Outcome("the process died")
    finally:
        process.kill()
        process.join()
        receiving.close()


def _serve(sources: Mapping[str, str], first: str, told: Connection) -> None:
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123  (not a file to be read)
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    for name in [one for one in sys.modules if one.startswith(UNDER_TEST)]:
        del sys.modules[name]
    sys.meta_path.insert(0, Replaced(sources))
    told.send(_first_failure(first))


def _first_failure(first: str) -> str | None:
    try:
        spec = importlib.import_module(SPEC)
        spec.make_client()
    except BaseException as fault:  # whatever it is, such a service does not start
        return f"{NO_START}: {type(fault).__name__}: {fault}"
    return next((one for case in _in_order(spec, first) if (one := _failure(spec, case))), None)


def _in_order(spec: ModuleType, first: str) -> Sequence[Any]:
    """The cases about the rules of this module, then the others; mixed, as neighbours fail together."""
    cases = list(spec.CASES)
    random.Random(0).shuffle(cases)  # noqa: S311  (no secret)
    own = {rule.id for rule in spec.RULES.values() if rule.function.__module__ == first}
    return sorted(cases, key=lambda case: case.rule not in own)


def _failure(spec: ModuleType, case: Any) -> str | None:
    try:
        spec.check(case)
    except BaseException:  # an assertion of the case, or whatever the fault raises
        return f"{case.rule}: {case.said['says']}"
    return None


class Replaced(MetaPathFinder):
    """Finds the modules whose text was replaced."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self.sources = sources

    def find_spec(self, name: str, _path: object, _target: object = None) -> ModuleSpec | None:
        if name not in self.sources:
            return None
        file = ROOT.joinpath(*name.split("."))
        path = str(file / "__init__.py" if file.is_dir() else file.with_suffix(".py"))
        return spec_from_file_location(name, path, loader=_Loader(name, path, self.sources[name]))


class _Loader(SourceFileLoader):
    """Runs the given text instead of the file's."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self.source = source

    def get_code(self, fullname: str) -> CodeType:
        code: CodeType = compile(self.source, self.get_filename(fullname), "exec", dont_inherit=True)
        return code
