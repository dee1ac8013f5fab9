"""The invented patients of `patients.toml` in; the page `docs/thirty-patients.md` with the cards a clinician would see out.

python -m tests.patients_doc      writes the page anew
"""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.cases import AS_OF, Case, answer

FILE = Path(__file__).parent / "patients.toml"
PAGE = Path(__file__).parents[1] / "docs" / "thirty-patients.md"
COMMAND = "python -m tests.patients_doc"
EXTENSION = "org.immune-status-cds.evaluation"


def patients() -> list[dict[str, Any]]:
    """Every patient, with HIV infection unless the story says otherwise."""
    return [{"problems": ["HIV infection"]} | one for one in tomllib.loads(FILE.read_text("utf-8"))["patient"]]


def page() -> str:
    """The whole page."""
    head = [
        "# Thirty invented patients",
        f"What a clinician would see on {AS_OF:%d %B %Y}: every card in full, most urgent first. Nobody here exists.",
        f"Written by `{COMMAND}`; a test holds it to the service's answers. The content awaits clinical review.",
    ]
    parts = [part for number, one in enumerate(patients(), 1) for part in patient(number, one)]
    return "\n\n".join((*head, *parts)) + "\n"


def patient(number: int, said: dict[str, Any]) -> Iterator[str]:
    """One patient: the story, the cards, what was held back."""
    case = Case("", said)
    body = answer(case)
    yield f"## {number}. {said['story']}"
    site = [f"{key} {said[key]}" for key in ("profile", "endemic") if key in said]
    yield f"`{said['hook']}`{', ' + ', '.join(site) if site else ''}"
    for card in body["cards"]:
        yield from printed(card)
    if not body["cards"]:
        yield "*No card.*"
    held = [one["rule"] for one in body["extension"][EXTENSION]["findings"] if one["outcome"] == "held"]
    if held:
        yield f"Held: {', '.join(held)}."


def printed(card: dict[str, Any]) -> Iterator[str]:
    """One card as text: indicator and summary, detail, what it offers, its source."""
    yield f"### {card['indicator'].upper()}: {card['summary']}"
    yield card["detail"]
    offers = [
        f"- [ ] {one['label']}{' (recommended)' if one.get('isRecommended') else ''}"
        for one in card.get("suggestions", [])
    ]
    if offers:
        yield "\n".join(offers)
    yield f"*{card['source']['label']}*"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(f"wrote {PAGE.name}")
