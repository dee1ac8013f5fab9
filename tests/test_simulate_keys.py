"""The keys and tokens of the simulated EHR, judged by the code that verifies tokens in the service."""

import json
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from cds_service.access.issuers import FITS, Issuer, KeyFile
from cds_service.access.key_set import read_key_set
from cds_service.access.tokens import REASONS, Refused, check_claims, check_signature, take_apart
from cds_service.simulate.command import ALGORITHMS
from cds_service.simulate.command import WRONG as OFFERED
from cds_service.simulate.keys import KeyFault, make_key, read_key
from cds_service.simulate.tokens import WRONG, Signer
from tests.clients import private_key

BASE = "http://127.0.0.1:8080"
URL = f"{BASE}/cds-services/immune-status-order-sign"
ISS = "https://ehr.example.org"


def refusal(authorization: str, published: dict[str, Any], endpoint: str = URL) -> str | None:
    """What the service says of a token: None where it believes it."""
    algorithms = tuple(FITS)
    issuer = Issuer(iss=ISS, keys=KeyFile(path=Path("keys.json")), algorithms=algorithms)
    keys = read_key_set(json.dumps(published).encode(), algorithms)
    try:
        token = take_apart(authorization)
        check_claims(token, issuer, endpoint, int(time.time()))
        check_signature(token, keys[token.header.kid, token.header.algorithm])
    except Refused as refused:
        return refused.reason
    return None


def pem(algorithm: str, lock: KeySerializationEncryption | None = None) -> bytes:
    return private_key(algorithm).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock or NoEncryption())


def test_the_command_offers_every_algorithm_and_every_wrong_token() -> None:
    assert tuple(FITS) == ALGORITHMS
    assert WRONG == OFFERED


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "ES512", "RS384", "PS256"])
def test_a_new_key_signs_what_its_public_half_verifies(tmp_path: Path, algorithm: str) -> None:
    published = make_key(tmp_path / "key.json", algorithm)
    assert not {"d", "p", "q"} & published["keys"][0].keys()
    key = read_key(tmp_path / "key.json")
    assert (key.algorithm, key.public()) == (algorithm, published["keys"][0])
    token = Signer(key=key, iss=ISS, base=BASE).authorization(URL)
    assert refusal(token["Authorization"], published) is None


def test_a_new_key_is_its_owners_alone_and_never_written_over_another(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    make_key(file, "ES384")
    before = file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(KeyFault, match="cannot be written"):
        make_key(file, "ES384")
    assert file.read_bytes() == before


@pytest.mark.parametrize(("kind", "algorithm"), [("ES256", "ES256"), ("ES384", "ES384"), ("RS256", "RS384")])
def test_a_pem_key_signs_as_is_usual_for_its_kind(tmp_path: Path, kind: str, algorithm: str) -> None:
    (tmp_path / "key.pem").write_bytes(pem(kind))
    key = read_key(tmp_path / "key.pem")
    assert key.algorithm == algorithm
    assert len(key.kid) == 43  # its thumbprint
    token = Signer(key=key, iss=ISS, base=BASE).authorization(URL)
    assert refusal(token["Authorization"], {"keys": [key.public()]}) is None


def test_a_key_has_one_thumbprint_however_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(pem("RS384"))
    first = read_key(tmp_path / "key.pem")
    assert read_key(tmp_path / "key.pem", kid="2026-11").kid == "2026-11"
    assert read_key(tmp_path / "key.pem", algorithm="PS512").algorithm == "PS512"
    make_key(tmp_path / "new.json", "ES384")
    written = json.loads((tmp_path / "new.json").read_text("utf-8"))
    (tmp_path / "set.json").write_text(json.dumps({"keys": [written]}), "utf-8")
    del written["kid"], written["alg"]
    (tmp_path / "bare.json").write_text(json.dumps(written), "utf-8")
    kids = {read_key(tmp_path / name).kid for name in ("new.json", "set.json", "bare.json")}
    assert len(kids) == 1
    assert first.kid not in kids


LOCKED = pem("ES384", BestAvailableEncryption(b"secret"))
EDWARDS = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "a private key in PEM"),
        (b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n", "a private key in PEM"),
        (LOCKED, "locked with a password"),
        (EDWARDS, "elliptic curve or RSA"),
        (b"{", "one private key"),
        (b'{"kty": "EC"}', "one private key"),
        (b'{"keys": []}', "one private key"),
        (b'{"keys": 1}', "one private key"),
        (b'{"keys": [1]}', "one private key"),
        (b'{"kty": "oct", "k": "c2VjcmV0"}', "one private key"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_holds_no_key_to_sign_with_is_refused(tmp_path: Path, content: bytes | None, says: str) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(KeyFault, match=says) as fault:
        read_key(file)
    assert str(tmp_path) not in str(fault.value)


def test_a_public_key_and_an_algorithm_that_does_not_fit_are_refused(tmp_path: Path) -> None:
    published = make_key(tmp_path / "key.json", "ES384")
    (tmp_path / "public.json").write_text(json.dumps(published), "utf-8")
    with pytest.raises(KeyFault, match="the private one signs"):
        read_key(tmp_path / "public.json")
    with pytest.raises(KeyFault, match="does not fit"):
        read_key(tmp_path / "key.json", algorithm="RS384")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ("expired", "expired"),
        ("future", "too-early"),
        ("wrong-audience", "audience"),
        ("no-jti", "claims"),
        ("wrong-key", "signature"),
        ("none-algorithm", "malformed"),  # without a signature it is no token at all
        ("used-twice", None),  # right, until it comes again
    ],
)
def test_a_wrong_token_is_wrong_in_one_way(tmp_path: Path, wrong: Any, reason: str | None) -> None:
    published = make_key(tmp_path / "key.json", "ES384")
    signer = Signer(key=read_key(tmp_path / "key.json"), iss=ISS, base=BASE)
    assert reason is None or reason in REASONS
    assert refusal(signer.authorization(URL, wrong)["Authorization"], published) == reason


def test_a_token_is_for_the_address_that_the_service_knows_itself_by(tmp_path: Path) -> None:
    make_key(tmp_path / "key.json", "ES384")
    key = read_key(tmp_path / "key.json")

    def claims(**more: Any) -> dict[str, Any]:
        return take_apart(Signer(key=key, iss=ISS, base=BASE, **more).authorization(URL)["Authorization"]).claims

    assert claims()["aud"] == URL
    assert claims(public_base="https://cds.example.org/hiv")["aud"] == URL.replace(BASE, "https://cds.example.org/hiv")
    assert claims(audience="sand_man")["aud"] == "sand_man"
    assert claims(tenant="north")["tenant"] == "north"
    assert claims()["jti"] != claims()["jti"]
    assert "tenant" not in claims()
    token = Signer(key=key, iss=ISS, base=BASE, jku="https://ehr.example.org/jwks.json").authorization(URL)
    assert take_apart(token["Authorization"]).header.jku == "https://ehr.example.org/jwks.json"
