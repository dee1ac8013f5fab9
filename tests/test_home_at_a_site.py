"""The page for people at `/`: what it says of a site and of the demo, what it keeps to itself, and how it is made."""

import re
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree.ElementTree import Element

import pytest
from flask.testing import FlaskClient

from cds_service.access.trust_file import presets
from cds_service.app import create_app
from cds_service.demo.run import demo_app
from cds_service.home import words as said_as
from cds_service.settings import Settings
from cds_service.web.wiring import KEY
from hooks import SERVICES
from tests.fixture_files import app_of
from tests.home_page import by_id, read, words

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
RULES = {rule.id: rule for service in SERVICES for rule in service.rules}
PUBLIC_URL = "https://cds.example.org/hiv"
PASSWORD = "a password of thirty letters or so"  # noqa: S105


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return app_of(lambda: NOW).test_client()


@pytest.fixture(scope="module")
def page(client: FlaskClient) -> Element:
    return read(client.get("/").text)


@pytest.fixture
def site(tmp_path: Path) -> FlaskClient:
    """As `serve` starts it, with all that a site may keep to itself."""
    (tmp_path / "password").write_text(PASSWORD, "utf-8")
    (tmp_path / "keys.json").write_text('{"keys": []}', "utf-8")
    trusted = '[[issuer]]\niss = "https://ehr.hospital.example"\njwks = "https://ehr.hospital.example/keys"\n'
    (tmp_path / "issuers.toml").write_text(f'{trusted}fhir_servers = ["https://fhir.hospital.example/r4"]', "utf-8")
    settings = Settings(
        public_url=PUBLIC_URL,
        issuers=str(tmp_path / "issuers.toml"),
        database_url=f"sqlite:///{tmp_path / 'ledger.sqlite3'}",
        report_password_file=str(tmp_path / "password"),
    )
    return create_app(settings, lambda: NOW).test_client()


def links_of(found: Element) -> list[str]:
    return [one.get("href", "") for one in found.iter("a")]


# --- the site and the demo -------------------------------------------------------------------------------------------


def test_what_a_site_has_set_is_said(tmp_path: Path) -> None:
    app = app_of(
        lambda: NOW,
        profile="who",
        endemic=frozenset({"talaromycosis"}),
        cotrimoxazole_for_all=True,
        shadow=frozenset({"iris-watch"}),
        database_url=f"sqlite:///{tmp_path / 'ledger.sqlite3'}",
    )
    switches = app.extensions[KEY].ledger.switches
    switches.turn("monitoring-due", "off", who="Dr. Abernathy", because="counted elsewhere", at=NOW)
    found = read(app.test_client().get("/").text)
    assert "WHO who in force here" in words(by_id(found, "guidelines"))
    assert "This site counts as endemic for talaromycosis;" in words(by_id(found, "guidelines"))
    assert f"{said_as.SWITCHES['cotrimoxazole-for-all'][1:]}." in words(by_id(found, "guidelines"))
    assert "in the shadow" in words(by_id(found, "iris-watch"))
    assert "switched off by this site" in words(by_id(found, "monitoring-due"))
    said = words(by_id(found, "deployment"))
    assert f"Live: {len(RULES) - 2} rules." in said
    assert "Switched off: monitoring-due." in said
    assert "shown to nobody: iris-watch." in said
    assert "Abernathy" not in words(found)


def test_a_page_that_was_made_is_made_anew_when_something_is_switched(monkeypatch: pytest.MonkeyPatch) -> None:
    app = app_of(lambda: NOW)
    browser, switches = app.test_client(), app.extensions[KEY].ledger.switches
    assert browser.get("/").text == browser.get("/").text
    before = switches.now()
    monkeypatch.setattr(type(switches), "now", lambda _: type(before)(off=frozenset({"mac-stop"})))
    assert "switched off by this site" in words(by_id(read(browser.get("/").text), "mac-stop"))
    for number in range(20):
        browser.get("/", headers={"Host": f"127.0.0.1:{9000 + number}"})
    assert len(app.extensions[KEY].pages_made) <= 8


def test_the_whole_service_in_the_shadow_says_so_at_the_top() -> None:
    found = read(app_of(lambda: NOW, shadow=frozenset({"all"})).test_client().get("/").text)
    assert "whole service is in the shadow" in words(by_id(found, "top"))


def test_a_site_gives_its_own_address_and_keeps_the_rest_to_itself(site: FlaskClient, tmp_path: Path) -> None:
    text = site.get("/", headers={"Host": "elsewhere.example", "X-Forwarded-Host": "elsewhere.example"}).text
    found = read(text)
    assert f"{PUBLIC_URL}/cds-services" in words(by_id(found, "connect"))
    assert "Open demo" not in text
    kept = ("elsewhere.example", "hospital.example", str(tmp_path), PASSWORD, "sqlite", "fhir/metadata", "starting-art")
    assert not [one for one in kept if one in text]
    links = [one.get("href") for one in by_id(found, "deployment").iter("a")]
    assert links == ["cds-services", "openapi.json", "report"]


def test_pages_that_a_deployment_does_not_have_are_not_named() -> None:
    text = create_app(Settings(database_url="sqlite://"), lambda: NOW).test_client().get("/").text
    assert "/report" not in text
    assert "/workbench" not in text


def test_the_sandbox_of_a_site_is_opened_with_its_services_and_with_a_warning(site: FlaskClient) -> None:
    part = by_id(read(site.get("/").text), "connect")
    (link,) = [one for one in links_of(part) if "serviceDiscoveryURL" in one]
    assert link.startswith(f"{presets()['sandbox']['iss']}/?")
    assert parse_qs(urlsplit(link).query) == {"serviceDiscoveryURL": [f"{PUBLIC_URL}/cds-services"]}
    assert "For a test installation only" in words(part)


@pytest.mark.parametrize(
    ("host", "sandbox"), [("127.0.0.1:8080", 8081), ("localhost:8091", 8080), ("[::1]:8091", 8080)]
)
def test_the_sandbox_beside_the_demo_is_opened_with_a_chart_that_is_there(host: str, sandbox: int) -> None:
    browser = demo_app(Settings(open_access=True, database_url="sqlite://"), NOW.date()).test_client()
    (link,) = [one for one in links_of(read(browser.get("/", headers={"Host": host}).text)) if "fhirServiceUrl" in one]
    assert urlsplit(link).netloc == f"localhost:{sandbox}"
    asked = {name: one[0] for name, one in parse_qs(urlsplit(link).query).items()}
    base = f"http://{host}"
    assert (asked["fhirServiceUrl"], asked["serviceDiscoveryURL"]) == (f"{base}/fhir", f"{base}/cds-services")
    assert browser.get(f"/fhir/Patient/{asked['patientId']}").status_code == 200


def test_the_demo_repeats_no_host_that_is_not_this_machine(client: FlaskClient) -> None:
    assert "elsewhere.example" not in client.get("/", headers={"Host": "elsewhere.example"}).text


# --- how it is made --------------------------------------------------------------------------------------------------


def test_it_runs_no_script_and_takes_nothing_from_elsewhere(client: FlaskClient, page: Element) -> None:
    answer = client.get("/")
    assert answer.content_type == "text/html; charset=utf-8"
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert not [part for part in policy.values() if "unsafe" in part or "*" in part]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert not {one.tag for one in page.iter()} & {"script", "style", "iframe", "img", "form", "object", "embed"}
    assert not [name for one in page.iter() for name in one.attrib if name in ("src", "style") or name.startswith("on")]
    assert [one.get("href") for one in page.iter("link")] == [
        f"static/{one}" for one in ("icon.svg", "style.css", "home.css")
    ]


def test_all_that_it_refers_to_is_there_also_below_a_path_of_a_proxy() -> None:
    browser = demo_app(Settings(open_access=True, database_url="sqlite://"), NOW.date()).test_client()
    found = read(browser.get("/").text)
    ids = [one.get("id") for one in found.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    links = links_of(found) + [one.get("href", "") for one in found.iter("link")]
    assert not [one for one in links if one.startswith("#") and one[1:] not in ids]
    assert not [one for one in links if one.startswith("/")], "absolute: lost where a proxy serves below a path"
    for link in {one for one in links if not one.startswith(("#", "http"))}:
        with browser.get(f"/{link}") as answer:
            assert answer.status_code == 200


def test_it_can_be_read_by_its_structure_alone(page: Element) -> None:
    levels = [int(one.tag[1]) for one in page.iter() if re.fullmatch("h[1-6]", one.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(then <= before + 1 for before, then in pairwise(levels)), "a level is left out"
    assert not [one for one in page.iter("th") if one.get("scope") not in ("col", "row")]
    assert not [one for one in page.iter("pre") if one.get("tabindex") != "0" or not one.get("aria-label")]
    assert page.get("lang") == "en"
    contents = links_of(next(page.iter("nav")))
    sections = [one.get("id") for one in page.iter("section")]
    assert [one for one in sections if f"#{one}" not in contents and one != "every-rule"] == []
