"""Values in, words for a card out: numerals, units and dates as a clinician writes them; never a string of the chart."""

from datetime import date
from decimal import ROUND_DOWN, Decimal

from hooks.record import LabResult

_UNITS = {"/uL": "/µL", "%": "%", "copies/mL": " copies/mL", "IU/mL": " IU/mL"}
_NAMES = {"cd4-count": "CD4 count", "cd4-percent": "CD4 percentage", "viral-load": "HIV viral load"}
_BOUNDS = {"": "", "<": "below ", "<=": "at most ", ">": "above ", ">=": "at least "}
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def number(value: Decimal) -> str:
    """250000 as 250,000; 14.50 as 14.5; never rounded up across a threshold."""
    text = f"{value.quantize(Decimal('0.01'), ROUND_DOWN):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def amount(result: LabResult) -> str:
    """For example `120/µL`, `below 20 copies/mL`, `not detected`."""
    if result.number is None:
        return "not detected" if result.detected is False else "detected, amount not stated"
    return f"{_BOUNDS[result.comparator]}{number(result.number)}{_UNITS[result.unit]}"


def day(when: date) -> str:
    """For example 12 Nov 2026."""
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def short_day(when: date, as_of: date) -> str:
    """12 Nov, with its year only where it is not the current one."""
    return day(when) if when.year != as_of.year else f"{when.day} {_MONTHS[when.month - 1]}"


def ago(days: int) -> str:
    """How long ago, in the unit a clinician would use; a month is 30 days."""
    if days < 0:
        return "dated tomorrow"
    if days < 2:
        return ("today", "yesterday")[days]
    return f"{days} days ago" if days <= 60 else f"{days // 30} months ago"


def name(datum: str) -> str:
    """The name of a datum on a card."""
    return _NAMES.get(datum) or _DATA.get(datum, datum.replace("-", " "))


_DATA = {
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
    """a, b and c."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def capital(sentence: str) -> str:
    """The sentence with a capital first letter."""
    return sentence[:1].upper() + sentence[1:]
