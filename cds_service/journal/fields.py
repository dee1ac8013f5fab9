"""A field of a log line or an audit record in; the same out where its shape allows it, else only that it was withheld.

The list is closed: what is not in it is not written, whoever logs it and whatever it says.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

WITHHELD = "(withheld)"
_WORD = re.compile(r"[a-z0-9][a-z0-9.-]{0,63}")
_IDENTIFIER = re.compile(r"[A-Za-z_][\w.]{0,127}")
_PLACE = re.compile(r"[\w.<>-]{1,127}:\d{1,6}")
_HEX = re.compile(r"[0-9a-f]{16,32}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z")
_MESSAGE = re.compile(r"[ -~]{1,200}")
_ADDRESS = re.compile(r"[\w:/.~%+@?=&,-]{1,256}", re.ASCII)
Check = Callable[[Any], bool]


def _text(pattern: re.Pattern[str]) -> Check:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _words(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(map(_text(_WORD), value))


def _by_word(value: Any) -> bool:
    """A word for each word, a list of words, or a number: what became of which rule, how long which step took."""
    return isinstance(value, dict) and all(
        _text(_WORD)(name) and (_text(_WORD)(one) or _words(one) or _number(one)) for name, one in value.items()
    )


FIELDS: Mapping[str, Check] = {
    "timestamp": _text(_INSTANT),
    "level": _text(_WORD),
    "event": _text(_WORD),
    "correlation": _text(_UUID),
    "trace": _text(_HEX),
    "span": _text(_HEX),
    "issuer": _text(_ADDRESS),  # of the trust file; what a token claims is never passed on
    "service": _text(_WORD),
    "hook": _text(_WORD),
    "status": _number,
    "code": _text(_WORD),
    "reason": _text(_WORD),
    "outcome": _text(_WORD),
    "rule": _text(_WORD),
    "duration_ms": _number,
    "steps_ms": _by_word,
    "patient": _text(_HEX),  # a keyed hash
    "user": _text(_HEX),  # likewise
    "knowledge": _text(_WORD),
    "profile": _text(_WORD),
    "complete": lambda value: isinstance(value, bool),
    "rules": _by_word,
    "missing": _words,
    "cards": _number,
    "entries": _number,
    "version": _text(_WORD),
    "fault": _text(_IDENTIFIER),
    "place": _text(_PLACE),
    "logger": _text(_IDENTIFIER),
    "message": _text(_MESSAGE),  # of the server only: the format of its message, never what is put into it
    "process": _number,
}


def allowed(fields: Mapping[str, Any]) -> dict[str, Any]:
    """What may be written of these fields."""
    return {name: _shown(name, value) for name, value in fields.items() if name in FIELDS and value is not None}


def _shown(name: str, value: Any) -> Any:
    return value if FIELDS[name](value) else WITHHELD
