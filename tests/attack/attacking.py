"""A case and the service in, its answers out: every call of the case, in the order, the connection and the crowd it asks for."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from tests.attack.asking import Asking, asking, audience
from tests.attack.line import Answer, Line
from tests.attack.server import Target
from tests.attack.tables import Case, changed
from tests.attack.tokens import token_of, twin
from tests.fixture_files import numbered

GOOD = Case(table="golden", about="", says="A good request")
_NEW_EACH_TIME = re.compile(r"date|connection", re.IGNORECASE)
Answered = tuple[Case, str, Answer]  # the call, its method, what came


def good(target: Target) -> object:
    """The answer to a good request with a token of its own, but for what is new each time."""
    with target.line() as line:
        answer = line.ask(asking(GOOD, _token(target, GOOD), target.places_of(GOOD)))[0]
    assert answer.status == 200, answer.written
    head = [f"{name}: {value}" for name, value in answer.headers if not _NEW_EACH_TIME.fullmatch(name)]
    return numbered([head, json.loads(answer.body)])


def attack(target: Target, case: Case) -> list[Answered]:
    """What the calls of a case get, all on one connection; or one call, many times at once."""
    calls = _calls(target, case)
    with ExitStack() as stack:
        if case.locked:
            stack.enter_context(target.locked())
        if case.at_once > 1:
            return _crowd(target, case, calls[0][1])
        line = stack.enter_context(target.line())
        answers = _in_turn(line, [asked for _, asked in calls], case.pipelined)
        assert not line.rest(), "the server says more than it was asked"
    return [(one, asked.method, answer) for (one, asked), answer in zip(calls, answers, strict=True)]


def _calls(target: Target, case: Case) -> list[tuple[Case, Asking]]:
    """Every call with a token of its own, but where it comes again with the first one or its twin."""
    found, first = [], ""
    for more in case.calls:
        one = changed(case, more)
        token = _token(target, one) if one.again is None else first if one.again == "same" else twin(first)
        first = first or token
        found.append((one, asking(one, token, target.places_of(one))))
    return found


def _token(target: Target, case: Case) -> str:
    made = token_of(case, target.places_of(case) | {"aud": audience(case)})
    target.sent.append(made)
    return made


def _in_turn(line: Line, asked: list[Asking], pipelined: bool) -> list[Answer]:
    return line.ask(*asked) if pipelined else [line.ask(one)[0] for one in asked]


def _crowd(target: Target, case: Case, asked: Asking) -> list[Answered]:
    def alone(_: int) -> Answered:
        with target.line() as line:
            return case, asked.method, line.ask(asked)[0]

    with ThreadPoolExecutor(case.at_once) as pool:
        return list(pool.map(alone, range(case.at_once)))
