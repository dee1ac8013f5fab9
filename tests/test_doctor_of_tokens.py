"""`cds-service check --token`: every check that access makes of a token, by name, and all its faults at once."""

import time
from pathlib import Path
from typing import Any

import pytest

from cds_service.access.issuers import Issuer
from cds_service.access.tokens import REASONS
from cds_service.access.trust_file import read_issuers
from cds_service.chart.prefetch import KEYS
from cds_service.cli import main
from cds_service.doctor.findings import TokenCheck
from cds_service.doctor.tokens import Trust, check_token
from cds_service.outbound.connection import trusting
from tests.clients import BASE, SIGN, CdsClient, encoded, key_set
from tests.fhir_servers import answering, serving, whole

NOW = 1_795_000_000
ONE = CdsClient()


@pytest.fixture
def issuers(tmp_path: Path) -> dict[str, Issuer]:
    (tmp_path / "one.json").write_bytes(key_set(ONE.jwk()))
    entry = (
        f'[[issuer]]\niss = "{ONE.iss}"\njwks = "one.json"\njku = "https://ehr.example.org/jwks"\ntenants = ["north"]\n'
    )
    (tmp_path / "issuers.toml").write_text(entry, "utf-8")
    return {one.iss: one for one in read_issuers(str(tmp_path / "issuers.toml"), KEYS[1:])}


def checks(text: str, issuers: dict[str, Issuer] | None, *endpoints: str) -> dict[str, TokenCheck]:
    trust = Trust(issuers=issuers, endpoints=endpoints or (BASE + SIGN,), now=NOW, context=trusting)
    found = check_token(text, trust)
    assert [one.name for one in found] == list(REASONS)
    return {one.name: one for one in found}


def failed(text: str, issuers: dict[str, Issuer] | None) -> set[str]:
    return {name for name, one in checks(text, issuers).items() if one.result == "failed"}


def token(client: CdsClient = ONE, **claims: Any) -> str:
    return client.token(SIGN, NOW, **{"tenant": "north"} | claims)


def test_of_a_sound_token_every_check_passes_but_the_one_only_the_service_can_make(issuers: dict[str, Issuer]) -> None:
    found = checks(token(), issuers)
    assert {name for name, one in found.items() if one.result != "passed"} == {"used-before"}


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"iss": "https://ehr.example.org/"}, "issuer"),
        ({"aud": "sand_man"}, "audience"),
        ({"aud": None}, "audience"),
        ({"aud": ["x"] * 11 + [BASE + SIGN]}, "audience"),
        ({"jti": None}, "claims"),
        ({"jti": "with blanks"}, "claims"),
        ({"exp": str(NOW)}, "claims"),
        ({"nbf": 1.5}, "claims"),
        ({"exp": NOW + 900}, "lifetime"),
        ({"iat": NOW + 100, "exp": NOW + 200}, "too-early"),
        ({"nbf": NOW + 100}, "too-early"),
        ({"iat": NOW - 900, "exp": NOW - 700}, "expired"),
        ({"tenant": "south"}, "tenant"),
        ({"tenant": None}, "tenant"),
    ],
)
def test_a_faulty_claim_fails_its_own_check_alone(
    issuers: dict[str, Issuer], claims: dict[str, Any], reason: str
) -> None:
    assert failed(token(**claims), issuers) == {reason}


def test_all_faults_show_at_once(issuers: dict[str, Issuer]) -> None:
    epic = token(aud="typed by hand", iat=NOW - 10, exp=NOW + 890, tenant=None, jti=None)
    assert failed(epic, issuers) == {"audience", "lifetime", "tenant", "claims"}
    found = checks(epic, issuers)
    assert found["audience"].says == (
        f"aud is typed by hand; expected is {BASE + SIGN}; what a client cannot help sending goes under audiences"
    )
    assert found["lifetime"].says == "from iat to exp 900 seconds; 1 to 300 expected"


def test_keys_and_headers_are_checked_too(issuers: dict[str, Issuer]) -> None:
    assert failed(token(CdsClient(kid="another")), issuers) == {"unknown-key"}
    assert failed(token(CdsClient(name="another")), issuers) == {"signature"}
    assert failed(token(CdsClient(algorithm="RS256")), issuers) == {"algorithm"}
    elsewhere = CdsClient(header={"jku": "https://evil.example.org/jwks"})
    assert failed(token(elsewhere), issuers) == {"key-address"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no-token"),
        ("abc", "malformed"),
        ("a.b.c", "malformed"),
        (f"{encoded({'alg': 'ES384', 'kid': '1'})}.{encoded({})}.x", "header"),
        (f"{encoded({'typ': 'JWT', 'kid': '1'})}.{encoded({})}.x", "algorithm"),
        (f"{encoded({'typ': 'JWT', 'kid': '1', 'alg': 'ES384', 'jku': 1})}.{encoded({})}.x", "key-address"),
    ],
)
def test_a_token_that_cannot_be_taken_apart_says_where_it_ends(
    issuers: dict[str, Issuer], text: str, reason: str
) -> None:
    found = checks(text, issuers)
    assert {name for name, one in found.items() if one.result == "failed"} == {reason}
    assert found["signature"].result == "not checked"


def test_without_a_trust_file_the_form_and_the_claims_are_checked() -> None:
    found = checks(token(), None)
    assert {name for name, one in found.items() if one.result == "not checked"} == {
        "issuer", "unknown-key", "signature", "used-before",
    }  # fmt: skip
    assert failed(token(jti=None, exp=NOW + 4000), None) == {"claims", "lifetime"}


def test_a_key_set_that_cannot_be_fetched_is_told_from_a_key_that_is_not_in_it(tmp_path: Path) -> None:
    answer = answering(whole(key_set(ONE.jwk())))
    with serving(answer) as server:
        text = f'[[issuer]]\niss = "{ONE.iss}"\njwks = "{server.base}/jwks"\nallow_private_addresses = true'
        (tmp_path / "issuers.toml").write_text(text, "utf-8")
        issuers = {one.iss: one for one in read_issuers(str(tmp_path / "issuers.toml"), KEYS[1:])}
        assert failed(token(), issuers) == set()
        assert "no key in the set has this kid" in checks(token(CdsClient(kid="x")), issuers)["unknown-key"].says
    assert "could not be fetched" in checks(token(), issuers)["unknown-key"].says


def test_the_command_takes_a_token_apart_and_never_shows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "one.json").write_bytes(key_set(ONE.jwk()))
    (tmp_path / "issuers.toml").write_text(f'[[issuer]]\niss = "{ONE.iss}"\njwks = "one.json"', "utf-8")
    captured = ONE.token(SIGN, time.time(), aud="https://proxy.example.org/x")
    (tmp_path / "token.txt").write_text(f"Authorization: Bearer {captured}\n", "utf-8")
    monkeypatch.setenv("CDS_ISSUERS", str(tmp_path / "issuers.toml"))
    monkeypatch.setenv("CDS_PUBLIC_URL", BASE)
    assert main(["check", "--token", str(tmp_path / "token.txt")]) == 0
    printed = capsys.readouterr().out
    assert "aud is https://proxy.example.org/x; expected is" in " ".join(printed.split())
    assert not [part for part in captured.split(".") if part in printed]


def test_of_the_public_sandbox_it_says_that_anybody_can_call_as_it(tmp_path: Path) -> None:
    sandbox = CdsClient(iss="https://sandbox.cds-hooks.org")
    (tmp_path / "keys.json").write_bytes(key_set(sandbox.jwk()))
    (tmp_path / "issuers.toml").write_text('[[issuer]]\npreset = "sandbox"\njwks = "keys.json"', "utf-8")
    issuers = {one.iss: one for one in read_issuers(str(tmp_path / "issuers.toml"), KEYS[1:])}
    said = checks(token(sandbox), issuers)["issuer"]
    assert (said.result, "its private key is public" in said.says) == ("passed", True)
