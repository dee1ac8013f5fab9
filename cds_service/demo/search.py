"""The parameters of a FHIR search come in; the resources that match, in the order asked for, go out."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from cds_service.demo.spans import Span, span_of
from cds_service.demo.store import Resource

PAGE = 100  # entries on a page where the client does not say, and the most it gets


class BadParameterError(ValueError):
    """A parameter this endpoint knows, with a value or modifier it cannot use; the message names no value."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A search parameter: its FHIR type and the elements it looks at."""

    type: str
    elements: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search as understood: what is applied (and nothing else) stands in `applied`, as the client wrote it."""

    kind: str
    applied: tuple[tuple[str, str], ...]
    sort: tuple[str, ...]
    count: int
    offset: int


def _token(*elements: str) -> Parameter:
    return Parameter("token", elements)


def _date(*elements: str) -> Parameter:
    return Parameter("date", elements)


ANY_TYPE = {"_id": _token("id"), "_lastUpdated": _date("meta.lastUpdated")}
OF_PATIENT = {"patient": Parameter("reference", ("subject", "patient")), "code": _token("code")}
ABOUT = OF_PATIENT | {"subject": OF_PATIENT["patient"], "status": _token("status"), "category": _token("category")}
PRESENT = {"clinical-status": _token("clinicalStatus"), "verification-status": _token("verificationStatus")}
ORDERED = {"intent": _token("intent")}
NAMED = {
    "name": Parameter("string", ("name",)),
    "family": Parameter("string", ("name.family",)),
    "given": Parameter("string", ("name.given",)),
    "identifier": _token("identifier"),
}
PARAMETERS: dict[str, dict[str, Parameter]] = {
    "AllergyIntolerance": ANY_TYPE | OF_PATIENT | PRESENT | {"date": _date("recordedDate")},
    "Condition": ANY_TYPE
    | {name: one for name, one in ABOUT.items() if name != "status"}
    | PRESENT
    | {"onset-date": _date("onsetDateTime", "onsetPeriod"), "recorded-date": _date("recordedDate")},
    "Encounter": ANY_TYPE
    | {name: one for name, one in ABOUT.items() if name not in ("code", "category")}
    | {"class": _token("class"), "date": _date("period")},
    "MedicationRequest": ANY_TYPE
    | ABOUT
    | ORDERED
    | {"code": _token("medicationCodeableConcept"), "authoredon": _date("authoredOn")},
    "MedicationStatement": ANY_TYPE
    | ABOUT
    | {"code": _token("medicationCodeableConcept"), "effective": _date("effectiveDateTime", "effectivePeriod")},
    "Observation": ANY_TYPE | ABOUT | {"date": _date("effectiveDateTime", "effectiveInstant", "effectivePeriod")},
    "Patient": ANY_TYPE | NAMED | {"birthdate": _date("birthDate"), "gender": _token("gender")},
    "Practitioner": ANY_TYPE | NAMED,
    "ServiceRequest": ANY_TYPE | ABOUT | ORDERED | {"authored": _date("authoredOn")},
}


def understand(kind: str, asked: Iterable[tuple[str, str]]) -> Search:
    """Keep the parameters known for this type; raise BadParameterError where one of those cannot be used."""
    applied: list[tuple[str, str]] = []
    pages = {"_count": PAGE, "_offset": 0}
    sort: tuple[str, ...] = ()
    for name, value in asked:
        if name in pages:
            pages[name] = whole_number(name, value)
        elif name == "_sort" and all(key.removeprefix("-") in PARAMETERS[kind] for key in value.split(",")):
            sort = tuple(value.split(","))
        elif name.partition(":")[0] in PARAMETERS[kind] and value:
            check(kind, name, value)
            applied.append((name, value))
    return Search(
        kind=kind, applied=tuple(applied), sort=sort, count=min(pages["_count"], PAGE), offset=pages["_offset"]
    )


def whole_number(name: str, value: str) -> int:
    if re.fullmatch(r"\d{1,6}", value, re.ASCII) is None:
        raise BadParameterError(f"{name} has to be a whole number")
    return int(value)


def check(kind: str, name: str, value: str) -> None:
    known, _, modifier = name.partition(":")
    parameter = PARAMETERS[kind][known]
    if modifier and (parameter.type, modifier) not in {("string", "contains"), ("reference", "Patient")}:
        raise BadParameterError(f"{known} is not supported with this modifier")
    if parameter.type == "date" and not all(dated(part) for part in value.split(",")):
        raise BadParameterError(f"{known} has to be a date, after eq, ne, gt, lt, ge, le, sa or eb, or bare")


def found(resources: Iterable[Resource], search: Search) -> list[Resource]:
    """Give the resources that every applied parameter matches, sorted; those without the sort element come last."""
    kept = [one for one in resources if all(matches(one, name, value) for name, value in search.applied)]
    for key in reversed(search.sort):
        parameter = PARAMETERS[search.kind][key.removeprefix("-")]
        places = [(place(one, parameter), one) for one in kept]
        there = [(where, one) for where, one in places if where is not None]
        there.sort(key=lambda placed: placed[0], reverse=key.startswith("-"))
        kept = [one for _, one in there] + [one for where, one in places if where is None]
    return kept


def matches(resource: Resource, name: str, value: str) -> bool:
    """Say whether one parameter matches; commas in its value mean "or"."""
    parameter = PARAMETERS[resource["resourceType"]][name.partition(":")[0]]
    held = [one for element in parameter.elements for one in values(resource, element)]
    return any(MATCHES[parameter.type](one, wanted) for wanted in value.split(",") for one in held)


def place(resource: Resource, parameter: Parameter) -> Any:
    """Give what a resource is sorted by: the start of a date, or the text of anything else."""
    held = [one for element in parameter.elements for one in values(resource, element)]
    if parameter.type == "date":
        return min((span[0] for span in map(span_of, held) if span), default=None)
    return min((text for one in held for text in texts(one)), default=None)


def values(resource: Any, path: str) -> Iterator[Any]:
    """Walk a dotted path, flattening lists."""
    here, _, rest = path.partition(".")
    value = resource.get(here)
    for one in value if isinstance(value, list) else [value]:
        if one is not None:
            yield from values(one, rest) if rest else (one,)


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)
    else:
        yield str(value)


def token_matches(held: Any, wanted: str) -> bool:
    """Compare `code`, `system|code`, `|code` or `system|` with a coded element, an identifier or a plain code."""
    system, bar, code = wanted.rpartition("|")
    if not isinstance(held, dict):
        return str(held) == code
    return any(
        code in ("", one.get("code", one.get("value"))) and (not bar or one.get("system", "") == system)
        for one in held.get("coding", [held])
    )


def reference_matches(held: Any, wanted: str) -> bool:
    """Compare a reference with a bare id, a relative or an absolute reference."""
    tail = wanted.split("/")[-2:]
    return bool(held.get("reference", "").split("/")[-len(tail) :] == tail)


def string_matches(held: Any, wanted: str) -> bool:
    return any(folded(wanted) in folded(text) for text in texts(held))


def folded(text: str) -> str:
    """Fold case and accents, as FHIR's string search does."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(sign))


def date_matches(held: Any, wanted: str) -> bool:
    there, asked = span_of(held), dated(wanted)
    return bool(there and asked and COMPARES[asked[0]](there, asked[1]))


def dated(text: str) -> tuple[str, Span] | None:
    """Split a date parameter into its comparison and the span of its date; None where it is neither."""
    prefix, rest = (text[:2], text[2:]) if text[:2] in COMPARES else ("eq", text)
    span = span_of(rest)
    return (prefix, span) if span else None


COMPARES: dict[str, Callable[[Span, Span], bool]] = {
    "eq": lambda held, asked: asked[0] <= held[0] and held[1] <= asked[1],
    "ne": lambda held, asked: held[0] < asked[0] or asked[1] < held[1],
    "gt": lambda held, asked: held[1] > asked[1],
    "lt": lambda held, asked: held[0] < asked[0],
    "ge": lambda held, asked: held[1] > asked[1] or held[0] >= asked[0],
    "le": lambda held, asked: held[0] < asked[0] or held[1] <= asked[1],
    "sa": lambda held, asked: held[0] >= asked[1],
    "eb": lambda held, asked: held[1] <= asked[0],
}
MATCHES: dict[str, Callable[[Any, str], bool]] = {
    "token": token_matches,
    "reference": reference_matches,
    "string": string_matches,
    "date": date_matches,
}
