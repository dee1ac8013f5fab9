"""Which addresses the service may go to: every spelling that two parsers could read in two ways is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.outbound.url_guard import AllowedServer, Guard, address_of

EHR = Guard((AllowedServer.of("https://fhir.ehr.test/r4"),))
HERE = Guard(loopback_only=True)

ADMITTED = [
    "https://fhir.ehr.test/r4",
    "https://fhir.ehr.test/r4/",
    "https://fhir.ehr.test:443/r4/Patient/1",
    "https://FHIR.EHR.test/r4/Patient/1",
    "https://fhir.ehr.test/r4?_getpages=abc&_offset=20",
    "https://fhir.ehr.test/r4/Observation?code=http://loinc.org|24467-3,http://loinc.org%7C8123-2&x=a@b",
    "https://fhir.ehr.test/r4/Binary/a%20b",
    "https://fhir.ehr.test/r4/Observation?page=..%2f..",
]

REFUSED = [
    # another host, another port, another path
    "https://fhir.ehr.test.evil.test/r4",
    "https://fhir.ehr.testevil/r4",
    "https://evil.test/r4",
    "https://evil.test/?https://fhir.ehr.test/r4",
    "https://evil.test/https://fhir.ehr.test/r4",
    "https://ehr.test/r4",
    "https://a.fhir.ehr.test/r4",
    "https://fhir.ehr.test:8443/r4",
    "https://fhir.ehr.test:80/r4",
    "https://fhir.ehr.test:0443/r4",
    "https://fhir.ehr.test:/r4",
    "https://fhir.ehr.test:99999/r4",
    "https://fhir.ehr.test:-443/r4",
    "https://fhir.ehr.test:4٤3/r4",
    "https://fhir.ehr.test/r4evil",
    "https://fhir.ehr.test/r",
    "https://fhir.ehr.test/R4",
    "https://fhir.ehr.test",
    "https://fhir.ehr.test/",
    "https://fhir.ehr.test/other",
    # leaving the path
    "https://fhir.ehr.test/r4/../other-tenant/",
    "https://fhir.ehr.test/r4/..",
    "https://fhir.ehr.test/r4/./Patient",
    "https://fhir.ehr.test/r4/%2e%2e/other",
    "https://fhir.ehr.test/r4/%2E./other",
    "https://fhir.ehr.test/r4/%252e%252e/other",
    "https://fhir.ehr.test/r4%2fother",
    "https://fhir.ehr.test/r4/..%2fother",
    "https://fhir.ehr.test/r4/..%5cother",
    "https://fhir.ehr.test/r4/..;/other",
    "https://fhir.ehr.test/r4/%00",
    "https://fhir.ehr.test/r4/%c0%ae%c0%ae/other",
    "https://fhir.ehr.test/r4/%zz",
    "https://fhir.ehr.test/r4/%",
    "https://fhir.ehr.test//r4",
    "https://fhir.ehr.test/r4//other",
    # user names, backslashes, control characters, fragments
    "https://fhir.ehr.test@evil.test/r4",
    "https://user:word@fhir.ehr.test/r4",
    "https://@fhir.ehr.test/r4",
    "https://evil.test\\@fhir.ehr.test/r4",
    "https://fhir.ehr.test\\.evil.test/r4",
    "https:\\\\fhir.ehr.test/r4",
    "https://fhir.ehr.test/r4\\..\\other",
    "https://evil.test#@fhir.ehr.test/r4",
    "https://fhir.ehr.test/r4#x",
    "https://fhir.ehr.test/r4#",
    "https://fhir.ehr.test/r4\n",
    "https://fhir.ehr.test/r4\r\nX-Injected: 1",
    "https://fhir.ehr.test\t/r4",
    " https://fhir.ehr.test/r4",
    "https://fhir.ehr.test /r4",
    "https://fhir.ehr.test/r4/\x00",
    "https://fhir.ehr.test/r4/\x7f",
    # trailing dots, look-alikes
    "https://fhir.ehr.test./r4",
    "https://fhir..ehr.test/r4",
    "https://.fhir.ehr.test/r4",
    "https://fhir.ehr.t\u0435st/r4",  # a Cyrillic letter
    "https://\uff46hir.ehr.test/r4",  # full width
    "https://fhir。ehr。test/r4",
    "https://xn--fhir.ehr.test/r4",
    "https://fhir%2eehr.test/r4",
    "https://[fhir.ehr.test]/r4",
    # other schemes, none, empty
    "http://fhir.ehr.test/r4",
    "HTTPS://fhir.ehr.test/r4",
    "ftp://fhir.ehr.test/r4",
    "file:///etc/passwd",
    "gopher://fhir.ehr.test/r4",
    "javascript:alert(1)",
    "data:application/json,{}",
    "//fhir.ehr.test/r4",
    "/r4",
    "r4",
    "https:/fhir.ehr.test/r4",
    "https:fhir.ehr.test/r4",
    "https:///r4",
    "https://",
    "",
    " ",
    "https://fhir.ehr.test/r4?" + "x" * 2048,
    "https://fhir.ehr.test/r4/" + "x" * 10_000,
]

ODD_SPELLINGS = r"""
    127.1 127.0.1 2130706433 0x7f000001 0x7f.0.0.1 0X7F.1 0177.0.0.1 017700000001 0 0.0.0.0 127.0.0.1.
    127.0.0.01 localhost. localhost.evil.test 127.0.0.1.evil.test ①②⑦.⓪.⓪.① [::ffff:127.0.0.1]
    [::ffff:7f00:1] [::127.0.0.1] [64:ff9b::7f00:1] [2002:7f00:1::] [::1%25lo] [::1%lo] [::] [::1 ::1 []
    [fe80::1] [fd00::1] 169.254.169.254 10.0.0.1 192.168.0.1 172.16.0.1 100.64.0.1 fhir.ehr.test
    user@127.0.0.1 127.0.0.1@evil.test evil.test\@127.0.0.1
"""


@pytest.mark.parametrize("url", ADMITTED)
def test_the_allowed_server_is_admitted(url: str) -> None:
    assert EHR.admits(url)


@pytest.mark.parametrize("url", REFUSED)
def test_everything_else_is_refused(url: str) -> None:
    assert not EHR.admits(url)
    assert not HERE.admits(url)


@pytest.mark.parametrize("host", ODD_SPELLINGS.split())
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_this_machine_is_known_by_its_plain_names_alone(scheme: str, host: str) -> None:
    assert not HERE.admits(f"{scheme}://{host}/fhir")
    assert not HERE.admits(f"{scheme}://{host}:8080/fhir")


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "localhost", "LocalHost", "[::1]", "[0:0:0:0:0:0:0:1]"])
@pytest.mark.parametrize("port", ["", ":1", ":8080"])
def test_the_demo_may_ask_this_machine_at_any_port_and_nobody_else_may(host: str, port: str) -> None:
    assert HERE.admits(f"http://{host}{port}/fhir/Patient/1")
    assert HERE.admits(f"https://{host}{port}/fhir/Patient/1")
    assert not EHR.admits(f"http://{host}{port}/r4")
    assert not Guard().admits(f"http://{host}{port}/fhir")


@pytest.mark.parametrize(
    "ip",
    [
        "127.0.0.1",
        "::1",
        "0.0.0.0",  # noqa: S104  (an address to be refused)
        "::",
        "10.1.2.3",
        "172.20.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "224.0.0.1",
        "ff02::1",
        "240.0.0.1",
        "255.255.255.255",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::1",
        "::7f00:1",
        "not an address",
        "",
    ],
)
def test_a_name_that_leads_to_an_address_inside_is_not_followed(ip: str) -> None:
    address = EHR.admitted("https://fhir.ehr.test/r4")
    assert address
    assert not EHR.permits(address, ip)


@pytest.mark.parametrize("ip", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"])
def test_public_addresses_are_followed_but_never_from_the_demo(ip: str) -> None:
    address = EHR.admitted("https://fhir.ehr.test/r4")
    assert address
    assert EHR.permits(address, ip)
    assert not HERE.permits(address, ip)


def test_a_private_address_is_followed_for_the_server_that_may_have_one_only() -> None:
    inside = AllowedServer.of("https://fhir.inside.test/r4", private=True)
    guard = Guard((inside, AllowedServer.of("https://fhir.ehr.test/r4")))
    other = guard.admitted("https://fhir.ehr.test/r4")
    assert other
    for ip in ("10.1.2.3", "127.0.0.1", "::1", "fd00::1"):
        assert guard.permits(inside, ip)
        assert not guard.permits(other, ip)
    for ip in ("169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0", "::ffff:10.0.0.1"):  # noqa: S104
        assert not guard.permits(inside, ip)


@pytest.mark.parametrize(
    "url", ["http://fhir.ehr.test/r4", "https://fhir.ehr.test/r4?x=1", "https://u@fhir.ehr.test", "fhir.ehr.test", ""]
)
def test_a_configured_address_that_cannot_be_meant_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="base URL") as refused:
        AllowedServer.of(url)
    assert not url or url not in str(refused.value)


@given(st.text(max_size=60))
def test_no_text_makes_the_guard_fail(text: str) -> None:
    address_of(text)
    assert not EHR.admits(text)
    assert not EHR.admits(f"https://{text}.test/r4") or text.lower() == "fhir.ehr"


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30))
def test_what_is_admitted_lies_below_the_base_whoever_parses_it(text: str) -> None:
    url = f"https://fhir.ehr.test/r4/{text}"
    if EHR.admits(url):
        path = url.partition("?")[0].removeprefix("https://fhir.ehr.test")
        assert path.startswith("/r4/")
        assert ".." not in path.split("/")
        assert "%2e" not in path.lower()
