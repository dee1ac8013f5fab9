"""A plan and some numbers in, what became of the requests of these numbers out: over a few connections at once."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests.fuzz.holding import fault_of
from tests.fuzz.line import Answer, Line
from tests.fuzz.requests import Plan, Request

_SLOWEST = 5
Violation = tuple[int, str, str]  # number, kind, what is wrong


@dataclass(slots=True)
class Tally:
    """What became of some requests."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    violations: list[Violation] = field(default_factory=list)
    slowest: list[tuple[float, int, str]] = field(default_factory=list)
    again: int = 0

    def add(self, other: "Tally") -> None:
        """Of two parts the whole."""
        self.statuses.update(other.statuses)
        self.violations += other.violations
        self.slowest = sorted([*self.slowest, *other.slowest], reverse=True)[:_SLOWEST]
        self.again += other.again

    def note(self, request: Request, answer: Answer, fault: str | None) -> None:
        """One answer."""
        self.statuses[request.kind, answer.status] += 1
        self.slowest = sorted([*self.slowest, (answer.seconds, request.number, request.kind)], reverse=True)[:_SLOWEST]
        if fault:
            self.violations.append((request.number, request.kind, fault))


def drive(plan: Plan, port: int, limit: int, numbers: range, connections: int) -> Tally:
    """The requests of these numbers, each connection with its share."""
    whole = Tally()
    with ThreadPoolExecutor(connections) as pool:
        shares = [numbers[place::connections] for place in range(connections)]
        for one in pool.map(lambda share: _drive(plan, port, limit, share), shares):
            whole.add(one)
    return whole


def _drive(plan: Plan, port: int, limit: int, numbers: range) -> Tally:
    tally = Tally()
    with Line(port) as line:
        for number in numbers:
            request = plan.request(number)
            for answer in ask(line, plan, request, tally):
                tally.note(request, answer, fault_of(request, answer, limit))
    return tally


def ask(line: Line, plan: Plan, request: Request, tally: Tally) -> Iterator[Answer]:
    """All answers to a request. What a server closes just when we send is sent once more, with a fresh token."""
    if request.broken:
        yield from line.ask_alone(request.sent, (request.method, "POST")) or [Answer(0)]
        return
    was_open = line.is_open
    answer = line.ask(request.sent)
    if answer.status == 0 and was_open:
        tally.again += 1
        answer = line.ask(plan.request(request.number).sent)
    yield answer
