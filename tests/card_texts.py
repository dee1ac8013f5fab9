"""Cards in; what a clinician must never be told, and what reads badly, out: the text rules of the decision tables, section 5.3."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

Card = dict[str, Any]
LONGEST_SUMMARY = 139
_ANTIRETROVIRAL = (
    "abacavir|atazanavir|bictegravir|cabotegravir|darunavir|dolutegravir|doravirine|efavirenz|emtricitabine|lamivudine"
    "|lopinavir|nevirapine|raltegravir|rilpivirine|tenofovir|zidovudine"
)
NEVER = {
    "stopping ART": r"\b(stop|stopping|discontinue|withhold|interrupt)\b[^.;:]{0,20}\b(ART|antiretroviral)",
    "starting a regimen by name": rf"\b(start|switch to|begin|change to|add)\b[^.;:]{{0,15}}\b({_ANTIRETROVIRAL})",
    "a diagnosis": r"\b(this patient|the patient|he|she|they) (has|have|is suffering from) (IRIS|AIDS|PCP|pneumonia|tuberculosis)",
    "delaying ART to prevent IRIS": r"\b(delay|defer|postpone)\w*\b[^.]{0,40}\b(prevent|avoid)\w*\b[^.]{0,20}\bIRIS",
    "that prophylaxis is not needed": r"prophylaxis (is|was)? ?(not|no longer) (needed|necessary|indicated|required)",
    "immune therapy as a way": r"\b(give|consider|offer|use|try)\b[^.;:]{0,30}\b(interleukin|aldesleukin|\w+grastim|G?M?-?CSF)",
    "intensification as a way": r"\b(consider|offer|try)\b[^.;:]{0,30}\b(intensif|adding antiretrovirals|changing antiretrovirals)",
    "certainty nobody has": r"\b(will|certainly|always|guarantee\w*|safe to|it is safe)\b(?! be read)",
    "an order to the clinician without a reason": r"^(must|you must|do it)",
}
DELAY = r"\b(delay|defer|postpone|wait)\w*\b[^.]{0,40}\bART\b|\bART\b[^.]{0,40}\b(delay|defer|postpone|wait)"
MAY_SPEAK_OF_DELAY = {
    "ArtTiming",
    "CryptococcalScreen",
    "PneumocystisStart",
    "IrisCounselling",
    "CmvEyeExam",
    "ArtStart",
}
INTERNAL = r"\b(None|True|False|Decimal|hiv-infection|tb-active|tb-latent|not-detected|Condition/|Observation/|\d{4}-\d\d-\d\d)\b"
FACT = r"\d{1,2} [A-Z][a-z]{2} \d{4}|problem list|medication list|Being ordered|Allergy"
DOSE = r"\d+ ?(mg|mL|tablets?|capsules?)\b"


def faults(card: Card) -> Iterator[str]:
    """Everything in one card that must not be there, or is missing."""
    topic, summary, detail = card["source"]["topic"]["code"], card["summary"], card["detail"]
    spoken = " ".join(re.findall(r'"([^"]*)"', detail))
    for what, pattern in NEVER.items():
        for text in sentences(card):
            excused = what != "that prophylaxis is not needed" and (_is_denied(text) or text in spoken)
            if re.search(pattern, text, re.IGNORECASE) and not excused:
                yield f"{what}: {text}"
    if topic not in MAY_SPEAK_OF_DELAY:
        yield from (f"delay of ART: {one}" for one in sentences(card) if re.search(DELAY, one))
    yield from (f"internal words: {one}" for one in sentences(card) if re.search(INTERNAL, one))
    if not 0 < len(summary) <= LONGEST_SUMMARY or summary != summary.strip() or summary.endswith("."):
        yield f"summary of {len(summary)} characters: {summary}"
    if topic != "NotAssessed":
        yield from _unsourced(card)
    if re.search(r"  |\(\)|,,|\.\.|; ;|: :| ,| \.", detail.replace("\n", "")) or "<" in detail:
        yield f"stray marks: {detail}"


def _is_denied(sentence: str) -> bool:
    """Whether the sentence says that something is not supported, not offered, not checked: a fact, not a way."""
    return bool(re.search(r"\bnot\b|\bno\b|\bnever\b|\bneither\b|\bunless\b|\bwithout\b", sentence, re.IGNORECASE))


def _unsourced(card: Card) -> Iterator[str]:
    detail = card["detail"]
    sources = [line for line in detail.split("\n\n") if line.startswith("Source: ")]
    if not sources or not all(re.search(r"\b(19|20)\d\d\.$", one) for one in sources):
        yield f"no source with its year: {detail}"
    if not re.search(r"\b(19|20)\d\d$", card["source"]["label"]):
        yield f"no year in the label: {card['source']['label']}"
    if card["indicator"] != "info" and not re.search(
        r"\d{1,2} [A-Z][a-z]{2} \d{4}|problem list|medication list|Being ordered|Allergy", detail
    ):
        yield f"no fact it rests on: {detail}"


def sentences(card: Card) -> Iterable[str]:
    """The summary, the labels and every sentence of the detail."""
    labels = [one["label"] for one in card.get("suggestions", [])]
    said = "\n".join(line for line in card["detail"].splitlines() if not line.startswith("Source: "))
    parts = re.split(r"(?<=[.!?])\s+|\n+", said)
    return [card["summary"], *labels, *(part.strip("- ") for part in parts if part.strip("- "))]


def doses(card: Card) -> list[str]:
    """What names a dose, in the labels, the orders and the detail."""
    orders = [
        str(action["resource"]["dosageInstruction"])
        for suggestion in card.get("suggestions", [])
        for action in suggestion["actions"]
        if "dosageInstruction" in action.get("resource", {})
    ]
    return orders + [one for one in sentences(card) if re.search(DOSE, one)]
