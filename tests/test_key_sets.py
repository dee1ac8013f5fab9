"""Key sets: which keys of a published set verify tokens, and how they are kept, renewed and survive an outage."""

import json
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from jwt.algorithms import RSAAlgorithm

from cds_service.access.issuers import Issuer, KeyAddress, KeyFile
from cds_service.access.key_set import MOST_BYTES, KeySetFault, read_key_set
from cds_service.access.keys import Keys
from cds_service.outbound.connection import trusting
from cds_service.outbound.url_guard import AllowedServer, Guard
from tests import fhir_servers as fakes
from tests.clients import CdsClient, key_set, private_key
from tests.fhir_servers import serving

FIRST, SECOND = CdsClient(kid="first"), CdsClient(kid="second", name="second")
RSA = CdsClient(algorithm="RS384", kid="rsa")
BOTH = ("ES384", "RS384")


# --- one set ---------------------------------------------------------------------------------------------------------


def test_each_key_is_bound_to_the_algorithms_that_it_fits() -> None:
    found = read_key_set(key_set(FIRST.jwk(), RSA.jwk(), RSA.jwk(kid="own", alg="RS384")), ("ES384", "RS256", "RS384"))
    assert set(found) == {("first", "ES384"), ("rsa", "RS256"), ("rsa", "RS384"), ("own", "RS384")}


@pytest.mark.parametrize(
    "key",
    [
        FIRST.jwk(use="enc"),
        FIRST.jwk(key_ops=["sign"]),
        FIRST.jwk(key_ops="verify"),
        FIRST.jwk(kid=None),
        FIRST.jwk(kid=""),
        FIRST.jwk(kid=7),
        FIRST.jwk(kid="x" * 257),
        FIRST.jwk(alg="ES256"),
        FIRST.jwk(alg="none"),
        FIRST.jwk(crv="P-256"),
        FIRST.jwk(kty="OKP"),
        FIRST.jwk(x="AAAA"),
        FIRST.jwk(y=None),
        {"kty": "oct", "kid": "first", "k": "c2VjcmV0"},
        RSA.jwk(n="AQAB"),
        CdsClient(algorithm="ES256", kid="small").jwk(),
        "no object",
        None,
    ],
)
def test_a_key_that_cannot_verify_costs_itself_only(key: Any) -> None:
    assert set(read_key_set(key_set(key, SECOND.jwk()), BOTH)) == {("second", "ES384")}
    with pytest.raises(KeySetFault):
        read_key_set(key_set(key), BOTH)


def test_a_short_rsa_key_is_not_used() -> None:
    short = json.loads(key_set(RSA.jwk()))["keys"][0]
    public = private_key("RS384", "short", 1024).public_key()
    short |= RSAAlgorithm.to_jwk(public, as_dict=True)  # type: ignore[arg-type]
    with pytest.raises(KeySetFault):
        read_key_set(key_set(short), BOTH)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": []}',
        b'{"keys": [], "keys": []}',
        key_set(FIRST.jwk(), SECOND.jwk(kid="first")),  # which of them?
        key_set(FIRST.jwk(), RSA.jwk(kid="first")),
        key_set(FIRST.jwk(d="AAAA")),
        key_set(FIRST.jwk(), RSA.jwk(d="AAAA", key_ops=["sign"])),
        key_set(*(FIRST.jwk(kid=f"{number}") for number in range(101))),
        b"[" * 100_000,
        b"\xff\xfe",
        key_set(FIRST.jwk()) + b" " * MOST_BYTES,
    ],
)
def test_a_set_that_cannot_be_trusted_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(KeySetFault):
        read_key_set(body, BOTH)


# --- kept and renewed ------------------------------------------------------------------------------------------------


class Place:
    """Where a client publishes its keys; what it says can be changed, and who asks is counted."""

    def __init__(self, *clients: CdsClient) -> None:
        self.now = 1000.0
        self.counted: Counter[str] = Counter()
        self.behave: fakes.Behaviour = fakes.failing("500 x")
        self.publish(*clients)

    def publish(self, *clients: CdsClient) -> None:
        self.behave = fakes.answering(fakes.whole(key_set(*(one.jwk() for one in clients))))

    def __call__(self, server: fakes.FakeServer, connection: socket.socket, asked: fakes.Asked) -> None:
        self.behave(server, connection, asked)

    def keys_at(self, url: str) -> Keys:
        where = KeyAddress(url=url, guard=Guard((AllowedServer.of(url, private=True),)))
        issuer = Issuer(iss="https://ehr.example.org", keys=where, algorithms=BOTH)
        return Keys(issuer, trusting(), lambda outcome: self.counted.update([outcome]), lambda: self.now)


@contextmanager
def published(*clients: CdsClient) -> Iterator[tuple[Place, Keys, fakes.FakeServer]]:
    place = Place(*clients)
    with serving(place) as server:
        yield place, place.keys_at(server.base), server


def found(keys: Keys, client: CdsClient, seconds: float = 3) -> bool:
    return keys.find(client.kid, client.algorithm, seconds) is not None


def until(condition: Callable[[], object]) -> None:
    ends = monotonic() + 5
    while not condition():
        assert monotonic() < ends
        sleep(0.005)


def test_a_set_is_fetched_when_it_is_first_needed_and_then_kept() -> None:
    with published(FIRST) as (place, keys, server):
        assert not server.asked
        assert all(found(keys, FIRST) for _ in range(50))
        assert len(server.asked) == 1
        assert place.counted == {"fetched": 1}


def test_many_at_once_cause_one_fetch() -> None:
    with published(FIRST) as (_, keys, server):
        with ThreadPoolExecutor(16) as pool:
            assert all(pool.map(lambda _: found(keys, FIRST), range(64)))
        assert len(server.asked) == 1


def test_a_token_that_names_a_new_key_finds_it_without_a_restart() -> None:
    with published(FIRST) as (place, keys, server):
        assert found(keys, FIRST)
        place.publish(FIRST, SECOND)
        assert not found(keys, SECOND)  # asked less than thirty seconds ago
        place.now += 30
        assert found(keys, SECOND)
        assert found(keys, FIRST)
        assert len(server.asked) == 2


def test_ten_thousand_unknown_keys_cause_one_fetch_in_thirty_seconds() -> None:
    with published(FIRST) as (place, keys, server):
        assert found(keys, FIRST)
        for number in range(10_000):
            place.now += 0.003
            assert not found(keys, CdsClient(kid=f"unknown-{number}"))
        assert len(server.asked) == 2


def test_a_key_that_is_withdrawn_is_soon_unknown() -> None:
    with published(FIRST, SECOND) as (place, keys, server):
        assert found(keys, SECOND)
        place.publish(FIRST)
        place.now += 301
        assert found(keys, SECOND)  # nobody waits for what is fetched now
        until(lambda: place.counted["fetched"] == 2)
        assert not found(keys, SECOND)
        assert found(keys, FIRST)
        assert len(server.asked) == 2


@pytest.mark.parametrize(
    "outage",
    [
        fakes.failing("500 x"),
        fakes.failing("404 x"),
        fakes.closing_at_once,
        fakes.half(key_set(FIRST.jwk())),
        fakes.redirecting("http://127.0.0.1/elsewhere"),
        fakes.answering(fakes.whole(b"<html>", Content_Type="text/html")),
        fakes.answering(fakes.whole(key_set())),
        fakes.answering(fakes.whole(key_set(FIRST.jwk(d="AAAA")))),
        fakes.answering(fakes.whole(key_set(FIRST.jwk(), SECOND.jwk(kid="first")))),
        fakes.flooding(stated=False, megabytes=5),
        fakes.gzip_bomb(10),
    ],
    ids=["500", "404", "closes", "half", "redirect", "html", "empty", "private", "twice", "flood", "gzip"],
)
def test_an_outage_leaves_the_known_keys_in_force_for_a_day(outage: fakes.Behaviour) -> None:
    with published(FIRST) as (place, keys, _):
        assert found(keys, FIRST)
        place.behave = outage
        place.now += 23 * 3600
        assert not found(keys, SECOND)
        assert found(keys, FIRST)
        place.now += 3601
        assert not found(keys, FIRST)
        place.publish(FIRST)
        place.now += 31
        assert found(keys, FIRST)


def test_a_place_that_does_not_answer_costs_no_more_than_may_be_waited_and_ends_by_itself() -> None:
    with published() as (place, keys, server):
        place.behave = fakes.silent
        began = monotonic()
        assert not found(keys, FIRST, seconds=0.2)
        assert monotonic() - began < 1.5
        assert len(server.asked) <= 1
        until(lambda: place.counted["failed"] == 1)
        assert not [one for one in threading.enumerate() if one.name == "access-keys"]


def test_while_there_is_no_key_at_all_it_is_asked_again_soon() -> None:
    with published(FIRST) as (place, keys, server):
        place.behave = fakes.failing("500 x")
        assert not found(keys, FIRST)
        place.publish(FIRST)
        assert not found(keys, FIRST)
        place.now += 5
        assert found(keys, FIRST)
        assert len(server.asked) == 2


def test_a_redirect_is_never_followed_nor_a_place_inside_asked() -> None:
    with serving(fakes.answering(fakes.whole(key_set(FIRST.jwk())))) as stranger:
        with published() as (place, keys, _):
            place.behave = fakes.redirecting(f"{stranger.base}/jwks")
            assert not found(keys, FIRST)
        inside = Issuer(
            iss="https://ehr.example.org",
            keys=KeyAddress(url=stranger.base, guard=Guard((AllowedServer.of(stranger.base),))),
            algorithms=BOTH,
        )
        assert not found(Keys(inside, trusting(), lambda _: None), FIRST)
        assert not stranger.connections


def test_a_file_is_read_anew_when_a_token_names_another_key(tmp_path: Path) -> None:
    file, now = tmp_path / "keys.json", [1000.0]
    file.write_bytes(key_set(FIRST.jwk()))
    issuer = Issuer(iss="https://ehr.example.org", keys=KeyFile(path=file), algorithms=BOTH)
    keys = Keys(issuer, trusting(), lambda _: None, lambda: now[0])
    keys.load()
    assert found(keys, FIRST)
    file.write_bytes(key_set(SECOND.jwk()))
    now[0] += 30
    assert found(keys, SECOND)
    assert not found(keys, FIRST)
    file.unlink()
    now[0] += 31
    assert not found(keys, FIRST)
    assert found(keys, SECOND)
