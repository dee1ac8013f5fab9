"""The knowledge in, out come the words that tell of HIV, its treatment, its tests or an infection; a card in, what its face says.

The words come from the knowledge: a drug, a condition, a test or a region that is added is among them, unless it is put among the
neutral ones here.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from hooks.knowledge import load
from hooks.knowledge.words import CONCEPTS, MEASURES, REGIONS

NEUTRAL = frozenset(
    """
    active anaphylaxis anti antibody arthritis autoimmune cancer cutaneous deficiency disease failure for g6pd graves immune
    immunodeficiency inactive inconclusive infection kidney latent log lung lymphoma lupus marrow measure methaemoglobinaemia
    multiple neutropenia nonadherence not oesophageal oral other percent pregnancy prolongation qt rheumatoid sclerosis severe
    status supporting test transplant established copies iu load unverified count 2 a igg
    """.split()  # noqa: SIM905  (they are words to be read)
)
ALWAYS = frozenset(
    """
    hiv art aids antiretroviral antiretrovirals prep pep cd4 t-cell t-cells helper retrovir viraem virem virolog viral virus
    immune-status immunodefic immunolog iris meningit retinit pneumon tubercul mycobact hepatit herpes toxo crypto histoplasm
    coccidioid talaromyc cytomegal candid leukoenceph sarcoma zoster opportunistic pcp hbsag interferon-gamma igra
    """.split()  # noqa: SIM905
)
_ROLES = ("art", "hbv", "hcv", "tb", "cmv", "hsv", "prep")
_LONG = 6  # a word as long as this tells also as a part of another


@cache
def telling() -> re.Pattern[str]:
    """Finds any of the words."""
    parts = {part for one in CONCEPTS | MEASURES | REGIONS for part in one.split("-")} - NEUTRAL
    words = parts | ALWAYS | {name.casefold() for name in drugs()}
    long = sorted(re.escape(one) for one in words if len(one) >= _LONG)
    short = sorted(re.escape(one) for one in words if len(one) < _LONG)
    return re.compile(rf"{'|'.join(long)}|\b(?:{'|'.join(short)})\b", re.IGNORECASE)


def drugs() -> set[str]:
    """The ingredients whose name tells what they are for."""
    ingredients = load().ingredients.values()
    return {
        one.name for one in ingredients if any(role.startswith(_ROLES) and role != "tb-adjunct" for role in one.roles)
    }


def face(card: dict[str, Any]) -> Iterator[str]:
    """Every text of a card that a client may show before it is opened."""
    yield card["summary"]
    yield card["source"]["label"]
    yield card["source"].get("url", "")
    yield card["source"]["topic"]["display"]
    yield from (one["label"] for one in card.get("links", ()))
    yield from (one["display"] for one in card["overrideReasons"])
    for suggestion in card.get("suggestions", ()):
        yield suggestion["label"]
        yield from (one["description"] for one in suggestion["actions"])
