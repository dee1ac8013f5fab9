"""Values and texts nobody thought of in; proof that the gate takes what every reader reads alike, and nothing else."""

import json
import math
import os
import random
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.wire.strict_json import json_fault
from tests.fixture_files import legal
from tests.test_strict_json import DUPLICATE, RANGE

REQUEST = json.dumps(legal("cd4-120-starting-art"))
MANY = settings(
    derandomize="HYPOTHESIS_EXPLORE" not in os.environ,
    deadline=None,
    database=None,
    max_examples=3000 if "HYPOTHESIS_EXPLORE" in os.environ else 300,
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | st.integers(-(10**308), 10**308) | FLOATS | TEXTS
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4))
DIGITS = st.text("0123456789", min_size=1, max_size=4)
NUMBERS = st.builds(
    lambda sign, whole, zeros, fraction, exponent: (
        sign + (whole.lstrip("0") or "0") + "0" * zeros + fraction + exponent
    ),
    st.sampled_from(["", "-"]),
    DIGITS.filter(lambda text: text.strip("0") != ""),
    st.integers(0, 320),
    st.just("") | DIGITS.map(".{}".format),
    st.just("") | st.builds("{}{}{}".format, st.sampled_from("eE"), st.sampled_from(["", "+", "-"]), DIGITS),
)


@given(VALUES, st.booleans(), st.sampled_from([None, 1]))
@MANY
def test_whatever_is_written_of_a_finite_value_is_taken(value: Any, escaped: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=escaped, indent=indent).encode()
    assert json_fault(text) is None
    assert msgspec.json.decode(text) == value


@given(
    NUMBERS, st.sampled_from(["{}", "[{}]", "[1,{},2]", '{{"a": {}}}', '{{"a":{}\n}}', '[{{"value":{},"unit":"x"}}]'])
)
@MANY
def test_a_number_is_refused_exactly_where_a_double_cannot_hold_it(number: str, around: str) -> None:
    text = around.format(number).encode()
    assert json_fault(text) == (RANGE if math.isinf(float(number)) else None)
    assert json_fault(b'{"a": "%s", "b": " %s, "}' % (number.encode(), number.encode())) is None


def written(value: Any, twice: int) -> tuple[str, int]:
    """The JSON of a value in which the object of that number (counted as they open) has its first member twice."""
    if isinstance(value, dict):
        parts, twice = [], twice - 1
        again = twice == -1 and value
        for name, one in value.items():
            text, twice = written(one, twice)
            parts.append(f"{json.dumps(name)}: {text}")
        first = next(iter(value), "")
        spelt = '"' + "".join(f"\\u{ord(one):04x}" for one in first) + '"' if first.isascii() else json.dumps(first)
        return "{" + ", ".join([*parts, *([f"{spelt}: null"] if again else [])]) + "}", twice
    if isinstance(value, list):
        parts = []
        for one in value:
            text, twice = written(one, twice)
            parts.append(text)
        return "[" + ", ".join(parts) + "]", twice
    return json.dumps(value), twice


def objects(value: Any) -> list[bool]:
    """Of each object, as they open, whether it has a member."""
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [bool(value)] if isinstance(value, dict) else []
    return own + [one for inner in below for one in objects(inner)]


@given(VALUES.filter(lambda value: any(objects(value))), st.randoms(use_true_random=False))
@MANY
def test_a_member_that_comes_twice_is_found_wherever_it_is(value: Any, chance: random.Random) -> None:
    place = chance.choice([place for place, filled in enumerate(objects(value)) if filled])
    assert json_fault(written(value, len(objects(value)))[0].encode()) is None
    assert json_fault(written(value, place)[0].encode()) == DUPLICATE


def test_a_member_that_comes_twice_is_found_in_every_object_of_a_request() -> None:
    request = json.loads(REQUEST)
    for place, filled in enumerate(objects(request)):
        expected = DUPLICATE if filled else None
        assert json_fault(written(request, place)[0].encode()) == expected


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError
    return dict(pairs)


def _whole(text: str) -> int:
    _finite(text)
    return int(text)


def _finite(text: str) -> float:
    if math.isinf(float(text)):
        raise ValueError
    return float(text)


def _constant(_: str) -> None:
    raise ValueError


def reads(body: bytes) -> Any:
    """What the standard library reads, held to the same rules; raises ValueError where it breaks one."""
    rules = {"object_pairs_hook": _once, "parse_float": _finite, "parse_int": _whole, "parse_constant": _constant}
    found = json.loads(body.decode("utf-8"), **rules)
    json.dumps(found, ensure_ascii=False).encode("utf-8")  # no half a surrogate pair
    return found


PIECES = [b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"0", b"9", b"e", b"1e999", b"-", b".", b"\\ud800", b"\xff"]
PIECES += [b"\xc3", b"\x00", b"NaN", b"null", b" ", b'"id": 1, ', b"\\u0041", b"9" * 330]


def mutated(chance: random.Random) -> bytes:
    """The request with some bytes of it replaced, left out, put in or repeated."""
    body = bytearray(REQUEST.encode())
    for _ in range(chance.randint(1, 3)):
        at, length = chance.randrange(len(body)), chance.choice([0, 1, 2, 8])
        piece = chance.choice(PIECES) if chance.random() < 0.7 else bytes(body[at : at + chance.randint(1, 60)])
        body[at : at + length] = piece
    return bytes(body)


@given(st.integers(0, 1 << 40))
@settings(MANY, max_examples=2 * MANY.max_examples)
def test_of_a_damaged_request_it_takes_what_the_standard_library_takes(seed: int) -> None:
    body = mutated(random.Random(seed))  # noqa: S311  (no secret)
    try:
        expected = reads(body)
    except ValueError:
        assert json_fault(body) is not None
    else:
        assert json_fault(body) is None
        assert msgspec.json.decode(body) == expected
