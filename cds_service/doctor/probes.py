"""A FHIR server and a patient in; of each search parameter out whether it is honoured, ignored or refused, and what it declares.

Each is asked twice: a search without it, and one with a value that nothing can match. What is found all the same shows that
the parameter is not looked at. Only numbers of matches are kept.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Literal
from urllib.parse import quote

from cds_service.doctor.asking import Answered, Server
from cds_service.doctor.findings import ParameterReport, Remark

_NOBODY = "immune-status-cds-nobody"
_NOTHING = quote("urn:immune-status-cds|nothing", safe=":")
_KINDS = {
    "Observation": {"code": _NOTHING, "category": _NOTHING},
    "Condition": {},
    "AllergyIntolerance": {},
    "MedicationRequest": {},
    "MedicationStatement": {},
    "ServiceRequest": {"status": "entered-in-error"},
}
_SORTED = {"Observation": "date", "MedicationRequest": "authoredon"}
_DAY = {"date": "effectiveDateTime", "authoredon": "authoredOn"}
_ANSWERED_SO = ("rejected", "not-found", "refused")  # an impossible value was refused
Found = Literal["honoured", "ignored", "refused", "cannot tell"]
_AGAINST: Mapping[tuple[bool | None, str], str] = {  # what is declared, and what is done
    (True, "ignored"): "declared and ignored",
    (True, "refused"): "declared and refused",
    (False, "honoured"): "not declared, and it works",
}
_IF_IGNORED = {
    "patient": "DANGER: data of other patients come, and the service refuses the call (422)",
    "code": "every result comes, and the service picks; mind _count, or results are cut off",
    "category": "every result comes, and the service picks",
    "status": "orders that have ended come too, and are not counted",
    "_sort": "harmless: the service puts results in order itself",
    "_count": "pages are as long as the server likes; the service reads on where it may ask",
}


def probe(server: Server, patient: str) -> tuple[tuple[ParameterReport, ...], tuple[Remark, ...], str | None]:
    """The parameters, what is to be said of the server, and the Date header it answered with."""
    statement = server.ask("metadata")
    declared = _declared(statement.content)
    found = [one for kind in _KINDS for one in _of_kind(server, kind, patient, declared)]
    return tuple(found), tuple(_about(statement, declared)), statement.date


def _about(statement: Answered, declared: Mapping[str, frozenset[str]] | None) -> Iterator[Remark]:
    where = "CapabilityStatement"
    if declared is None or statement.content is None:
        why = statement.fault or "it is none"
        yield Remark(weight="harmless", says=f"there is none at /metadata ({why})", where=where)
        return
    version = str(statement.content.get("fhirVersion", ""))
    if not version.startswith(("4.0", "4.3")):
        yield Remark(weight="loses", says="its fhirVersion is not that of R4", where=where)
    for kind in (one for one in _KINDS if one not in declared):
        yield Remark(weight="harmless", says=f"it does not list {kind}", where=where)


def _declared(content: dict[str, Any] | None) -> Mapping[str, frozenset[str]] | None:
    """Kind -> the search parameters that a CapabilityStatement lists; None where there is none."""
    if content is None or content.get("resourceType") != "CapabilityStatement":
        return None
    rest = _objects(content.get("rest"))
    kinds = [one for each in rest for one in _objects(each.get("resource"))]
    return {
        str(one.get("type")): frozenset(str(each.get("name")) for each in _objects(one.get("searchParam")))
        for one in kinds
    }


def _objects(found: Any) -> list[dict[str, Any]]:
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _of_kind(
    server: Server, kind: str, patient: str, declared: Mapping[str, frozenset[str]] | None
) -> Iterator[ParameterReport]:
    mine = f"{kind}?patient={quote(patient, safe='')}"
    whole = server.ask(mine)
    impossible = {"patient": f"{kind}?patient={_NOBODY}"}
    impossible |= {name: f"{mine}&{name}={value}" for name, value in _KINDS[kind].items()}
    for name, search in impossible.items():
        found, says = _judged(server.ask(search), whole, name)
        yield _report(kind, name, found, says, declared)
    if len(whole.matches) > 1:
        few = len(server.ask(f"{mine}&_count=1").matches)
        yield _report(kind, "_count", "honoured" if few == 1 else "ignored", "", None)
        if kind in _SORTED:
            yield _report(kind, "_sort", *_sorted(server, mine, _SORTED[kind]), None)


def _judged(answer: Answered, whole: Answered, name: str) -> tuple[Found, str]:
    if answer.content is None:
        if answer.fault not in _ANSWERED_SO:
            return "cannot tell", f"the search failed: {answer.fault}"
        of_patient = name == "patient"  # nobody of that id: to refuse is to look at it
        return ("honoured" if of_patient else "refused"), f"a value that nothing matches: {answer.fault}"
    if answer.matches:
        return "ignored", ""
    if not whole.matches:
        said = f": {whole.fault}" if whole.fault else ""
        return ("honoured", "") if name == "patient" else ("cannot tell", f"this patient has nothing of the kind{said}")
    return "honoured", ""


def _sorted(server: Server, mine: str, by: str) -> tuple[Found, str]:
    """By whether both directions are in order; where all are of one day neither shows anything."""
    up, down = (server.ask(f"{mine}&_sort={sign}{by}") for sign in ("", "-"))
    if up.content is None or down.content is None:
        return "refused", f"{up.fault or down.fault}"
    rising, falling = ([str(one[_DAY[by]])[:10] for one in each.matches if _DAY[by] in one] for each in (up, down))
    if len({*rising, *falling}) < 2:
        return "cannot tell", "all are of one day"
    return (
        ("honoured", "") if rising == sorted(rising) and falling == sorted(falling, reverse=True) else ("ignored", "")
    )


def _report(
    kind: str, name: str, found: Found, says: str, declared: Mapping[str, frozenset[str]] | None
) -> ParameterReport:
    stated = None if declared is None or name.startswith("_") else name in declared.get(kind, frozenset())
    parts = (says, _AGAINST.get((stated, found), ""), _IF_IGNORED.get(name, "") if found == "ignored" else "")
    return ParameterReport(
        search=f"{kind}?{name}", declared=stated, found=found, says="; ".join(one for one in parts if one)
    )
