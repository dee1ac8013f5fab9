"""Mutants with what became of them in; the figures, and the survivors that nobody has judged equivalent, out."""

import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from tests.mutation.mutants import ROOT, Mutant
from tests.mutation.trial import NO_START, Outcome

EQUIVALENT = ROOT / "tests" / "mutants_equivalent.toml"
Key = tuple[str, str, str, str]


@dataclass(slots=True)
class Result:
    """What has been counted so far."""

    equivalent: frozenset[Key] = frozenset()
    killed: int = 0
    timed_out: int = 0  # of the killed
    unstarted: int = 0  # likewise: the service did not even start
    alike: int = 0  # survived, and judged equivalent
    survivors: list[Mutant] = field(default_factory=list)

    def count(self, mutant: Mutant, outcome: Outcome) -> bool:
        """Whether it survived without an excuse."""
        self.timed_out += outcome.timed_out
        if outcome.killed_by is not None:
            self.killed += 1
            self.unstarted += outcome.killed_by.startswith(NO_START)
        elif mutant.key in self.equivalent:
            self.alike += 1
        else:
            self.survivors.append(mutant)
            return True
        return False

    @property
    def rate(self) -> float:
        """The percentage killed of those that could be."""
        judged = self.killed + len(self.survivors)
        return 100 * self.killed / judged if judged else 100.0

    def __str__(self) -> str:
        return (
            f"{self.rate:.1f} % killed: {self.killed} killed ({self.timed_out} timed out, {self.unstarted} did not start), "
            f"{len(self.survivors)} survived, {self.alike} equivalent and not counted"
        )


def equivalents(path: Path = EQUIVALENT) -> frozenset[Key]:
    """The mutants that no answer can tell from the code as it stands. Each needs a reason."""
    entries = tomllib.loads(path.read_text("utf-8")).get("mutant", [])
    if not all(one.get("why") for one in entries):
        raise ValueError(f"{path.name}: a mutant without a reason (why)")
    return frozenset((one["file"], one["function"], one["before"], one["after"]) for one in entries)


def entry(mutant: Mutant) -> str:
    """As mutants_equivalent.toml would list it, but for the reason."""
    values = zip(("file", "function", "before", "after"), mutant.key, strict=True)
    lines = [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values]
    return "\n".join([f"# {mutant}", "[[mutant]]", *lines, 'why = ""', ""])
