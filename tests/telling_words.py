"""The knowledge in, out come the words that tell of HIV, its treatment, its tests or an infection; a card in, what its face says.

The words come from the knowledge, in another language by the catalogue's own translations: a drug, a condition, a test or a
region that is added is among them, unless it is put among the neutral ones here.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from cds_service.languages import load as load_language
from hooks.facts import DRUG
from hooks.knowledge import load
from hooks.knowledge.words import CONCEPTS, MEASURES, REGIONS
from hooks.rules.agents import PURPOSE
from hooks.wording import NAME, TEST, name

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
NEUTRAL_IN = {
    "pt": frozenset(
        """
        2 a achado adesão anafilaxia anti anticorpo antígeno artrite autoimune b c cancro carga complexo
        contagem cutânea da de deficiência definidora do doença esclerose esofágica estabelecido estado
        falência favor g6pd gama grave graves gravidez igg imunidade inativa inconclusivo infecção interferon
        intervalo latente libertação linfoma lúpus medula metemoglobinemia multifocal múltipla neutropenia no
        não oral orofaríngea outra para percentagem por progressiva prolongado pulmonar qt reação renal
        reumatoide serologia simples superfície teste transplante à óssea
        """.split()  # noqa: SIM905
    )
}
ALWAYS_IN = {
    "pt": frozenset(
        """
        vih hiv sida aids tarv tar antirretrovir retrovir prep pep cd4 linfócit célula células viral lemp virais viremi
        virémi virolog virológ vírus supressão imunossupr imunodefic imunológ imunoterap seroposit soroposit iris meningit
        retinit pneumon pcp tubercul micobact mycobact hepatit herpes toxo criptoc histoplasm coccidioid talaromic
        citomegal candid leucoencef sarcoma zóster oportunis hbsag igra
        """.split()  # noqa: SIM905
    )
}
_ROLES = ("art", "hbv", "hcv", "tb", "cmv", "hsv", "prep")
_LONG = 6  # a word as long as this tells also as a part of another


@cache
def telling(language: str = "en") -> re.Pattern[str]:
    """Finds any of the words, the English ones in every language."""
    parts = {part for one in CONCEPTS | MEASURES | REGIONS for part in one.split("-")} - NEUTRAL
    words = parts | ALWAYS | {drug.casefold() for drug in drugs()}
    words |= _translated(language) if language != "en" else set()
    long = sorted(re.escape(one) for one in words if len(one) >= _LONG)
    short = sorted(re.escape(one) for one in words if len(one) < _LONG)
    return re.compile(rf"{'|'.join(long)}|\b(?:{'|'.join(short)})\b", re.IGNORECASE)


def _translated(language: str) -> set[str]:
    """The words of what has such a name in this language, and the drugs."""
    told = {key: forms[0].casefold() for key, forms in load_language(language).messages.items() if key[0]}
    named = {str(name(one)) for one in CONCEPTS | MEASURES | REGIONS}
    texts = [
        text
        for (context, one), text in told.items()
        if context in (TEST, PURPOSE) or (context == NAME and one in named)
    ]
    parts = {part for text in texts for part in re.split(r"[\s-]+", text)} - NEUTRAL_IN[language]
    return parts | ALWAYS_IN[language] | {told[DRUG, one] for one in drugs()}


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
