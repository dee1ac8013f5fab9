"""The prefetch templates: what we ask a CDS client to send, key by key; the codes are those the readers know."""

import re
from collections.abc import Iterable
from urllib.parse import quote

from cds_service.chart.codes import LOINC
from hooks.knowledge import Knowledge

_PATIENT = "{{context.patientId}}"
_CD4 = ("cd4-count", "cd4-percent")
_VIRAL_LOAD = ("viral-load-copies", "viral-load-log", "viral-load-iu")
_OTHER = (
    "toxoplasma-igg",
    "g6pd",
    "crag",
    "hbsag",
    "anti-hbs",
    "tb-test",
    "coccidioides",
    "hcv-ab",
    "pregnancy-status",
)
_LONGEST = 1500  # characters; beyond it codes go without their systems, as servers and our own guard limit a URL
_STEERS = re.compile(r"[\\,|$]")  # in the value of a FHIR search parameter
_MANY = 100  # a page; the readers never rely on the order or on having got all
DATA = {  # what a rule lacks when a key was not supplied; supplementary keys stand for nothing
    "cd4": ("cd4-count", "cd4-percent"),
    "viralLoads": ("viral-load",),
    "conditions": ("conditions",),
    "allergies": ("allergies",),
    "medications": ("medications",),
    "labs": ("toxoplasma-igg", "g6pd", "hbsag", "crag", "tb-test", "coccidioides", "pregnancy"),
}


ASKED_FOR = (  # the kinds of resource that the templates bring
    "Patient",
    "Observation",
    "Condition",
    "AllergyIntolerance",
    "MedicationRequest",
    "MedicationStatement",
    "ServiceRequest",
)


def prefetch_templates(knowledge: Knowledge) -> dict[str, str]:
    """Key -> FHIR read or search, in the subset that clients widely support."""
    return {
        "patient": f"Patient/{_PATIENT}",
        "cd4": _observations(_CD4, knowledge),
        "viralLoads": _observations(_VIRAL_LOAD, knowledge),
        "conditions": f"Condition?patient={_PATIENT}&_count={_MANY}",
        "allergies": f"AllergyIntolerance?patient={_PATIENT}&_count={_MANY}",
        "medications": f"MedicationRequest?patient={_PATIENT}&_sort=-authoredon&_count={_MANY}",
        "labs": _observations(_OTHER, knowledge),
        "medicationStatements": f"MedicationStatement?patient={_PATIENT}&_count={_MANY}",
        "orders": f"ServiceRequest?patient={_PATIENT}&status=active&_count={_MANY}",
    }


def _observations(measures: Iterable[str], knowledge: Knowledge) -> str:
    wanted = frozenset(measures)
    of_these = (code for code, (measure, _) in knowledge.lab_codes.items() if measure in wanted)
    asked = sorted(code for code in of_these if code[0] == LOINC or code in knowledge.local)
    listed = ",".join(f"{_quoted(system)}|{_quoted(code)}" for system, code in asked)
    if len(listed.replace("/", "%2F")) > _LONGEST:  # as it is asked where we ask ourselves
        listed = ",".join(_quoted(code) for _, code in asked)
    return f"Observation?patient={_PATIENT}&code={listed}&_sort=-date&_count={_MANY}"


def _quoted(part: str) -> str:
    """A system or code as it stands in a search: what FHIR and URLs would take for their own is escaped."""
    return quote(_STEERS.sub(r"\\\g<0>", part), safe=":/")
