"""The workbench as a person uses it: chosen, typed, pressed, read. Its browser runs no script, for the page needs none."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.pages import EVALUATE, desk, follow
from tests.browser.servers import Servers

STARTING = "CD4 120, starting ART · order-sign"


@pytest.fixture(scope="module")
def page(chromium: Browser, running: Servers) -> Iterator[Page]:
    at = desk(chromium, running, java_script_enabled=False)
    found = at.workbench()
    yield found.page
    assert found.noticed == []
    at.context.close()


@pytest.fixture(autouse=True)
def begun(page: Page) -> None:
    follow(page.get_by_role("link", name="Begin anew"))
    page.get_by_label("Demo patient").select_option(label=STARTING)


def press(page: Page) -> None:
    follow(page.get_by_role("button", name=EVALUATE))


def changes(page: Page) -> dict[str, list[str]]:
    """Of each rule in the table of changes: what it said, and what it would say."""
    rows = [
        row.locator("th code, td").all_inner_texts()
        for row in page.locator("#answer ~ table.changes").first.locator("tbody tr").all()
    ]
    return {rule: said for rule, *said in rows}


def one_that_says(page: Page, words: str) -> str:
    """The first of the results to choose from whose words these are part of."""
    found = page.get_by_label("A result").first.locator("option").all_inner_texts()
    return next(one for one in found if words in one)


def cards(page: Page, heading: str) -> list[str]:
    """The marks and summaries of the cards under a heading, as they are read."""
    under = page.get_by_role("region", name=heading, exact=True).get_by_role("article")
    return [" ".join(one.locator(".tags, h4").all_inner_texts()) for one in under.all()]


def test_a_demo_patient_is_chosen_and_the_answer_is_read(page: Page) -> None:
    press(page)
    assert page.url.endswith("/workbench#answer")
    assert page.get_by_role("heading", level=2).first.inner_text() == "The answer"
    assert "CD4 120/µL on 12 Nov: Pneumocystis prophylaxis is due" in page.locator("article h4").all_inner_texts()


def test_another_count_and_load_mark_what_goes_and_what_comes(page: Page) -> None:
    page.get_by_label("Newest CD4 count").fill("650")
    page.get_by_label("Newest viral load").fill("<20")
    page.get_by_label("Measured on").fill("2026-11-18")
    press(page)
    assert changes(page)["cryptococcal-screen"] == ["recommended, info", "silent"]
    assert any(one.startswith("WARNING GONE Starting ART") for one in cards(page, "Before"))
    assert any(one.startswith("INFO NEW No test for TB infection") for one in cards(page, "As it would be"))
    assert "CD4 count 650/µL, 18 Nov 2026" in page.inner_text("main")
    assert page.get_by_label("Newest CD4 count").input_value() == "650"  # what was asked stays in sight


def test_an_allergy_takes_away_the_drug_it_forbids(page: Page) -> None:
    page.get_by_label("The allergy is").select_option("severe")
    press(page)
    before, after = (page.get_by_role("region", name=one, exact=True) for one in ("Before", "As it would be"))
    assert "Order TMP-SMX double strength" in before.inner_text()
    assert "Order TMP-SMX" not in after.inner_text()
    assert "Order atovaquone" in after.inner_text()


def test_any_result_can_be_another_or_not_there(page: Page) -> None:
    page.get_by_text("Any other result, a diagnosis, the days of a drug").click()
    page.get_by_label("A result").first.select_option(label=one_that_says(page, "CD4 count"))
    page.get_by_label("Its value").first.fill("650")
    press(page)
    assert changes(page)["pneumocystis-start"] == ["recommended, warning", "recommended, info"]  # by the percentage
    assert page.get_by_label("Its value").first.input_value() == "650"  # and is in sight without opening anything
    page.get_by_label("Its value").first.fill("none")
    press(page)
    assert changes(page)["toxoplasma-start"] == ["silent", "not assessed"]


def test_a_diagnosis_besides_is_on_the_problem_list(page: Page) -> None:
    page.get_by_text("Any other result, a diagnosis, the days of a drug").click()
    page.get_by_label("Diagnosis besides").select_option(label="Cryptococcal meningitis")
    press(page)
    assert changes(page)["art-timing"][1].startswith("recommended")


def test_a_drug_taken_besides_covers(page: Page) -> None:
    page.get_by_label("Drug taken besides").select_option(label="atovaquone")
    press(page)
    assert changes(page)["pneumocystis-start"] == ["recommended, warning", "silent"]


def test_a_drug_not_taken_covers_no_longer(page: Page) -> None:
    page.get_by_label("Demo patient").select_option("on-cotrimoxazole:order-sign")
    page.get_by_label("Drug neither taken nor ordered").select_option(label="sulfamethoxazole")
    press(page)
    assert changes(page)["pneumocystis-start"] == ["silent", "recommended, warning"]


def test_a_later_day_makes_results_too_old(page: Page) -> None:
    page.get_by_label("Evaluated on").fill("2027-12-01")
    press(page)
    assert changes(page)["monitoring-due"][1].startswith("recommended")
    assert "2027-12-01" in page.get_by_role("region", name="As it would be", exact=True).inner_text()


def test_another_guideline_is_named_beside_its_answer(page: Page) -> None:
    page.get_by_label("Guideline").select_option("who")
    press(page)
    assert "guideline who" in page.get_by_role("region", name="As it would be", exact=True).inner_text()
    assert "guideline dhhs" in page.get_by_role("region", name="Before", exact=True).inner_text()
    assert changes(page)


def test_what_makes_no_sense_is_said_at_once_and_nothing_typed_is_lost(page: Page) -> None:
    page.get_by_label("Newest CD4 count").fill("many")
    press(page)
    assert "CD4 count" in page.get_by_role("alert").inner_text()
    assert page.get_by_label("Newest CD4 count").input_value() == "many"
    assert page.get_by_role("article").count() == 0


def test_begin_anew_forgets_what_was_asked(page: Page) -> None:
    page.get_by_label("Newest CD4 count").fill("650")
    press(page)
    follow(page.get_by_role("link", name="Begin anew"))
    assert page.get_by_label("Newest CD4 count").input_value() == ""
    assert page.get_by_role("heading", level=2).first.inner_text() == "The answer"
