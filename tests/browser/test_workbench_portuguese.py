"""The workbench in a browser set to Portuguese: asked by its labels, read by all, wide or narrow, by day or night."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.pages import desk, follow
from tests.browser.servers import Servers
from tests.browser.test_every_page import NARROWEST, OPEN_ALL, WIDER_THAN_THE_WINDOW, kept_out
from tests.test_workbench import STARTING


@pytest.fixture(scope="module")
def page(chromium: Browser, running: Servers) -> Iterator[Page]:
    at = desk(chromium, running, locale="pt-MZ")
    found = at.workbench()
    asked = found.page
    asked.get_by_label("Paciente de demonstração").select_option(STARTING)
    asked.get_by_label("Contagem de CD4 mais recente").fill("650")
    asked.get_by_text("Qualquer outro resultado").click()
    asked.get_by_label("Um resultado").first.select_option(label="Antígeno criptocócico")
    asked.get_by_label("O seu valor").first.fill("Positivo")
    asked.get_by_label("Medicamento nem em uso nem em prescrição").select_option(label="rifampicina")
    follow(asked.get_by_role("button", name="Avaliar"))
    asked.evaluate(OPEN_ALL)
    yield asked
    assert found.noticed == []
    at.context.close()


def test_it_is_asked_and_answers_in_portuguese(page: Page) -> None:
    assert page.get_by_role("heading", level=2).first.inner_text() == "Antes, e como seria"
    assert "nenhum rascunho o contém" in page.get_by_role("status").inner_text()
    after = page.get_by_role("region", name="Como seria", exact=True).inner_text()
    assert "Antígeno criptocócico com resultado positivo" in after
    assert page.get_by_label("O seu valor").first.input_value() == "Positivo"


@pytest.mark.parametrize(("light", "width"), [("light", 1440), ("dark", 360)])
def test_axe_finds_nothing_that_keeps_somebody_out(page: Page, light: Any, width: int) -> None:
    page.emulate_media(color_scheme=light)
    page.set_viewport_size({"width": width, "height": 900})
    assert kept_out(page) == []


def test_a_narrow_window_needs_no_sideways_scrolling(page: Page) -> None:
    page.set_viewport_size({"width": NARROWEST, "height": 640})
    assert page.evaluate(WIDER_THAN_THE_WINDOW) == 0
