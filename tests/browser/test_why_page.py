"""The why page in a real browser: launched by an EHR, read, reloaded and framed; nothing runs, nothing is asked elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from cds_service.why.refused import SAID
from tests.faults.certificates import certificates, context
from tests.smart_launch import PATIENT, Door, Scene, launching, serving


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with launching(tmp_path_factory.mktemp("site")) as found:
        yield found


@dataclass
class Watched:
    """A tab, what it asked for, and what it complained of."""

    page: Page
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def complain(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} {message.location['url']}")


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Watched]:
    with chromium.new_context(ignore_https_errors=True) as fresh:
        found = Watched(fresh.new_page())
        found.page.on("request", lambda one: found.asked.append(one.url))
        found.page.on("console", found.complain)
        found.page.on("pageerror", lambda one: found.complaints.append(str(one)))
        yield found


def open_chart(tab: Watched, scene: Scene) -> None:
    """As a clinician does: the chart is open, and the link of the card is followed."""
    tab.page.goto(f"{scene.ehr.base_url}/ehr")
    tab.page.click(f'a[href$="patient={PATIENT}"]')
    tab.page.wait_for_url("**/why/**", wait_until="load")


def test_a_click_in_the_ehr_leads_to_the_page(tab: Watched, scene: Scene) -> None:
    open_chart(tab, scene)
    page = tab.page
    assert page.url.startswith(f"{scene.service.url}/why/callback?")
    assert page.inner_text("h1") == "Why this advice"
    assert "Achieng Lakeshore" in page.inner_text("#whose")
    assert "Pneumocystis prophylaxis is due" in page.inner_text(".ehr-card h4")
    assert page.locator("figure svg circle.value").count() > 0
    drawn = page.locator("figure svg").first.bounding_box()
    assert drawn
    assert drawn["height"] > 100
    silent = page.locator("details.rule").last
    assert "silent" in silent.inner_text()
    silent.locator("summary").click()
    assert "Because" in silent.inner_text()
    assert page.context.cookies() == []
    mine = (scene.service.url, scene.ehr.base_url)
    assert not [one for one in tab.asked if not one.startswith(mine)]
    assert not [one for one in tab.asked if PATIENT in one and not one.startswith(f"{scene.ehr.base_url}/ehr/open")]
    assert [one for one in tab.complaints if f" {scene.ehr.base_url}/" not in one] == []  # the EHR has no style sheet


def test_it_can_be_read_on_a_phone_without_scrolling_sideways(tab: Watched, scene: Scene) -> None:
    tab.page.set_viewport_size({"width": 360, "height": 700})
    open_chart(tab, scene)
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_page_before_it_in_the_tab_is_not_told_to_anybody(tab: Watched, scene: Scene) -> None:
    open_chart(tab, scene)
    assert tab.page.evaluate("document.referrer") in ("", f"{scene.ehr.base_url}/")
    tab.page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<a id=on href=\"/\">on</a>')")
    with tab.page.expect_request(f"{scene.service.url}/") as request:
        tab.page.click("#on")
    assert "referer" not in request.value.all_headers()


def test_a_page_that_is_reloaded_or_gone_back_to_is_not_shown_again(tab: Watched, scene: Scene) -> None:
    open_chart(tab, scene)
    tab.page.reload()
    assert SAID["another-browser"].happened in tab.page.inner_text("[role=alert]")
    open_chart(tab, scene)
    assert tab.page.locator(".ehr-card").count() > 0
    tab.page.goto(f"{scene.service.url}/")
    tab.page.go_back()
    assert tab.page.locator(".ehr-card").count() == 0
    assert "Lakeshore" not in tab.page.content()


def test_an_answer_that_is_sent_to_somebody_else_shows_nothing(tab: Watched, scene: Scene) -> None:
    back = scene.come_back(scene.session())
    tab.page.goto(back)
    assert SAID["another-browser"].happened in tab.page.inner_text("[role=alert]")
    assert "Lakeshore" not in tab.page.content()


def test_what_is_refused_is_told_in_the_tab(tab: Watched, scene: Scene) -> None:
    tab.page.goto(f"{scene.service.url}/why/launch?iss=https%3A%2F%2Fother.example.org&launch=x")
    assert SAID["unknown-ehr"].happened in tab.page.inner_text("[role=alert]")
    scene.ehr.token_seconds = -1
    try:
        open_chart(tab, scene)
        assert SAID["access-over"].happened in tab.page.inner_text("[role=alert]")
    finally:
        scene.ehr.token_seconds = 300
    assert "other.example.org" not in tab.page.content()


def framing(scene: Scene, name: str) -> Door:
    """A page of another origin that shows the launch within its own."""
    address = f"{scene.ehr.base_url}/ehr/open?patient={PATIENT}"
    body = f'<!doctype html><iframe name="{name}" width="800" height="600" src="{address}"></iframe>'

    def app(_: object, start: object) -> list[bytes]:
        start("200 OK", [("Content-Type", "text/html")])  # type: ignore[operator]
        return [body.encode()]

    return Door(app=app)


def test_nobody_frames_it_but_who_the_trust_file_names(tab: Watched, scene: Scene) -> None:
    with serving(framing(scene, "in")) as stranger:
        tab.page.goto(stranger.url)
        tab.page.wait_for_load_state("networkidle")
        assert any("frame-ancestors" in one for one in tab.complaints)
        framed = tab.page.frame("in")
        assert framed is None or "Why this advice" not in framed.content()


def test_an_ehr_that_the_trust_file_names_shows_it_within_its_own(tmp_path: Path, tab: Watched) -> None:
    with serving(Door()) as portal, launching(tmp_path, f'smart_frames = ["{portal.url}"]') as scene:
        portal.app = framing(scene, "in").app
        tab.page.goto(portal.url)
        framed = tab.page.frame_locator("iframe")
        framed.locator(".ehr-card h4").first.wait_for(timeout=20_000)
        assert "Achieng Lakeshore" in framed.locator("#whose").inner_text()
        assert not [one for one in tab.complaints if "frame-ancestors" in one]


def test_over_tls_the_cookie_is_taken_in_a_tab_and_in_a_frame_of_another_site(tmp_path: Path, tab: Watched) -> None:
    """`__Host-` and `Partitioned`, as a browser sees them; `localhost` is another site than 127.0.0.1."""
    tls = context(certificates(tmp_path).good)
    with serving(Door()) as portal:
        elsewhere = portal.url.replace("127.0.0.1", "localhost")
        with launching(tmp_path, f'smart_frames = ["{elsewhere}"]', tls=tls) as scene:
            open_chart(tab, scene)
            assert tab.page.url.startswith("https://127.0.0.1:")
            assert "Achieng Lakeshore" in tab.page.inner_text("#whose")
            portal.app = framing(scene, "in").app
            tab.page.goto(elsewhere)
            framed = tab.page.frame_locator("iframe")
            framed.locator(".ehr-card h4").first.wait_for(timeout=20_000)
    with launching(tmp_path, tls=tls) as scene:
        open_chart(tab, scene)
        assert "Achieng Lakeshore" in tab.page.inner_text("#whose")


def test_a_browser_that_asks_for_portuguese_is_answered_in_it(chromium: Browser, scene: Scene) -> None:
    with chromium.new_context(locale="pt-MZ") as fresh:
        tab = Watched(fresh.new_page())
        tab.page.set_viewport_size({"width": 360, "height": 700})
        open_chart(tab, scene)
        page = tab.page
        assert page.inner_text("h1") == "Porquê esta recomendação"
        assert "profilaxia de Pneumocystis indicada" in page.inner_text(".ehr-card h4")
        assert page.evaluate("document.documentElement.lang") == "pt"
        silent = page.locator("details.rule").last
        assert "em silêncio" in silent.inner_text()
        silent.locator("summary").click()
        because = silent.locator("dt:text-is('Porque') + dd span")
        assert because.get_attribute("lang") == "en"
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.goto(f"{scene.service.url}/why/launch?iss=https%3A%2F%2Fother.example.org&launch=x")
        assert "O sistema clínico que abriu esta página" in page.inner_text("[role=alert]")
