"""JSON texts in; which of them mean the same to every reader, and that no other gets in."""

from collections.abc import Callable

import pytest

from cds_service.chart.fhir_pages import Query
from cds_service.errors import Malformed
from cds_service.wire.envelope import members_of
from cds_service.wire.feedback import read_feedback
from cds_service.wire.strict_json import json_fault

DUPLICATE = "an object has two members of one name"
RANGE = "a number is out of range"
SURROGATE = "text holds half a surrogate pair"
DEEP = "it is nested too deeply"
ENCODING = "it is not UTF-8"
GRAMMAR = "it is not one JSON value (which has no NaN and no Infinity)"

REFUSED: dict[str, tuple[bytes, str]] = {
    "the same name twice": (b'{"a": 1, "a": 1}', DUPLICATE),
    "twice, once with an escape": (b'{"patientId": "1", "patient\\u0049d": "2"}', DUPLICATE),
    "twice, far down": (b'{"a": [{}, {"b": {"value": 1, "unit": "x", "value": 2}}]}', DUPLICATE),
    "twice, both empty": (b'{"": 1, "": 2}', DUPLICATE),
    "twice, with another name between": (b'{"context": {}, "hook": "x", "context": {}}', DUPLICATE),
    "an exponent too large": (b'{"a": 1e999}', RANGE),
    "negative": (b'{"a": -1e400}', RANGE),
    "an exponent with zeros before it": (b'{"a": 1e0000000400}', RANGE),
    "an exponent with a plus": (b'{"a": 1E+0400}', RANGE),
    "an exponent of three digits": (b'{"a": 1e309}', RANGE),
    "the first that is too large": (b'{"a": 1.797693134862315808e308}', RANGE),
    "many digits and an exponent": (b'{"a": 123456e304}', RANGE),
    "a long number and an exponent of two digits": (b'{"a": 1' + b"0" * 210 + b"e99}", RANGE),
    "a long number with a fraction and an exponent": (b'{"a": 1' + b"7" * 300 + b".5e9}", RANGE),
    "400 digits": (b'{"a": ' + b"9" * 400 + b"}", RANGE),
    "400 digits and a fraction": (b'{"a": ' + b"9" * 400 + b".0}", RANGE),
    "5000 digits": (b'{"a": ' + b"9" * 5000 + b"}", RANGE),
    "the last thing of all": (b"1e999", RANGE),
    "half a character": (b'{"a": "\\ud800"}', SURROGATE),
    "the other half": (b'{"a": "\\udc00 dolutegravir"}', SURROGATE),
    "two first halves": (b'{"a": "\\ud83d\\ud83d"}', SURROGATE),
    "half a character in a name": (b'{"\\ud800x": 1}', SURROGATE),
    "arrays in arrays": (b"[" * 203 + b"]" * 203, DEEP),
    "objects in objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, DEEP),
    "no UTF-8 in a string": (b'{"a": "\xff"}', ENCODING),
    "a surrogate in bytes": (b'{"a": "\xed\xa0\x80"}', ENCODING),
    "a character longer than it need be": (b'{"a": "\xc0\xaf"}', ENCODING),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), ENCODING),
    "a byte order mark": (b'\xef\xbb\xbf{"a": 1}', "it begins with a byte order mark"),
    "NaN": (b'{"a": NaN}', GRAMMAR),
    "infinity": (b'{"a": -Infinity}', GRAMMAR),
    "two values": (b"{} {}", GRAMMAR),
    "a NUL behind it": (b"{}\x00", GRAMMAR),
    "a number with a zero before it": (b'{"a": 0120}', GRAMMAR),
    "a control character in a string": (b'{"a": "\x00"}', GRAMMAR),
    "nothing": (b"", GRAMMAR),
}
TAKEN: dict[str, bytes] = {
    "the largest number": b'{"a": 1.7976931348623157e308, "b": -1.7976931348623157e+308}',
    "a number too small to tell from zero": b'{"a": 1e-999}',
    "a long fraction": b'{"a": 0.' + b"3" * 1000 + b"}",
    "308 digits": b'{"a": ' + b"9" * 308 + b"}",
    "300 digits and an exponent": b'{"a": ' + b"9" * 300 + b"e8}",
    "zero with a large exponent": b'{"a": 0e999, "b": 0.000E+1000}',
    "many zeros behind the point against the exponent": b'{"a": 0.' + b"0" * 300 + b"1e400}",
    "text that looks like a number out of range": b'{"a": "1e999", "b": "grows 1e999, and 2E+400 ", "1e999": 1}',
    "an id that does": b'{"id": "0f1e9991-9e99-4e12-8e123-1e999999999999"}',
    "text of many digits": b'{"a": "' + b"7" * 5000 + b'"}',
    "the same name in two objects": b'{"a": {"b": 1}, "c": {"b": 1}, "b": {"a": 1}}',
    "names that differ in case": b'{"a": 1, "A": 2}',
    "a whole surrogate pair": b'{"a": "\\ud83d\\ude00"}',
    "an escaped NUL": b'{"a": "\\u0000"}',
    "200 arrays": b"[" * 200 + b"]" * 200,
    "white space around it": b' \r\n\t{"a": 1} ',
}


@pytest.mark.parametrize(("body", "fault"), REFUSED.values(), ids=REFUSED)
def test_what_could_be_read_in_two_ways_is_refused_by_its_kind(body: bytes, fault: str) -> None:
    assert json_fault(body) == fault


@pytest.mark.parametrize("body", TAKEN.values(), ids=TAKEN)
def test_what_every_reader_reads_alike_is_taken(body: bytes) -> None:
    assert json_fault(body) is None


@pytest.mark.parametrize("read", [members_of, read_feedback])
@pytest.mark.parametrize("body", [body for body, _ in REFUSED.values()], ids=REFUSED)
def test_requests_and_feedback_come_through_the_same_gate(body: bytes, read: Callable[[bytes], object]) -> None:
    with pytest.raises(Malformed) as refused:
        read(body)
    assert not [one for one in ("patientId", "unit", "dolutegravir", "1e", "999") if one in refused.value.sentence]


def test_a_page_of_a_fhir_server_comes_through_it_too() -> None:
    for entry in (b'{"fullUrl": 1, "fullUrl": 2}', b'{"x": 1e999}', b'{"x": "\\ud800"}'):
        query = Query("https://fhir.example/Observation")
        body = b'{"resourceType": "Bundle", "entry": [%s]}' % entry
        query.run(lambda _url, _most, body=body: body)  # type: ignore[misc]
        assert query.so_far().fault == "unreadable"
        assert not query.so_far().pages
