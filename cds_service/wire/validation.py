"""JSON in, the first fault out in our own words: which field, what is expected; never a value of the input."""

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource

_TYPES = {
    "object": "an object",
    "array": "an array",
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}


def schema(name: str) -> dict[str, Any]:
    """One of our schema files."""
    text = files("cds_service.wire").joinpath("schemas", f"{name}.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@cache
def validator(name: str) -> Draft202012Validator:
    """The validator of a schema file, built once."""
    registry: Registry[Any] = Registry().with_resources(
        [(one["$id"], Resource.from_contents(one)) for one in map(schema, ("request", "order-request"))]
    )
    return Draft202012Validator(schema(name), registry=registry)


def first_fault(name: str, instance: object) -> str | None:
    """What is wrong first, in a sentence without any value of the instance; None where it is valid."""
    errors = sorted(
        _leaves(validator(name).iter_errors(instance)), key=lambda error: [str(part) for part in error.path]
    )
    return _sentence(errors[0]) if errors else None


def _leaves(errors: Iterator[ValidationError]) -> Iterator[ValidationError]:
    for error in errors:
        if error.context:
            yield from _leaves(iter(error.context))
        else:
            yield error


def _sentence(error: ValidationError) -> str:
    where = ".".join(str(part) for part in error.path) or "the body"
    expected: Any = error.validator_value
    if error.validator == "required":
        lacking = [name for name in expected if isinstance(error.instance, dict) and name not in error.instance]
        return f"{where} lacks {', '.join(lacking)}."
    if error.validator == "type":
        return f"{where} is not {_TYPES[expected]}."
    if error.validator == "dependentRequired":
        return "fhirAuthorization came without fhirServer."
    return f"{where} is not valid ({error.validator})."
