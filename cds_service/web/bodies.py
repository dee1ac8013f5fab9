"""The body of a request in, its bytes out: the right media type, not compressed, not one byte over the limit."""

from urllib.parse import parse_qsl

from flask import Request
from gunicorn.http.errors import ParseException

from cds_service.errors import Malformed, SlowBody, TooLarge, WrongMediaType

_MEDIA_TYPES = ("application/json", "application/fhir+json")
_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 40
_CHUNK = 1 << 16


def read_body(request: Request, limit: int) -> bytes:
    """Raises WrongMediaType, TooLarge, SlowBody, Malformed. A chunked body is read to its end, never cut."""
    _check_size(request.content_length, limit)
    if request.mimetype not in _MEDIA_TYPES or request.mimetype_params.get("charset", "utf-8").lower() not in (
        "utf-8",
        "utf8",
    ):
        raise WrongMediaType("Send JSON: application/json or application/fhir+json, in UTF-8.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise WrongMediaType("Send the body without compression.")
    return _read(request, limit)


def read_form(request: Request, limit: int) -> dict[str, str]:
    """The fields of a form. Raises as `read_body` does; `limit` is of the body as it is sent."""
    _check_size(request.content_length, limit)
    if request.mimetype != _FORM or request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise WrongMediaType(f"Send the fields of the form as {_FORM}, without compression.")
    try:
        return dict(parse_qsl(_read(request, limit).decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise Malformed("There are more fields than the form has.") from None


def _check_size(length: int | None, limit: int) -> None:
    if length is not None and length > limit:
        raise TooLarge(f"The body is larger than {limit} bytes.")


def _read(request: Request, limit: int) -> bytes:
    stream = request.environ["wsgi.input"] if request.content_length is None else request.stream
    if request.content_length is None and request.headers.get("Transfer-Encoding", "").lower() != "chunked":
        return b""  # neither a length nor chunks: there is no body
    pieces, total = [], 0
    try:
        while piece := stream.read(min(_CHUNK, limit + 1 - total)):
            pieces.append(piece)
            total += len(piece)
            _check_size(total, limit)
    except TimeoutError:  # of the client's socket, which the server gave up waiting for (slow_clients.py)
        raise SlowBody("The body did not come in time. Send it again.") from None
    except OSError:
        raise Malformed("The body broke off before its end.") from None
    except ParseException:
        raise Malformed("The body does not come in chunks as HTTP has them.") from None
    if request.content_length is not None and total < request.content_length:
        raise Malformed("The body is shorter than its stated length.")
    return b"".join(pieces)
