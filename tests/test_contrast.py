"""The colours of the workbench as its style sheets have them: text and signs stand out from their ground, light, dark, printed."""

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[1] / "cds_service" / "web" / "static"
TEXT, SIGN = 4.5, 3.0  # WCAG 2.2, 1.4.3 and 1.4.11
SHEETS = {name: (STATIC / f"{name}.css").read_text("utf-8") for name in ("style", "workbench")}
PAIRS = {
    TEXT: {
        "ground": ("text", "quiet", "accent", "critical", "warning", "info", "limit"),
        "code": ("text",),
        "accent": ("ground",),  # the button
        "quiet": ("ground",),  # the marks of cards
        "new": ("ground",),
    },
    SIGN: {
        "ground": ("value", "limit", "text", "quiet", "critical", "warning", "info", "new"),
        "band-1": ("value", "limit", "text", "quiet"),
        "band-2": ("value", "limit", "text", "quiet"),
    },
}
# A line between what is told apart by space and headings anyhow; a band ends with a dotted line (`switch`).
NO_SIGN = {"line", "band-1", "band-2", "ground"}
MODES = {"light": None, "dark": "prefers-color-scheme: dark", "paper": "print"}


def colours(mode: str) -> dict[str, str]:
    """The custom properties that hold in this mode."""
    found: dict[str, str] = {}
    for sheet in SHEETS.values():
        for media, block in _roots(sheet):
            if media == "" or MODES[mode] == media:
                found |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))
    return found


def _roots(sheet: str) -> list[tuple[str, str]]:
    """Every `:root` block with the medium it stands for."""
    found, media, depth = [], "", 0
    for part in re.finditer(r"@media \(?([^{()]*)\)? *\{|:root \{([^}]*)\}|\{|\}", sheet):
        if part[2] is not None:
            found.append((media, part[2]))
        elif part[1] is not None:
            media, depth = part[1].strip(), 0
        else:
            depth += 1 if part[0] == "{" else -1
            media = media if depth >= 0 else ""
    return found


def luminance(colour: str) -> float:
    """As WCAG defines it."""
    parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_measured_as_wcag_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("mode", MODES)
def test_text_and_signs_can_be_told_from_their_ground(mode: str) -> None:
    known = colours(mode)
    faint = [
        f"{one} on {ground}: {contrast(known[one], known[ground]):.2f}"
        for least, grounds in PAIRS.items()
        for ground, names in grounds.items()
        for one in names
        if contrast(known[one], known[ground]) < least
    ]
    assert not faint


def test_the_modes_are_told_apart() -> None:
    assert colours("light")["ground"] == colours("paper")["ground"] == "#ffffff"
    assert luminance(colours("dark")["ground"]) < 0.05
    assert colours("dark").keys() == colours("light").keys() >= colours("paper").keys()


def test_every_colour_that_the_workbench_uses_is_measured() -> None:
    used = set(
        re.findall(r"(?:color|fill|stroke|border[a-z-]*|background): [^;]*?var\(--([\w-]+)\)", SHEETS["workbench"])
    )
    measured = {one for grounds in PAIRS.values() for names in grounds.values() for one in names}
    grounds = {one for pairs in PAIRS.values() for one in pairs}
    assert used - measured - grounds <= NO_SIGN
    assert used
