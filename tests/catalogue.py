"""The sources and the knowledge in; every message that a card can hold out, and the catalogues that translate them.

`python -m tests.catalogue` writes each catalogue anew: new messages with no translation yet, none that is said no longer.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from cds_service.access.trust_file import presets
from cds_service.home.words import PRESET
from cds_service.languages import LANGUAGES
from cds_service.reasons.outcomes import HELD
from cds_service.report.words import FIELDS, FORM
from cds_service.wire.orders import DOSE, DOSE_UNIT, PRODUCT
from cds_service.workbench.choices import CHOICE
from cds_service.workbench.typed import NONE, WORDS
from hooks import SERVICES
from hooks.assess import TITLE
from hooks.discreet import FACE, Discreet
from hooks.facts import DRUG, RESULT
from hooks.holding import NO_ROOM, QUIET, SHADOW, SWITCHED_OFF, UNRELATED
from hooks.knowledge import Profile, load, load_profiles
from hooks.knowledge.words import CONCEPTS
from hooks.record import LIFELONG
from hooks.rules.agents import AGAINST, PURPOSE
from hooks.rules.iris import AFTER_TUBERCULOSIS, LOCATOR
from hooks.sentences import _has_no_letter
from hooks.wording import GRADE, MONTH, MONTHS, NAME, NAMED, REGIMEN, TEST, WHOLE_MONTHS, name

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "cds_service" / "languages"
WIDTH = 110
RESULTS = ("deficient", "negative", "normal", "not-pregnant", "positive", "pregnant")
_METHODS = [("**.py", "python"), ("**.html", "jinja2")]
_KEYWORDS = {"say": None, "say_n": (1, 2)}
_HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'

Message = tuple[str, tuple[str, ...]]  # its context, and the text, or the texts for one and for many


def messages() -> dict[Message, list[str]]:
    """Every message with where it stands: those in the code, and the words of the knowledge that stand in them."""
    found: dict[Message, list[str]] = {}
    for message, place in (*_said(), *_terms()):
        if not _has_no_letter(message[1][0]):
            places = found.setdefault(message, [])
            places += [place] if place not in places else []
    return found


def _said() -> Iterator[tuple[Message, str]]:
    for package in ("cds_service", "hooks"):
        for file, _, text, _, _ in extract_from_dir(ROOT / package, _METHODS, {}, _KEYWORDS):
            yield ("", (text,) if isinstance(text, str) else tuple(text)), f"{package}/{file}"


def _terms() -> Iterator[tuple[Message, str]]:
    for context, texts in terms().items():
        yield from (((context, (text,)), "hooks/knowledge") for text in sorted(texts))


def terms() -> dict[str, set[str]]:
    """The words of closed lists, by their context."""
    knowledge = load()
    profiles, regimens = load_profiles(knowledge).values(), knowledge.regimens.values()
    drugs = [drug for regimen in regimens for drug in regimen.drugs]
    named = {*NAMED, *CONCEPTS, *LIFELONG, *knowledge.tests, "pregnancy-status"}
    return {
        CHOICE: {NONE, *WORDS},
        DOSE: {one.dose.text for one in drugs},
        DOSE_UNIT: {one.dose.unit for one in drugs},
        FACE: {text for service in SERVICES for rule in service.rules for text in _faces(rule.discreet)},
        FORM: {str(one) for one in FIELDS.values()},
        DRUG: {one.name for one in knowledge.ingredients.values()},
        GRADE: {word for one in profiles for word in _grades(one)},
        HELD: {NO_ROOM, QUIET, SHADOW, SWITCHED_OFF, UNRELATED},
        LOCATOR: {one.cite(AFTER_TUBERCULOSIS).locator for one in profiles},
        MONTH: {*MONTHS, *WHOLE_MONTHS},
        NAME: {str(name(one)) for one in named},
        PRESET: {one["about"] for one in presets().values()},
        PRODUCT: {text for one in drugs for text in (one.display, one.ingredient_display)},
        PURPOSE: set(AGAINST.values()),
        REGIMEN: {text for one in regimens for text in (one.label, one.name)},
        RESULT: set(RESULTS),
        TEST: {one.label for one in knowledge.tests.values()},
        TITLE: {str(rule.title) for service in SERVICES for rule in service.rules},
    }


def _faces(words: Discreet) -> tuple[str, ...]:
    return (words.title, words.usual, *words.cases.values())


def _grades(profile: Profile) -> Iterator[str]:
    cites = [*profile.statements.values(), *(one.cite for one in profile.thresholds.values())]
    cites += [regimen.cite for regimens in profile.regimens.values() for regimen in regimens if regimen.cite]
    for one in cites:
        yield from (word for word in (one.strength, one.evidence) if word and len(one.strength) > 1)


def catalogue_file(language: str) -> Path:
    """Where the catalogue of a language stands."""
    return FOLDER / f"{language}.po"


def written(language: str) -> bytes:
    """The catalogue as it has to be: every message once, with the translation that the file has for it."""
    known = read_po(BytesIO(catalogue_file(language).read_bytes()))
    made = Catalog()
    for (context, texts), places in sorted(messages().items()):
        old = known.get(texts[0], context or None)
        string = old.string if old else None
        plural = texts if len(texts) > 1 else texts[0]
        made.add(
            plural,
            string or ("" if len(texts) == 1 else ("", "")),
            [(one, None) for one in places],
            context=context or None,
        )
    out = BytesIO()
    write_po(out, made, width=WIDTH, omit_header=True, include_lineno=False)
    return _HEADER.encode() + out.getvalue()


if __name__ == "__main__":
    for language in LANGUAGES[1:]:
        text = written(language)
        catalogue_file(language).write_bytes(text)
        print(f"{catalogue_file(language).name}: {len(messages())} messages")
