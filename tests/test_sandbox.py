"""`python -m tests.sandbox` itself needs a Sandbox that was built; what it lays around one is held here."""

import json
from pathlib import Path

import pytest

from cds_service.access.issuers import KeyFile
from cds_service.access.trust_file import presets, read_issuers
from cds_service.demo.ehr import plain_session
from tests.clients import CdsClient, key_set
from tests.sandbox.__main__ import main
from tests.sandbox.scene import ENTRY, STRANGERS, built, served

ORIGIN, FHIR = "http://127.0.0.1:8090", "http://127.0.0.1:8080/fhir"


def test_a_folder_that_holds_no_built_sandbox_is_told_as_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--sandbox", str(tmp_path)]) == 2
    assert "app.bundle.js" in capsys.readouterr().err


@pytest.mark.parametrize("inside", [".", "build"])
def test_a_sandbox_is_found_where_it_was_built(tmp_path: Path, inside: str) -> None:
    (tmp_path / inside / ".well-known").mkdir(parents=True)
    for name in ("app.bundle.js", ".well-known/jwks.json"):
        (tmp_path / inside / name).touch()
    assert built(tmp_path) == tmp_path / inside


@pytest.mark.parametrize(("entry", "knows"), [(ENTRY, True), (STRANGERS, False)])
def test_one_of_the_two_services_knows_the_sandbox_by_its_key_set_in_a_file(
    tmp_path: Path, entry: str, knows: bool
) -> None:
    (tmp_path / "sandbox-keys.json").write_bytes(key_set(CdsClient().jwk(use="sig", alg="ES384")))
    (tmp_path / "issuers.toml").write_text(entry.format(origin=ORIGIN, fhir=FHIR), "utf-8")
    (issuer,) = read_issuers(str(tmp_path / "issuers.toml"), ())
    assert (issuer.iss == presets()["sandbox"]["iss"]) is knows
    assert isinstance(issuer.keys, KeyFile)
    assert (issuer.keys.jku == presets()["sandbox"]["jku"]) is knows
    assert issuer.origins == {ORIGIN}  # of either: a browser reads the refusal too


def test_its_files_are_served_on_loopback(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(json.dumps("here"), "utf-8")
    with served(tmp_path) as origin, plain_session() as session:
        assert session.get(f"{origin}/index.html", timeout=5).json() == "here"
