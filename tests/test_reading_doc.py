import re

from tests.reading_doc import COMMAND, PAGE, page


def test_the_page_says_what_the_reader_says() -> None:
    written = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    assert written == page(), f"docs/results-read.md is not what the reader says: rewrite it with `{COMMAND}`"


def test_every_row_of_a_table_has_the_cells_of_its_head() -> None:
    width = 0
    for line in page().splitlines():
        cells = len(re.split(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert cells in (width, 0) or width == 0, line
        width = cells
