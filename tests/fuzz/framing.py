"""A good body and its headers in, HTTP that is odd, wrong or no HTTP at all out."""

from collections.abc import Callable
from random import Random

from tests.fuzz.documents import LENT, PATHS
from tests.fuzz.line import Headers, message

_METHODS = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "CONNECT", "post", "FOO", "P\x00ST", "")
_PLACES = (
    "/",
    "/cds-services",
    "/cds-services/",
    "/cds-services/none",
    "/healthz",
    "/readyz",
    "/metrics",
    "//cds-services",
    "/cds-services/%2e%2e/metrics",
    "/cds-services/..%2fmetrics",
    "/%00",
    "/static/../../../etc/passwd",
    "/static/%2e%2e/pages.py",
    f"/cds-services/{'a' * 3000}",
    f"/{'%41' * 2000}",
    "/cds-services/\xff\xfe",
    "*",
    "http://evil.example/cds-services",
    f"{PATHS[0]}/feedback/x",
    f"{PATHS[0]}?x={LENT}",
    f"{PATHS[0]};x=1",
    "/cds-services/immune-status-order-sign%0d%0aX: y",
)
_TYPES = (
    "",
    "text/plain",
    "application/xml",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "application/json; charset=utf-16",
    "application/json; charset=\x80",
    'application/json; charset="utf-8',
    "application/fhir+json; fhirVersion=4.0",
    "application/json, text/html",
    "a" * 7000,
    "application/json;" + ";a=b" * 500,
)
_ENCODINGS = ("gzip", "deflate", "br", "zstd", "identity", "gzip, gzip", "IDENTITY", "\x80", "")
_LENGTHS = ("-1", "+5", "0x5", "5, 5", " ", "1e3", "٣", "0", "99999999999999999999", "1", "5\x00")
_CODINGS = (
    "chunked",
    "xchunked",
    "chunked, chunked",
    "gzip, chunked",
    "identity",
    "Chunked",
    "chunked\x00",
    " chunked",
)
_HEADERS = (
    ("X-HTTP-Method-Override", "GET"),
    ("X-Forwarded-For", "127.0.0.1"),
    ("X_Forwarded_For", "127.0.0.1"),
    ("Forwarded", "for=127.0.0.1"),
    ("Host", "evil.example"),
    ("Origin", "https://evil.example"),
    ("Origin", "null"),
    ("Access-Control-Request-Method", "POST"),
    ("Cookie", "session=" + "x" * 4000),
    ("Connection", "close, Upgrade"),
    ("Upgrade", "h2c"),
    ("Expect", "100-continue"),
    ("Expect", "something"),
    ("Range", "bytes=0-1"),
    ("Accept", "text/html"),
    ("Accept-Encoding", "gzip"),
    ("If-Match", '"x"'),
    ("X-Odd", "a\x00b"),
    ("X-Odd", "\xff\xfe"),
    ("X Odd", "a"),
    ("X-Long", "y" * 9000),
    ("SCRIPT_NAME", "/x"),
    ("Proxy", "http://evil.example"),
    ("Trailer", "Authorization"),
)
_FIRST = ("HTTP/1.0", "HTTP/1.1", "HTTP/2.0", "HTTP/0.9", "HTTP/1.11", "http/1.1", "HTTP/1.1 x", "", "FOO/1.1")


def chunked(rng: Random, body: bytes) -> bytes:
    """In pieces of some size, with what the grammar allows besides."""
    size = rng.choice((1, 7, 1000)) if len(body) < 2000 else rng.choice((500, 5000, 70_000))
    more = rng.choice(("", ";x=y", "; x", ""))
    pieces = (body[at : at + size] for at in range(0, len(body), size))
    ending = rng.choice((b"0\r\n\r\n", b"0\r\nX-Last: 1\r\n\r\n", b"000\r\n\r\n"))
    return b"".join(b"%x%s\r\n%s\r\n" % (len(one), more.encode(), one) for one in pieces) + ending


def framed_oddly(rng: Random, path: str, headers: Headers, body: bytes) -> tuple[bytes, str]:
    """The bytes, and the method that the first answer answers."""
    return rng.choice(_WAYS)(rng, path, headers, body)


def _method(rng: Random, path: str, headers: Headers, body: bytes) -> tuple[bytes, str]:
    method = rng.choice(_METHODS)
    return message(method, rng.choice((path, *_PLACES)), headers, body), method


def _place(rng: Random, _: str, headers: Headers, body: bytes) -> tuple[bytes, str]:
    method = rng.choice(("GET", "POST", "POST"))
    return message(method, rng.choice(_PLACES), headers, body), method


def _type(rng: Random, path: str, headers: Headers, body: bytes) -> tuple[bytes, str]:
    return message("POST", path, headers | {"Content-Type": rng.choice(_TYPES)}, body), "POST"


def _coded(rng: Random, path: str, headers: Headers, body: bytes) -> tuple[bytes, str]:
    return message("POST", path, headers | {"Content-Encoding": rng.choice(_ENCODINGS)}, body), "POST"


def _length(rng: Random, path: str, headers: Headers, body: bytes) -> tuple[bytes, str]:
    stated = rng.choice((*_LENGTHS, str(len(body) + 1), str(max(0, len(body) - 1)), str(10**9)))
    return message("POST", path, headers | {"Content-Length": stated}, body), "POST"


def _in_chunks(rng: Random, path: str, headers: Headers, body: bytes) -> tuple[bytes, str]:
    kept = {name: value for name, value in headers.items() if name != "Content-Length"}
    whole = chunked(rng, body)
    if rng.random() < 0.5:
        at = rng.randrange(len(whole))
        whole = rng.choice((whole[:at], whole[:at] + b"zz\r\n" + whole[at:], whole + whole, b"ffffffffff\r\n" + whole))
    return message("POST", path, kept | {"Transfer-Encoding": "chunked"}, whole), "POST"


def _both(rng: Random, path: str, headers: Headers, body: bytes) -> tuple[bytes, str]:
    sent = rng.choice((body, chunked(rng, body)))
    return message("POST", path, headers | {"Transfer-Encoding": rng.choice(_CODINGS)}, sent), "POST"


def _more(rng: Random, path: str, headers: Headers, body: bytes) -> tuple[bytes, str]:
    return message("POST", path, headers | dict(rng.sample(_HEADERS, rng.randint(1, 4))), body), "POST"


def _many(rng: Random, path: str, headers: Headers, body: bytes) -> tuple[bytes, str]:
    many = {f"X-{place}": "y" for place in range(rng.choice((90, 101, 2000)))}
    return message("POST", path, headers | many, body), "POST"


def _first(rng: Random, path: str, headers: Headers, body: bytes) -> tuple[bytes, str]:
    return message("POST", path, headers, body, rng.choice(_FIRST)), "POST"


def _several(rng: Random, path: str, headers: Headers, body: bytes) -> tuple[bytes, str]:
    """One after the other without waiting; the token is good for one of them."""
    return message("POST", path, headers, body) * rng.choice((2, 5)), "POST"


def _ends(rng: Random, path: str, headers: Headers, body: bytes) -> tuple[bytes, str]:
    whole = message("POST", path, headers, body)
    return whole.replace(b"\r\n", rng.choice((b"\n", b"\r", b"\r\n ", b"\r\n\r\n")), rng.choice((1, 3))), "POST"


def _broken(rng: Random, path: str, headers: Headers, body: bytes) -> tuple[bytes, str]:
    whole = message("POST", path, headers, body)
    at = rng.randrange(len(whole))
    return rng.choice((whole[:at], rng.randbytes(200) + whole, whole[:at] + rng.randbytes(3) + whole[at:])), "POST"


_WAYS: tuple[Callable[[Random, str, Headers, bytes], tuple[bytes, str]], ...] = (
    _method,
    _place,
    _type,
    _coded,
    _length,
    _in_chunks,
    _in_chunks,
    _both,
    _more,
    _many,
    _first,
    _several,
    _ends,
    _broken,
)
