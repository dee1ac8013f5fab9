"""The pictures in docs/screenshots: those that the index shows are there, are what they are called, and are small."""

import struct
from pathlib import Path

import pytest

from tests.screenshots import COMMAND, FOLDER, HIGHEST, INDEX, LIGHTS, MOST_BYTES, SHOWN, WIDTHS, index, name, png

PICTURES = sorted(FOLDER.glob("*.png"))


def test_the_index_shows_every_picture_and_no_other() -> None:
    assert INDEX.read_text("utf-8") == index(), f"run {COMMAND}"
    wanted = {name(page, light, width) for page in SHOWN for light in LIGHTS for width in WIDTHS}
    assert {one.name for one in PICTURES} == wanted


@pytest.mark.parametrize("picture", PICTURES, ids=lambda one: one.name)
def test_a_picture_is_as_wide_as_it_is_called(picture: Path) -> None:
    width, height = struct.unpack(">II", picture.read_bytes()[16:24])
    assert width == WIDTHS[picture.stem.rpartition("-")[2]]
    assert height <= HIGHEST


def test_all_together_are_small() -> None:
    assert sum(one.stat().st_size for one in PICTURES) < MOST_BYTES


def test_a_picture_is_written_as_png() -> None:
    written = png(2, 1, [0xFF0000, 0x0000FF], b"\0\1")
    assert written.startswith(b"\x89PNG\r\n\x1a\n")
    assert b"PLTE\xff\x00\x00\x00\x00\xff" in written
