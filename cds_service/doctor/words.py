"""The parts of a report in; the words that terminal and page share out."""

from cds_service.doctor.findings import CodeReport, KeyReport, Report, RuleReport, Weight
from hooks.knowledge.codes import ATC, ICD_10, ICD_10_CM, LOINC, RXNORM, SNOMED

WEIGHT: dict[Weight, str] = {
    "refused": "The service refuses the call",
    "loses": "Advice is lost",
    "harmless": "Odd, and read all the same",
}
NOTES = (
    "Of the charts this report shows codes with their displays, units, counts, kinds and ids of resources. Of values it shows "
    "shapes: each digit as 9, each word that is none of a result's as x. Nothing else of a patient stands in it.",
    "Suggested lines were guessed from displays. A code is put in force by a person who knows what it means.",
    "Strict validity harms nobody here: the service reads less of a resource, and more tolerantly.",
)
_SYSTEMS = {LOINC: "LOINC", SNOMED: "SNOMED CT", RXNORM: "RxNorm", ATC: "ATC", ICD_10: "ICD-10", ICD_10_CM: "ICD-10-CM"}
KEYS = "Honoured: it came under its key, be it as null or empty, which says that there is none. A usable answer counts anywhere."
SHAPES = "Of a value only the shape: each digit as 9. None where the unit was enough to read it."
RULES = "Assessed counts advice given and advice not needed alike: the chart was enough to tell."
PARAMETERS = (
    "Each is asked with a value that nothing matches; what is found all the same shows that it is not looked at."
)
CHECKS = "The names are those of `cds_refused_tokens_total`."
VALIDITY = (
    "FHIR R4B taken at its word: for whoever makes these resources. It harms nobody here, and no advice is lost by it."
)
KINDS = {
    "result": "Results",
    "drug": "Drugs",
    "problem": "Problems",
    "allergy": "Allergies",
    "order": "Orders of tests",
}


def title(report: Report) -> str:
    """What was checked, in one line."""
    whose = f" from {report.issuer}" if report.issuer else ""
    return f"What this service can make of what it gets{whose}"


def made(report: Report) -> str:
    """When, and by what knowledge."""
    return f"{report.checked} · version {report.version}, knowledge {report.knowledge}, profile {report.profile}"


def summary(report: Report) -> list[str]:
    """The few figures to begin with."""
    refused = sum(one.outcome != "answered" and not one.outcome.startswith("no call") for one in report.examined)
    answered = sum(one.outcome == "answered" for one in report.examined)
    lines = [f"Requests looked at: {answered + refused}; answered {answered}, refused {refused}."]
    for kind, name in KINDS.items():
        rows = [one for one in report.codes if one.kind == kind]
        total = sum(one.times for one in rows)
        if total:
            lines.append(f"{name}: {total}; {_shares(rows)}.")
    never = sum(bool(one.never) for one in report.rules)
    if report.rules:
        got = sum(one.assessed > 0 for one in report.rules)
        lines.append(f"Rules: {len(report.rules)}; assessed at least once {got}, never for want of a template {never}.")
    return lines


def _shares(rows: list[CodeReport]) -> str:
    taken = sum(one.times for one in rows if one.ours)
    others = sum(one.times for one in rows if one.ours is False)
    unknown = sum(one.times for one in rows if one.ours is None)
    return f"recognised {taken}, of a known code system and none of ours {others}, not recognised {unknown}"


def states(one: KeyReport) -> str:
    """What became of a template."""
    return ", ".join(f"{state} {times}" for state, times in one.states) or "none of ours"


def notes(one: KeyReport) -> str:
    """How its answers looked."""
    return "; ".join(f"{note} ({times})" for note, times in one.notes)


def outcome(one: RuleReport) -> str:
    """Whether a rule was assessed, and if not why."""
    if one.never:
        return f"never: without {', '.join(one.never)}"
    if one.lacked:
        lacked = "; ".join(f"{lack.datum} ({lack.why}, {lack.times})" for lack in one.lacked)
        return f"{'sometimes ' if one.assessed else ''}not assessed for want of {lacked}"
    return "assessed" if one.assessed else "not reached: the matter ended before it, or the hook has no such rule"


def code(named: str) -> str:
    """A code with the short name of its system, where that is one we know."""
    system, _, rest = named.rpartition("|")
    return f"{_SYSTEMS[system]} {rest}" if system in _SYSTEMS else named


def meaning(one: CodeReport) -> str:
    """What a code was taken for, or why not."""
    if one.ours is False:
        return "none of ours"
    taken = one.taken_for if one.ours else "not recognised"
    return f"{taken}; {one.why} ({one.example})" if one.why else taken
