"""Client tokens: what is believed, to the second and to the character; nothing that PyJWT alone would let pass."""

import base64
import json
import string
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.access import Callers
from cds_service.access.issuers import Issuer, KeyFile
from cds_service.access.tokens import REASONS
from cds_service.errors import Unauthenticated
from cds_service.ledger import Ledger
from cds_service.outbound.connection import trusting
from tests.clients import BASE, SIGN, CdsClient, encoded, key_set

NOW = 1_800_000_000
CLIENT = CdsClient()
HEADER = {"alg": "ES384", "kid": CLIENT.kid, "typ": "JWT"}


class Door:
    """The callers of a service whose clock stands still, and the reasons they were told nothing of."""

    def __init__(self, folder: Path, **rules: Any) -> None:
        (folder / "keys.json").write_bytes(key_set(CLIENT.jwk(), CdsClient(algorithm="RS384", kid="rsa").jwk()))
        keys = KeyFile(path=folder / "keys.json", jku=rules.pop("jku", None))
        issuer = Issuer(**{"iss": CLIENT.iss, "keys": keys, "algorithms": ("ES384", "RS384")} | rules)
        self.reasons: Counter[str] = Counter()
        self.callers = Callers([issuer], Ledger("sqlite://").seen_tokens, self, trusting)

    def refused(self, issuer: str, reason: str) -> None:
        assert issuer in (CLIENT.iss, "unknown")
        assert reason in REASONS
        self.reasons[reason] += 1

    def keys(self, *_: str) -> None:
        pass

    def why(self, authorization: str | None, path: str = SIGN) -> str | None:
        """None where the token is believed and used up, else the reason."""
        self.reasons.clear()
        with suppress(Unauthenticated):
            caller = self.callers.check(authorization, BASE + path, NOW, 1)
            self.callers.use_up(caller, NOW, 1)
            assert not self.reasons
            return None
        (reason,) = self.reasons
        return reason

    def of(self, header: dict[str, Any] | None = None, **claims: Any) -> str | None:
        return self.why(f"Bearer {CLIENT.token(now=NOW, header=header, **claims)}")


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Door:
    return Door(tmp_path_factory.mktemp("door"))


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_good_token_is_believed(door: Door, scheme: str) -> None:
    assert door.why(f"{scheme} {CLIENT.token(now=NOW)}") is None


def test_a_key_of_the_other_kind_is_believed_too(door: Door) -> None:
    other = CdsClient(algorithm="RS384", kid="rsa")
    assert door.why(f"Bearer {other.token(now=NOW)}") is None


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": NOW + 300}, None),
        ({"exp": NOW + 301}, "lifetime"),
        ({"exp": NOW + 10 * 365 * 86400}, "lifetime"),
        ({"exp": NOW}, "lifetime"),
        ({"exp": NOW - 1}, "lifetime"),
        ({"iat": NOW + 60, "exp": NOW + 360}, None),
        ({"iat": NOW + 61, "exp": NOW + 361}, "too-early"),
        ({"iat": NOW - 358, "exp": NOW - 59}, None),
        ({"iat": NOW - 360, "exp": NOW - 60}, "expired"),
        ({"iat": -1, "exp": 1}, "lifetime"),
        ({"nbf": NOW - 300}, None),
        ({"nbf": NOW + 60}, None),
        ({"nbf": NOW + 61}, "too-early"),
        ({"nbf": "x"}, "claims"),
        ({"nbf": True}, "claims"),
        ({"nbf": 1.5}, "claims"),
        *(({"exp": bad}, "claims") for bad in (None, str(NOW + 300), NOW + 300.5, True, [NOW], {}, 1e30)),
        *(({"iat": bad}, "claims") for bad in (None, str(NOW), float(NOW), False, [])),
        ({"exp": 10**30}, "lifetime"),
        ({"exp": -(10**30)}, "lifetime"),
        *(
            ({"jti": bad}, "claims")
            for bad in (None, "", "x" * 257, 7, ["x"], "a b", "ünïcode", "nul\0", "tab\t", "\u202e")
        ),
        ({"jti": "x" * 256}, None),
        ({"aud": [BASE + SIGN]}, None),
        ({"aud": ["https://other.example.org", BASE + SIGN]}, None),
        ({"aud": ["x"] * 9 + [BASE + SIGN]}, None),
        ({"aud": ["x"] * 10 + [BASE + SIGN]}, "audience"),
        *(
            ({"aud": bad}, "audience")
            for bad in (
                None,
                "",
                [],
                {},
                7,
                True,
                [7, BASE + SIGN],
                BASE,
                f"{BASE}/cds-services",
                f"{BASE}{SIGN}/",
                f"{BASE}{SIGN}/feedback",
                f"{BASE}{SIGN}?x=1",
                (BASE + SIGN).upper(),
                f"http{BASE[5:]}{SIGN}",
                f"{BASE}/cds-services/immune-status-patient-view",
            )
        ),
        *(
            ({"iss": bad}, "issuer")
            for bad in (None, "", "https://ehr.example.org/", "https://ehr.example", "HTTPS://EHR.EXAMPLE.ORG")
        ),
        ({"sub": "anything", "tenant": 7, "unheard": {"of": []}}, None),
    ],
)
def test_claims(door: Door, claims: dict[str, Any], reason: str | None) -> None:
    assert door.of(**claims) == reason


@pytest.mark.parametrize("iss", [["https://ehr.example.org"], {"x": 1}, 7])
def test_an_issuer_is_a_text(door: Door, iss: Any) -> None:
    claims = CLIENT.claims(now=NOW) | {"iss": iss}
    assert door.why(f"Bearer {encoded(HEADER)}.{encoded(claims)}.AAAA") == "issuer"


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"typ": "jwt"}, None),
        ({"typ": None}, "header"),
        ({"typ": "at+jwt"}, "header"),
        ({"typ": "JOSE"}, "header"),
        ({"kid": "unknown"}, "unknown-key"),
        ({"kid": "rsa"}, "unknown-key"),  # a key of another kind than the algorithm
        ({"kid": "../../keys"}, "unknown-key"),
        ({"kid": "' OR 1=1 --"}, "unknown-key"),
        ({"kid": "x" * 257}, "header"),
        ({"kid": ""}, "header"),
        ({"jku": "https://evil.example.org/jwks"}, None),  # the keys came in a file: nobody looks, nobody fetches
        ({"jwk": {}}, "header"),
        ({"x5u": "https://evil.example.org"}, "header"),
        ({"x5c": []}, "header"),
        ({"zip": "DEF"}, "header"),
    ],
)
def test_headers(door: Door, header: dict[str, Any], reason: str | None) -> None:
    assert door.of(header) == reason


@pytest.mark.parametrize("name", ["crit", "b64", "enc", "jwk", "x5c", "x5u", "zip"])
def test_what_steers_the_check_is_not_welcome_in_a_header(door: Door, name: str) -> None:
    token = f"{encoded(HEADER | {name: ['exp']})}.{encoded(CLIENT.claims(now=NOW))}.AAAA"
    assert door.why(f"Bearer {token}") == "header"


@pytest.mark.parametrize(
    "name", ["none", "None", "nOnE", "", "HS256", "HS384", "RS256", "PS384", "ES256", "ES512", "EdDSA"]
)
def test_an_algorithm_that_the_issuer_does_not_use_is_refused(door: Door, name: str) -> None:
    token = f"{encoded(HEADER | {'alg': name})}.{encoded(CLIENT.claims(now=NOW))}.AAAA"
    assert door.why(f"Bearer {token}") == "algorithm"


@pytest.mark.parametrize("algorithm", [7, None, ["ES384"], {}])
def test_an_algorithm_is_a_text(door: Door, algorithm: Any) -> None:
    token = f"{encoded(HEADER | {'alg': algorithm})}.{encoded(CLIENT.claims(now=NOW))}.AAAA"
    assert door.why(f"Bearer {token}") == "algorithm"


@pytest.mark.parametrize("text", [None, "", "Bearer", "Bearer ", "Basic eDp5", "token", "Bearer  x.y.z"])
def test_without_a_bearer_token_nobody_is_believed(door: Door, text: str | None) -> None:
    assert door.why(text) in ("no-token", "malformed")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token + "==",
        lambda token: token + "\n",
        lambda token: token + " ",
        lambda token: " " + token,
        lambda token: token.replace(".", ". ", 1),
        lambda token: token + ".",
        lambda token: token + ".e30",
        lambda token: token.rpartition(".")[0],
        lambda token: token.rpartition(".")[0] + ".",
        lambda token: "." + token,
        lambda _: "..",
        lambda token: token.replace(".", "é", 1),
        lambda token: token + "\0",
        lambda token: token + "A" * 8192,
        lambda token: f"{token}, Bearer {token}",
        *(
            lambda token, text=text: f"{encoded(text)}.{token.partition('.')[2]}"
            for text in ('{"alg": "ES384", "alg": "none", "kid": "x", "typ": "JWT"}', "[" * 6000, "[1]", "null", "")
        ),
        *(
            lambda token, text=text: f"{token.partition('.')[0]}.{encoded(text)}.AAAA"
            for text in ("[]", '{"exp": NaN}', '{"exp": %s}' % ("9" * 5000), '{"iss": "a", "iss": "b"}', "\ufeff{}")
        ),
    ],
)
def test_only_the_strict_compact_form_is_taken(door: Door, spoil: Any) -> None:
    assert door.why(f"Bearer {spoil(CLIENT.token(now=NOW))}") == "malformed"


def test_two_spellings_of_one_content_are_not_taken(door: Door) -> None:
    """The last character of a base64 group has bits that mean nothing: with others in them the text differs, the bytes do not."""
    head, body, signature = CLIENT.token(now=NOW, sub="x" * 2).split(".")
    spare = {2: 16, 3: 4}.get(len(body) % 4)
    assert spare, "choose a claim of another length"
    letters = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
    other = body[:-1] + letters[letters.index(body[-1]) ^ 1]
    assert door.why(f"Bearer {head}.{other}.{signature}") == "malformed"


@given(place=st.integers(0, 10_000), letter=st.sampled_from(string.ascii_letters + string.digits + "-_.= \n"))
def test_a_token_with_one_character_changed_is_never_believed(door: Door, place: int, letter: str) -> None:
    token = CLIENT.token(now=NOW)
    place %= len(token)
    changed = token[:place] + letter + token[place + 1 :]
    assert changed == token or door.why(f"Bearer {changed}") is not None


@given(
    claims=st.dictionaries(
        st.sampled_from(["iss", "aud", "exp", "iat", "nbf", "jti", "tenant"]),
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | st.just([]),
        min_size=1,
    )
)
def test_claims_of_any_shape_are_answered(door: Door, claims: dict[str, Any]) -> None:
    spoilt = CLIENT.claims(now=NOW) | claims
    token = f"{encoded(HEADER)}.{encoded(json.dumps(spoilt))}.AAAA"
    assert door.why(f"Bearer {token}") is not None


def test_a_token_is_believed_once_in_whatever_spelling(door: Door) -> None:
    token = CLIENT.token(now=NOW, jti="once")
    assert door.why(f"Bearer {token}") is None
    assert door.why(f"Bearer {token}") == "used-before"
    assert door.why(f"bearer {token}") == "used-before"
    assert door.of(jti="once") == "used-before"  # signed anew


def test_a_token_that_was_refused_is_not_used_up(door: Door) -> None:
    token = CLIENT.token(now=NOW, jti="wrong-door")
    assert door.why(f"Bearer {token}", path="/cds-services/immune-status-patient-view") == "audience"
    assert door.why(f"Bearer {token}") is None


def test_tenants(tmp_path: Path) -> None:
    door = Door(tmp_path, tenants=frozenset(("north", "south")))
    assert door.of(tenant="north") is None
    for tenant in (None, "", "North", "east", ["north"], 7, "north "):
        assert door.of(tenant=tenant) == "tenant"


def test_an_audience_that_the_issuer_may_use_is_taken_at_every_endpoint(tmp_path: Path) -> None:
    door = Door(tmp_path, audiences=frozenset(("sand_man",)))
    assert door.of(aud="sand_man") is None
    assert door.of(aud=BASE + SIGN) is None
    view = "/cds-services/immune-status-patient-view"
    assert door.why(f"Bearer {CLIENT.token(now=NOW, aud='sand_man')}", path=view) is None
    assert door.of(aud="Sand_man") == "audience"


def test_the_address_of_the_keys_must_be_the_issuers_where_it_has_one(tmp_path: Path) -> None:
    door = Door(tmp_path, jku="https://ehr.example.org/jwks")
    assert door.of({"jku": "https://ehr.example.org/jwks"}) is None
    assert door.of() is None
    for jku in ("https://ehr.example.org/jwks/", "https://evil.example.org/jwks", "", "file:///etc/passwd"):
        assert door.of({"jku": jku}) == "key-address"


@pytest.mark.parametrize("jku", [7, None, ["https://ehr.example.org/jwks"]])
def test_an_address_of_keys_is_a_text(door: Door, jku: Any) -> None:
    token = f"{encoded(HEADER | {'jku': jku})}.{encoded(CLIENT.claims(now=NOW))}.AAAA"
    assert door.why(f"Bearer {token}") == "key-address"


def test_a_longer_life_is_believed_where_the_issuer_may_have_it(tmp_path: Path) -> None:
    door = Door(tmp_path, max_lifetime_seconds=900)
    assert door.of(exp=NOW + 900) is None
    assert door.of(exp=NOW + 901) == "lifetime"


def test_a_signature_of_another_key_is_not_believed(door: Door) -> None:
    stranger = CdsClient(name="stranger")
    assert door.why(f"Bearer {stranger.token(now=NOW)}") == "signature"


@pytest.mark.parametrize("signature", ["A" * 128, "A" * 126, "AAAA", encoded("x" * 96)])
def test_a_signature_of_nothing_is_not_believed(door: Door, signature: str) -> None:
    head = CLIENT.token(now=NOW).rpartition(".")[0]
    assert door.why(f"Bearer {head}.{signature}") == "signature"


def test_the_twin_of_a_signature_is_the_same_token(door: Door) -> None:
    """Of an ECDSA signature (r, s) the pair (r, n - s) verifies too: another text, and not another token."""
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973
    token = CLIENT.token(now=NOW)
    head, _, signature = token.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    second = (order - int.from_bytes(raw[48:])).to_bytes(48)
    twin = base64.urlsafe_b64encode(raw[:48] + second).rstrip(b"=").decode()
    assert door.why(f"Bearer {token}") is None
    assert door.why(f"Bearer {head}.{twin}") == "used-before"


def test_the_key_of_one_issuer_never_signs_for_another(tmp_path: Path) -> None:
    other = CdsClient(iss="https://other.example.org", name="other")  # the same key id
    (tmp_path / "own.json").write_bytes(key_set(CLIENT.jwk()))
    (tmp_path / "other.json").write_bytes(key_set(other.jwk()))
    issuers = [
        Issuer(iss=one.iss, keys=KeyFile(path=tmp_path / f"{name}.json"), algorithms=("ES384",))
        for one, name in ((CLIENT, "own"), (other, "other"))
    ]
    counts = Mock(spec_set=["refused", "keys"])
    both = Callers(issuers, Ledger("sqlite://").seen_tokens, counts, trusting)
    forged = CdsClient(iss=CLIENT.iss, name="other")
    with pytest.raises(Unauthenticated):
        both.check(f"Bearer {forged.token(now=NOW)}", BASE + SIGN, NOW, 1)
    counts.refused.assert_called_once_with(CLIENT.iss, "signature")
    for one in (CLIENT, other):
        caller = both.check(f"Bearer {one.token(now=NOW, jti='shared')}", BASE + SIGN, NOW, 1)
        both.use_up(caller, NOW, 1)  # the same id of another issuer is another token
