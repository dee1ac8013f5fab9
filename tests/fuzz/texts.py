"""The text of a document and a random source in, bytes that are JSON no more, or only just, out."""

import json
import re
from collections.abc import Callable
from random import Random

_NUMBER = re.compile(r"(?<=[:\[,] )-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?=[,\]}])")
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')
_MEMBER = re.compile(r'"[A-Za-z]+": (?:"[^"\\]*"|-?\d+|null|true|false)')
_NUMBERS = (
    "1e400",
    "-1e400",
    "1E308",
    "1e-400",
    "1e99999999999999999999",
    "0e999999999",
    "-0",
    "-0.0",
    "00",
    "01",
    "+1",
    "1.",
    ".5",
    "0x10",
    "1_000",
    "NaN",
    "Infinity",
    "-Infinity",
    "1" * 310,
    "1" * 5000,
    "0." + "1" * 5000,
    "1" * 300 + "e9",
    "1e",
    "--1",
    "1 2",
    "True",
)
_ESCAPES = (
    "\\u0000",
    "\\ud800",
    "\\udc00\\ud800",
    "\\ud83e\\uddec",
    "\\u00",
    "\\x41",
    "\\/",
    "\\'",
    "\\",
    "\n",
    "\t",
    "\x01",
    "\x7f",
    "\u2028",
)
_ENDS = ("}", "]", ",", "{}", " {}", "null", "\x00", "//", "/* */", "\ufeff", " " * 5000, "\n" * 3)


def changed_text(rng: Random, text: str) -> bytes:
    """One or two changes that only somebody who reads the text sees."""
    for _ in range(rng.choice((1, 1, 2))):
        text = rng.choice(_CHANGES)(rng, text)
    return _encoded(rng, text)


def changed_bytes(rng: Random, body: bytes) -> bytes:
    """One to four changes that know nothing of JSON."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        body = rng.choice(_BLIND)(rng, body)
    return body


def _encoded(rng: Random, text: str) -> bytes:
    if rng.random() < 0.93:
        return text.encode("utf-8", "surrogatepass")
    return text.encode(rng.choice(("utf-16", "utf-32", "utf-8-sig", "utf-7", "latin-1", "cp037")), "replace")


def _somewhere(rng: Random, pattern: re.Pattern[str], text: str, new: Callable[[str], str]) -> str:
    """One match put differently."""
    found = list(pattern.finditer(text))
    if not found:
        return text
    one = rng.choice(found)
    return text[: one.start()] + new(one[0]) + text[one.end() :]


def _number(rng: Random, text: str) -> str:
    return _somewhere(rng, _NUMBER, text, lambda _: rng.choice(_NUMBERS))


def _escape(rng: Random, text: str) -> str:
    return _somewhere(
        rng, _TEXT, text, lambda old: old[: len(old) // 2 or 1] + rng.choice(_ESCAPES) + old[len(old) // 2 or 1 :]
    )


def _twice(rng: Random, text: str) -> str:
    return _somewhere(rng, _MEMBER, text, lambda old: old + ", " + rng.choice((old, _written_otherwise(old))))


def _written_otherwise(member: str) -> str:
    """The same name with its first letter escaped."""
    return f'"\\u{ord(member[1]):04x}{member[2:]}'


def _deep(rng: Random, text: str) -> str:
    depth = rng.choice((100, 199, 201, 1000, 30_000))
    inside = rng.choice(('{"a":', "[")) * depth
    closing = ("}" if inside.startswith("{") else "]") * (depth if rng.random() < 0.8 else depth - 1)
    return _somewhere(rng, _TEXT, text, lambda old: old if rng.random() < 0.1 else f"{inside}1{closing}")


def _wide(rng: Random, text: str) -> str:
    many = rng.choice((10, 1000, 20_000))
    members = ",".join(f'"{rng.choice("abc")}{place}":{place}' for place in range(many))
    return _somewhere(rng, _NUMBER, text, lambda _: f"{{{members}}}" if rng.random() < 0.5 else json.dumps([0] * many))


def _end(rng: Random, text: str) -> str:
    return text + rng.choice(_ENDS) if rng.random() < 0.7 else rng.choice(_ENDS) + text


def _cut(rng: Random, text: str) -> str:
    return text[: rng.randrange(len(text) + 1)]


def _two(_: Random, text: str) -> str:
    return text + text


def _spell(rng: Random, text: str) -> str:
    old, new = rng.choice((('"', "'"), (",", ",,"), (": ", "= "), ("null", "None"), (", ", ",\x0c"), ("{", "(")))
    return text.replace(old, new, rng.choice((1, -1)))


_CHANGES = (_number, _number, _escape, _escape, _twice, _twice, _deep, _wide, _end, _cut, _two, _spell)


def _flip(rng: Random, body: bytes) -> bytes:
    changed = bytearray(body)
    for _ in range(rng.choice((1, 1, 3, 30)) if body else 0):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _insert(rng: Random, body: bytes) -> bytes:
    at = rng.randrange(len(body) + 1)
    new = (
        rng.randbytes(rng.choice((1, 4, 200)))
        if rng.random() < 0.5
        else rng.choice((b"\x00", b'"', b"\\", b"\xff\xfe"))
    )
    return body[:at] + new + body[at:]


def _remove(rng: Random, body: bytes) -> bytes:
    at = rng.randrange(len(body) + 1)
    return body[:at] + body[at + rng.choice((1, 5, 500)) :]


def _move(rng: Random, body: bytes) -> bytes:
    start, at = rng.randrange(len(body) + 1), rng.randrange(len(body) + 1)
    return body[:at] + body[start : start + rng.choice((10, 300, 5000))] + body[at:]


def _half(rng: Random, body: bytes) -> bytes:
    return body[: rng.randrange(len(body) + 1)]


def _again(rng: Random, body: bytes) -> bytes:
    return body * rng.choice((2, 3))


def _noise(rng: Random, _: bytes) -> bytes:
    return rng.randbytes(rng.choice((0, 1, 50, 5000)))


_BLIND = (_flip, _flip, _flip, _insert, _insert, _remove, _move, _half, _again, _noise)
