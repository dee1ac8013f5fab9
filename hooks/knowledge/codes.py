"""A code and its system in, what is wrong with it out: shape, and the check digit of LOINC (mod 10) and SNOMED CT (Verhoeff)."""

import re

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
ICD_10 = "http://hl7.org/fhir/sid/icd-10"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
FLAGS = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"

SHAPES = {
    system: re.compile(shape, re.ASCII)
    for system, shape in {
        LOINC: r"[1-9]\d{0,6}-\d|LA\d{1,7}-\d",  # LA: an answer, whose last digit follows another scheme
        SNOMED: r"[1-9]\d{2,14}[01]0\d",  # before the check digit: 00 or 10, a concept and no description or relation
        RXNORM: r"[1-9]\d{0,7}",
        ATC: r"[A-DGHJL-NPRSV]\d\d[A-Z]{2}\d\d",
        ICD_10: r"[A-Z]\d\d(\.\d)?",
        ICD_10_CM: r"[A-Z]\d[0-9AB](\.[0-9A-Z]{1,4})?",
        FLAGS: r"[A-Z]{1,3}",
    }.items()
}

# Verhoeff's tables: the dihedral group of order ten, and the permutation by place.
_PRODUCT = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_PERMUTATION = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def wrong_with(system: str, code: str) -> str:
    """What would be expected in the code's place; empty where nothing is wrong with it."""
    shape = SHAPES.get(system)
    if shape is None:
        return f"a code system of which the shape of its codes is known, not {system}"
    if not shape.fullmatch(code):
        return f"a code in the shape of {system}, not {code!r}"
    if system == LOINC and code[0] != "L" and loinc_check_digit(code[:-2]) != int(code[-1]):
        return f"a LOINC code whose check digit is right, not {code}"
    if system == SNOMED and not passes_verhoeff(code):
        return f"a SNOMED CT code whose check digit is right, not {code}"
    return ""


def loinc_check_digit(number: str) -> int:
    """The digit after the hyphen: every other digit from the right is doubled, the sum of all digits brought up to tens."""
    doubled = "".join(str(int(digit) * (2 if place % 2 == 0 else 1)) for place, digit in enumerate(reversed(number)))
    return -sum(map(int, doubled)) % 10


def passes_verhoeff(number: str) -> bool:
    """Whether the last digit is the check digit of those before it."""
    check = 0
    for place, digit in enumerate(reversed(number)):
        check = int(_PRODUCT[check][int(_PERMUTATION[place % 8][int(digit)])])
    return check == 0
