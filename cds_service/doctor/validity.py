"""Resources in; out comes how they depart from FHIR R4B taken strictly: for whoever makes them, as the readers ask for less."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from cds_service.doctor.findings import Remark
from cds_service.doctor.shown import clean

_WORDS = {
    "missing": "is missing",
    "model_field_validation.missing": "is missing",
    "extra_forbidden": "is no element of this kind",
    "list_type": "is no list",
    "dict_type": "is no object",
    "model_type": "is no object",
    "model_attributes_type": "is no object",
    "string_type": "is no text",
    "string_pattern_mismatch": "does not have the form of its type",
}


def validity(resources: Iterable[dict[str, Any]]) -> tuple[Remark, ...]:
    """Each fault by kind of resource and element, with how many resources have it; no value is ever told."""
    counted = Counter(fault for one in resources for fault in set(_faults(one)))
    found = (Remark(weight="harmless", says=says, where=where, times=n) for (where, says), n in counted.items())
    return tuple(sorted(found, key=lambda one: (one.where, -one.times, one.says)))


def _faults(one: dict[str, Any]) -> Iterator[tuple[str, str]]:
    kind = str(one.get("resourceType"))
    try:
        model = get_fhir_model_class(kind)
    except (KeyError, LookupError, ValueError, AttributeError):
        yield clean(kind, 40), "is no resource of R4B"
        return
    try:
        model.model_validate(one)
    except ValidationError as fault:
        for error in fault.errors(include_url=False, include_context=False, include_input=False):
            path = ".".join(clean(str(part), 40) for part in error["loc"] if not isinstance(part, int))
            says = _WORDS.get(error["type"], "is not valid")
            yield kind, f"{path} {says}".strip()
    except Exception:  # the models have oddities of their own, and this section harms nobody
        yield kind, "could not be judged"
