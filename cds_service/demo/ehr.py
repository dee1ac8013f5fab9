"""A story's moment comes in; the hook request a real EHR would send, and the service's response to it, go out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

import requests

from cds_service.demo.store import RXNORM, DraftOrder, Play, Resource

CLINICIAN = "demo-clinician"
TOKEN = re.compile(r"{{\s*(.*?)\s*}}")
SECONDS = (3.0, 10.0)  # to connect, to answer


def plain_session() -> requests.Session:
    """Give a session that takes nothing from the environment: no proxy, no stored password."""
    session = requests.Session()
    session.trust_env = False
    return session


@dataclass(frozen=True, slots=True)
class Service:
    """One entry of the discovery answer."""

    id: str
    hook: str
    prefetch: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One hook request and what came back: status and response are None where no answer came at all."""

    service: Service
    request: Mapping[str, Any]
    status: int | None
    response: Mapping[str, Any] | None

    @property
    def answered(self) -> bool:
        return self.status == 200 and self.response is not None and isinstance(self.response.get("cards"), list)


@dataclass(frozen=True, slots=True)
class DemoEhr:
    """A CDS client that keeps its charts under /fhir of the same server as the services it calls."""

    base_url: str
    as_of: date
    session: requests.Session

    def discover(self) -> tuple[Service, ...]:
        """Read which services there are; none where the answer cannot be used."""
        _, found = self.fetch("GET", "cds-services")
        entries = found.get("services", []) if found else []
        return tuple(Service(one["id"], one["hook"], one.get("prefetch", {})) for one in entries)

    def call(self, service: Service, patient_id: str, play: Play) -> Exchange:
        """Fire one hook at one service, as the EHR does when the moment comes."""
        context = self.context(patient_id, play)
        sent = {
            "hook": play.hook,
            "hookInstance": str(uuid4()),
            "fhirServer": f"{self.base_url}/fhir",
            "context": context,
            "prefetch": self.prefetch(service, context),
        }
        status, answer = self.fetch("POST", f"cds-services/{service.id}", sent)
        return Exchange(service=service, request=sent, status=status, response=answer)

    def context(self, patient_id: str, play: Play) -> dict[str, Any]:
        """Give what the hook is about."""
        return context_of(play, patient_id, self.as_of)

    def prefetch(self, service: Service, context: Mapping[str, Any]) -> dict[str, Any]:
        """Answer the prefetch templates: null where a read finds nothing, no key where no answer came."""
        answers: dict[str, Any] = {}
        for key, template in service.prefetch.items():
            query = filled(template, context)
            status, found = self.fetch("GET", f"fhir/{query}") if query else (None, None)
            if status == 200 or (status == 404 and "?" not in template):
                answers[key] = found if status == 200 else None
        return answers

    def fetch(self, method: str, path: str, body: Any = None) -> tuple[int | None, dict[str, Any] | None]:
        """Give status and JSON object; None for whichever of them did not come."""
        try:
            answer = self.session.request(
                method, f"{self.base_url}/{path}", json=body, timeout=SECONDS, allow_redirects=False
            )
        except requests.RequestException:
            return None, None
        try:
            found = answer.json()
        except requests.JSONDecodeError:
            found = None
        return answer.status_code, found if isinstance(found, dict) else None


def context_of(play: Play, patient_id: str, as_of: date) -> dict[str, Any]:
    """Give what a hook is about; the order hooks carry the drafts, order-select also which are selected."""
    context: dict[str, Any] = {"userId": f"Practitioner/{CLINICIAN}", "patientId": patient_id}
    if play.hook == "patient-view":
        return context
    drafts = [draft(order, place, patient_id, as_of) for place, order in enumerate(play.orders, start=1)]
    if play.hook == "order-select":
        context["selections"] = [f"{one['resourceType']}/{one['id']}" for one in drafts]
    entries = [{"resource": one} for one in drafts]
    return context | {"draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": entries}}


def filled(template: str, context: Mapping[str, Any]) -> str | None:
    """Put the context into a prefetch template; None where a token stands for nothing this EHR knows."""
    known = {f"context.{name}": value for name, value in context.items() if isinstance(value, str)}
    known["userPractitionerId"] = CLINICIAN
    if not set(TOKEN.findall(template)) <= known.keys():
        return None
    return TOKEN.sub(lambda token: known[token[1]], template)


def draft(order: DraftOrder, place: int, patient_id: str, as_of: date) -> Resource:
    """Write one draft order: a tablet once a day, or a test."""
    code = {"coding": [{"system": order.system, "code": order.code, "display": order.display}], "text": order.display}
    drug = order.system == RXNORM
    resource: Resource = {
        "resourceType": "MedicationRequest" if drug else "ServiceRequest",
        "id": f"draft-{place}",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept" if drug else "code": code,
        "subject": {"reference": f"Patient/{patient_id}"},
        "authoredOn": as_of.isoformat(),
        "requester": {"reference": f"Practitioner/{CLINICIAN}"},
    }
    return resource | ({"dosageInstruction": [ONCE_A_DAY]} if drug else {})


ONCE_A_DAY = {
    "text": "1 tablet once a day",
    "timing": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
    "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}],
}
