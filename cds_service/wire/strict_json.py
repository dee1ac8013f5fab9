"""The bytes of a JSON text in; what keeps it from meaning the same to every reader out, in words without anything of it."""

import codecs
import json
import math
import re

import jiter

_NOT_UTF_8 = "it is not UTF-8"
_MARKED = "it begins with a byte order mark"
_OUT_OF_RANGE = "a number is out of range"
_NOT_JSON = "it is not one JSON value (which has no NaN and no Infinity)"
_KINDS = (  # how the parser begins to say it; what follows there may be of the input
    ("Detected duplicate key", "an object has two members of one name"),
    ("recursion limit exceeded", "it is nested too deeply"),
    ("number out of range", _OUT_OF_RANGE),
    ("lone leading surrogate", "text holds half a surrogate pair"),
    ("unexpected end of hex escape", "text holds half a surrogate pair"),
)
# Only these can be beyond a double, whose largest has 309 digits: an exponent of three digits or more, or, as an exponent
# of two adds 99 at most, a whole part of 210 digits. All digits read as 0 here, and E as e.
_SHAPES = bytes.maketrans(b"123456789E", b"000000000e")
_LONG = b"0" * 210
_EXPONENT = re.compile(rb"0e\+?000+(?:[\s,\]}]|\Z)")


def json_fault(body: bytes) -> str | None:
    """None for one JSON value in UTF-8 with finite numbers, whole characters, no name twice in an object, no deep nesting."""
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return _NOT_UTF_8
    if body.startswith(codecs.BOM_UTF8):
        return _MARKED
    try:
        jiter.from_json(body, allow_inf_nan=False, catch_duplicate_keys=True, cache_mode="keys")
    except ValueError as error:
        said = str(error)
        return next((kind for start, kind in _KINDS if said.startswith(start)), _NOT_JSON)
    return _OUT_OF_RANGE if _may_overflow(body) and _overflows(body) else None


def _may_overflow(body: bytes) -> bool:
    """Whether a text that looks like a number out of range is anywhere, were it within a string. Never misses one."""
    shapes = body.translate(_SHAPES)
    return _LONG in shapes or _EXPONENT.search(shapes) is not None


def _overflows(body: bytes) -> bool:
    """Whether a number is out of range: exactly, at several times the cost."""
    beyond = False

    def look(text: str) -> None:
        nonlocal beyond
        beyond = beyond or math.isinf(float(text))

    json.loads(body, parse_float=look, parse_int=look)
    return beyond
