"""The file of trusted issuers: what it says is taken exactly, what it leaves out comes from its preset, nonsense starts nothing."""

import tomllib
from pathlib import Path

import pytest

from cds_service.access.issuers import Issuer, KeyAddress, KeyFile
from cds_service.access.trust_file import presets, read_issuers
from cds_service.chart.prefetch import KEYS
from cds_service.settings import SettingFault
from tests.clients import CdsClient, key_set

ROOT = Path(__file__).parents[1]
JWKS = 'jwks = "https://ehr.example.org/.well-known/jwks.json"'
ISS = 'iss = "https://ehr.example.org"'


def issuers(folder: Path, *entries: str) -> tuple[Issuer, ...]:
    """A trust file of these entries, read, with a key file beside it."""
    (folder / "keys.json").write_bytes(key_set(CdsClient().jwk(), CdsClient(algorithm="RS384", kid="r").jwk()))
    file = folder / "issuers.toml"
    file.write_text("".join(f"[[issuer]]\n{one}\n" for one in entries), "utf-8")
    return read_issuers(str(file), KEYS[1:])


def test_an_entry_of_two_lines_gets_the_defaults_of_the_standard(tmp_path: Path) -> None:
    (one,) = issuers(tmp_path, f"{ISS}\n{JWKS}")
    assert one.iss == "https://ehr.example.org"
    assert one.algorithms == ("ES384", "RS384")
    assert one.max_lifetime_seconds == 300
    assert isinstance(one.keys, KeyAddress)
    assert (one.audiences, one.tenants, one.origins, one.not_supplied) == (frozenset(),) * 4
    assert (one.deadline_ms, one.profile, one.language) == (None, None, None)
    assert not one.servers.admits("https://ehr.example.org/fhir/Patient/1")


def test_every_line_is_taken(tmp_path: Path) -> None:
    lines = """
    algorithms = ["ES256"]
    audiences = ["sand_man"]
    max_lifetime_seconds = 3600
    tenants = ["a", "b"]
    fhir_servers = ["https://fhir.example.org/r4"]
    origins = ["https://ehr.example.org", "http://localhost:8080"]
    deadline_ms = 200
    not_supplied = ["allergies", "labs"]
    profile = "who"
    language = "pt"
    """
    (one,) = issuers(tmp_path, f"{ISS}\n{JWKS}\n{lines}")
    assert one.algorithms == ("ES256",)
    assert one.audiences == {"sand_man"}
    assert one.max_lifetime_seconds == 3600
    assert one.tenants == {"a", "b"}
    assert one.servers.admits("https://fhir.example.org/r4/Patient/1")
    assert not one.servers.admits("https://fhir.example.org/r4evil/Patient/1")
    assert one.origins == {"https://ehr.example.org", "http://localhost:8080"}
    assert (one.deadline_ms, one.not_supplied, one.profile) == (200, {"allergies", "labs"}, "who")
    assert one.language == "pt"


def test_a_key_set_may_be_named_by_a_query(tmp_path: Path) -> None:
    (one,) = issuers(tmp_path, f'{ISS}\njwks = "https://ehr.example.org/keys?p=policy"')
    assert isinstance(one.keys, KeyAddress)
    assert one.keys.guard.admits(one.keys.url)
    assert one.keys.jku == "https://ehr.example.org/keys?p=policy"


def test_a_key_file_stands_beside_the_trust_file(tmp_path: Path) -> None:
    (one,) = issuers(tmp_path, f'{ISS}\njwks = "keys.json"')
    assert one.keys == KeyFile(path=tmp_path / "keys.json")


@pytest.mark.parametrize(("preset", "seconds"), [("standard", 300), ("epic", 900), ("sandbox", 300), ("meld", 300)])
def test_a_preset_says_what_the_entry_does_not(tmp_path: Path, preset: str, seconds: int) -> None:
    (one,) = issuers(tmp_path, f'{ISS}\npreset = "{preset}"\njwks = "keys.json"')
    assert one.max_lifetime_seconds == seconds
    assert one.algorithms == tuple(presets()[preset]["algorithms"])
    (own,) = issuers(tmp_path, f'{ISS}\npreset = "{preset}"\njwks = "keys.json"\nmax_lifetime_seconds = 60')
    assert own.max_lifetime_seconds == 60


def test_the_sandbox_needs_its_key_file_only(tmp_path: Path) -> None:
    (one,) = issuers(tmp_path, 'preset = "sandbox"\njwks = "keys.json"')
    assert one.iss == "https://sandbox.cds-hooks.org"
    assert one.keys == KeyFile(path=tmp_path / "keys.json", jku="https://sandbox.cds-hooks.org/.well-known/jwks.json")


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ('algorithms = ["none"]', "algorithms"),
        ('algorithms = ["HS256"]', "algorithms"),
        ('algorithms = ["HS384", "ES384"]', "algorithms"),
        ("algorithms = []", "algorithms"),
        ('algorithms = "ES384"', "algorithms"),
        ("max_lifetime_seconds = 3601", "max_lifetime_seconds"),
        ("max_lifetime_seconds = 0", "max_lifetime_seconds"),
        ("max_lifetime_seconds = true", "max_lifetime_seconds"),
        ("max_lifetime_seconds = 300.0", "max_lifetime_seconds"),
        ("deadline_ms = 199", "deadline_ms"),
        ("deadline_ms = 8001", "deadline_ms"),
        ('tenants = "one"', "tenants"),
        ("tenants = [1]", "tenants"),
        ('tenants = [""]', "tenants"),
        ('fhir_servers = ["http://fhir.example.org/r4"]', "fhir_servers"),
        ('fhir_servers = ["http://127.0.0.1:8080/fhir"]', "fhir_servers"),
        ('fhir_servers = ["https://user@fhir.example.org/r4"]', "fhir_servers"),
        ('fhir_servers = ["https://fhir.example.org/r4?x=1"]', "fhir_servers"),
        ('fhir_servers = ["fhir.example.org"]', "fhir_servers"),
        ('origins = ["*"]', "origins"),
        ('origins = ["null"]', "origins"),
        ('origins = ["https://ehr.example.org/"]', "origins"),
        ('origins = ["ehr.example.org"]', "origins"),
        ('not_supplied = ["patient"]', "not_supplied"),
        ('not_supplied = ["everything"]', "not_supplied"),
        ('profile = "eacs"', "profile"),
        ('preset = "cerner"', "preset"),
        ('allow_private_addresses = "yes"', "allow_private_addresses"),
        ('jku = "https://other.example.org/jwks.json"', "jku"),
        ("algorithm = []", "algorithm"),
        ("secret = 1", "secret"),
    ],
)
def test_a_line_that_makes_no_sense_starts_nothing_and_is_named(tmp_path: Path, line: str, named: str) -> None:
    with pytest.raises(SettingFault, match=rf"CDS_ISSUERS: issuer 2 \(https://ehr\.example\.org\): {named}: "):
        issuers(tmp_path, f'iss = "https://other.example.org"\n{JWKS}', f"{ISS}\n{JWKS}\n{line}")


@pytest.mark.parametrize(
    ("entry", "named"),
    [
        (JWKS, "iss"),
        (f'iss = ""\n{JWKS}', "iss"),
        (f'iss = ["https://ehr.example.org"]\n{JWKS}', "iss"),
        (f'iss = "{"x" * 257}"\n{JWKS}', "iss"),
        (ISS, "jwks"),
        (f'{ISS}\njwks = "absent.json"', "jwks: the key file: it cannot be read"),
        (f'{ISS}\njwks = "issuers.toml"', "jwks: the key file: it is not JSON"),
        (f'{ISS}\njwks = "keys.json"\nalgorithms = ["ES512"]', "jwks: the key file: no key in it fits"),
        (f'{ISS}\njwks = "http://ehr.example.org/jwks.json"', "jwks"),
        (f'{ISS}\njwks = "file:///etc/keys.json"', "jwks"),
        (f'{ISS}\njwks = "http://127.0.0.1:9/jwks.json"', "jwks"),
    ],
)
def test_an_entry_without_what_it_needs_starts_nothing(tmp_path: Path, entry: str, named: str) -> None:
    with pytest.raises(SettingFault, match=named):
        issuers(tmp_path, entry)


def test_plain_http_leads_to_this_machine_only_and_only_where_that_is_allowed(tmp_path: Path) -> None:
    allowed = "allow_private_addresses = true"
    (one,) = issuers(
        tmp_path, f'{ISS}\njwks = "http://127.0.0.1:9/jwks"\n{allowed}\nfhir_servers = ["http://localhost:8/"]'
    )
    assert one.servers.admits("http://localhost:8/Patient/1")
    with pytest.raises(SettingFault, match="jwks"):
        issuers(tmp_path, f'{ISS}\njwks = "http://ehr.example.org/jwks"\n{allowed}')


def test_an_issuer_stands_there_once(tmp_path: Path) -> None:
    with pytest.raises(SettingFault, match=r"https://ehr\.example\.org stands there twice"):
        issuers(tmp_path, f"{ISS}\n{JWKS}", f"{ISS}\n{JWKS}")


@pytest.mark.parametrize(
    "content", ["", "[issuer]\niss = 'x'", "issuer = []", "issuer = [1]", "[[issuers]]", "no toml", "\xff"]
)
def test_a_file_that_is_no_trust_file_starts_nothing(tmp_path: Path, content: str) -> None:
    file = tmp_path / "issuers.toml"
    file.write_text(content, "latin-1")
    with pytest.raises(SettingFault, match="CDS_ISSUERS"):
        read_issuers(str(file), KEYS[1:])


def test_a_file_that_is_not_there_starts_nothing(tmp_path: Path) -> None:
    with pytest.raises(SettingFault, match="CDS_ISSUERS"):
        read_issuers(str(tmp_path / "absent.toml"), KEYS[1:])


def test_the_example_in_the_documentation_is_a_trust_file_and_shows_every_line(tmp_path: Path) -> None:
    (tmp_path / "sandbox-keys.json").write_bytes(key_set(CdsClient().jwk()))
    example = (ROOT / "docs" / "issuers.example.toml").read_text("utf-8")
    (tmp_path / "issuers.toml").write_text(example, "utf-8")
    found = read_issuers(str(tmp_path / "issuers.toml"), KEYS[1:])
    assert len(found) == len(presets())
    shown = {one.get("preset", "standard") for one in tomllib.loads(example)["issuer"]}
    assert shown == set(presets())
