"""A generated request in, the same at the service of its hook out: the document cannot say that the two belong together."""

from typing import Any

import schemathesis
from schemathesis import Case, GenerationMode, HookContext


@schemathesis.hook
def before_call(_: HookContext, case: Case, __: dict[str, Any]) -> None:
    """Only where the request is to be valid: what is to be refused is sent as it is."""
    valid = case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE
    if valid and case.operation.path == "/cds-services/{id}" and case.method == "POST" and isinstance(case.body, dict):
        case.path_parameters["id"] = f"immune-status-{case.body['hook']}"
