"""A moment of a demo patient in; out come the answer to it with whole prefetch, and the one that was read from a FHIR server."""

import copy
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.settings import Settings
from cds_service.workbench.pasted import Played
from tests.clients import BASE, CdsClient, key_set

EVALUATION = "org.immune-status-cds.evaluation"
ENTRY = """[[issuer]]
iss = "{iss}"
jwks = "keys.json"
fhir_servers = ["{fhir}"]
allow_private_addresses = true
deadline_ms = 8000
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """One answer: its status, what was said and found, and how long it took."""

    status: int
    cards: tuple[str, ...]
    findings: tuple[tuple[str, str], ...]
    complete: bool | None
    seconds: float

    def differs(self, other: "Asked") -> str:
        """In what; empty where they say the same."""
        parts = {
            "status": (self.status, other.status),
            "complete": (self.complete, other.complete),
            "cards": (self.cards, other.cards),
            "findings": (
                sorted(set(self.findings) - set(other.findings)),
                sorted(set(other.findings) - set(self.findings)),
            ),
        }
        return "; ".join(f"{name}: {one} but {two}" for name, (one, two) in parts.items() if one != two)


class Ehr:
    """A client with a key of its own, which lends the token for its FHIR server."""

    def __init__(self, calls: FlaskClient, client: CdsClient, fhir: str, bearer: str | None) -> None:
        self._calls, self._client, self._fhir, self._bearer = calls, client, fhir, bearer

    def with_prefetch(self, moment: Played) -> Asked:
        """As an EHR that sends everything."""
        return self._ask(dict(moment.request))

    def without(self, moment: Played, patient: str) -> Asked:
        """As one that sends nothing but where its FHIR server is; `patient`: the id there."""
        request = of_patient({key: value for key, value in moment.request.items() if key != "prefetch"}, patient)
        request["fhirServer"] = self._fhir
        if self._bearer:
            lent = {"access_token": self._bearer, "token_type": "Bearer", "expires_in": 300}
            request["fhirAuthorization"] = lent | {"scope": "user/*.read", "subject": "cds-service", "patient": patient}
        return self._ask(request)

    def _ask(self, request: dict[str, Any]) -> Asked:
        path = f"/cds-services/immune-status-{request['hook']}"
        began = monotonic()
        answer = self._calls.post(path, json=request, headers=self._client.authorization(path))
        took = monotonic() - began
        body = json.loads(answer.data)
        evaluation = body.get("extension", {}).get(EVALUATION, {})
        return Asked(
            status=answer.status_code,
            cards=tuple(one["summary"] for one in body.get("cards", ())),
            findings=tuple((one["rule"], one["outcome"]) for one in evaluation.get("findings", ())),
            complete=evaluation.get("complete"),
            seconds=took,
        )


def of_patient(request: dict[str, Any], patient: str) -> dict[str, Any]:
    """The same moment of the patient under another id."""
    found = copy.deepcopy(request)
    found["context"]["patientId"] = patient
    for entry in found["context"].get("draftOrders", {}).get("entry", ()):
        entry["resource"]["subject"] = {"reference": f"Patient/{patient}"}
    return found


@contextmanager
def ehr(fhir: str, bearer: str | None) -> Iterator[Ehr]:
    """The service, with this client and its FHIR server in the trust file."""
    client = CdsClient()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "keys.json").write_bytes(key_set(client.jwk(use="sig", alg=client.algorithm)))
        (folder / "issuers.toml").write_text(ENTRY.format(iss=client.iss, fhir=fhir), "utf-8")
        own = {
            "issuers": str(folder / "issuers.toml"),
            "public_url": BASE,
            "database_url": f"sqlite:///{folder}/l.sqlite3",
        }
        yield Ehr(create_app(Settings(**own)).test_client(), client, fhir, bearer)
