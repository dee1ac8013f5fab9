"""Values in, words for a card out: numerals, units and dates as a clinician writes them; never a string of the chart."""

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_DOWN, Decimal

from hooks.knowledge import Citation, LabTest, Regimen
from hooks.record import LabResult
from hooks.sentences import Sentence, figure, join, say, term, verbatim

MONTH, NAME, REGIMEN, TEST, GRADE = "month", "name", "regimen", "test", "grade"  # contexts of terms
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WHOLE_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def number(value: Decimal) -> Sentence:
    """250000 as 250,000; 14.50 as 14.5; never rounded up across a threshold."""
    text = f"{value.quantize(Decimal('0.01'), ROUND_DOWN):,f}"
    return figure(text.rstrip("0").rstrip(".") if "." in text else text)


def amount(result: LabResult) -> Sentence:
    """For example `120/µL`, `below 20 copies/mL`, `not detected`."""
    if result.number is None:
        return say("not detected") if result.detected is False else say("detected, amount not stated")
    measured = in_unit(number(result.number), result.unit)
    match result.comparator:
        case "<":
            return say("below {amount}", amount=measured)
        case "<=":
            return say("at most {amount}", amount=measured)
        case ">":
            return say("above {amount}", amount=measured)
        case ">=":
            return say("at least {amount}", amount=measured)
    return measured


def in_unit(value: Sentence, unit: str) -> Sentence:
    """A number of a result or of a threshold with its unit; a ratio has none."""
    match unit:
        case "/uL":
            return say("{number}/µL", number=value)
        case "%":
            return say("{number}%", number=value)
        case "copies/mL":
            return say("{number} copies/mL", number=value)
        case "IU/mL":
            return say("{number} IU/mL", number=value)
        case "{log_copies}/mL":
            return say("{number} log10 copies/mL", number=value)
        case "d":
            return say("{number} days", number=value)
        case "a":
            return say("{number} years", number=value)
    return value


def day(when: date) -> Sentence:
    """For example 12 Nov 2026."""
    return say("{day} {month} {year}", day=when.day, month=term(MONTH, MONTHS[when.month - 1]), year=when.year)


def short_day(when: date, as_of: date) -> Sentence:
    """12 Nov, with its year only where it is not the current one."""
    if when.year != as_of.year:
        return day(when)
    return say("{day} {month}", day=when.day, month=term(MONTH, MONTHS[when.month - 1]))


def ago(days: int) -> Sentence:
    """How long ago, in the unit a clinician would use; a month is 30 days."""
    if days < 0:
        return say("dated tomorrow")
    if days < 2:
        return (say("today"), say("yesterday"))[days]
    return say("{days} days ago", days=days) if days <= 60 else say("{months} months ago", months=days // 30)


def name(datum: str) -> Sentence:
    """The name of a datum on a card."""
    return term(NAME, NAMED.get(datum) or datum.replace("-", " "))


def regimen_name(regimen: Regimen, *, dosed: bool) -> Sentence:
    """A regimen with its dose, or by name alone."""
    return term(REGIMEN, regimen.label if dosed else regimen.name)


def grade(cite: Citation) -> Sentence:
    """The letters of a grade are the same everywhere; its words are not."""
    if len(cite.strength) == 1:
        return verbatim(cite.grade)
    return join(", ", [term(GRADE, one) for one in (cite.strength, cite.evidence) if one])


def test_name(test: LabTest) -> Sentence:
    """A test as it is ordered."""
    return term(TEST, test.label)


NAMED: Mapping[str, str] = {
    "cd4-count": "CD4 count",
    "cd4-percent": "CD4 percentage",
    "viral-load": "HIV viral load",
    "medications": "medication list",
    "conditions": "problem list",
    "allergies": "allergy list",
    "birth-date": "date of birth",
    "baseline-cd4": "CD4 count before treatment",
    "art-start-date": "start of antiretroviral treatment",
    "toxoplasma-igg": "Toxoplasma IgG",
    "g6pd": "G6PD",
    "hbsag": "hepatitis B surface antigen",
    "anti-hbs": "hepatitis B surface antibody",
    "crag": "cryptococcal antigen",
    "tb-test": "test for TB infection",
    "coccidioides": "Coccidioides serology",
    "pregnancy": "pregnancy status",
    "hbv": "hepatitis B",
    "hcv": "hepatitis C",
    "hsv": "herpes simplex",
    "mac": "Mycobacterium avium complex",
    "cmv": "cytomegalovirus disease",
    "pml": "progressive multifocal leukoencephalopathy",
    "kaposi": "Kaposi sarcoma",
    "pneumocystis": "Pneumocystis pneumonia",
    "tb-active": "tuberculosis",
    "tb-latent": "latent tuberculosis",
    "tb-meningitis": "tuberculous meningitis",
    "hiv-infection": "HIV infection",
    "hiv-2-infection": "HIV-2 infection",
    "g6pd-deficiency": "G6PD deficiency",
    "qt-prolongation": "prolonged QT interval",
    "aids": "AIDS-defining disease",
}


def listed(words: list[str]) -> str:
    """a, b and c, in English."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
