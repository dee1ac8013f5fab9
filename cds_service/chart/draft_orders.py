"""The draft orders of a signing session in, what each asks for out: a drug, a test, something else, or nothing readable."""

import re
from collections.abc import Iterator, Mapping

from cds_service.chart import medications
from cds_service.chart.codes import measures
from cds_service.chart.decode import anything
from cds_service.chart.drug_codes import named_drug, sibling_medications
from cds_service.chart.elements import KINDS, Known, Medication, MedicationRequest, Other, ServiceRequest
from cds_service.chart.intake import Intake
from hooks.knowledge import Knowledge
from hooks.record import DraftOrder

_WITHDRAWN = ("cancelled", "entered-in-error", "stopped", "completed", "revoked")
_STOPS = ("stopped", "cancelled", "completed", "ended")  # the draft ends an order of the chart
_ID = re.compile(r"[A-Za-z0-9\-._]{1,64}")
_NO_TEST = frozenset(("not-a-measure", "hiv2-viral-load", "cd4-unverified", "viral-load-unverified"))


def read_drafts(intake: Intake, knowledge: Knowledge) -> tuple[DraftOrder, ...] | None:
    """The orders about to be signed; None where the hook has none."""
    if intake.orders is None:
        return None
    siblings = sibling_medications(intake.siblings())
    found = (draft for one in intake.orders for draft in _read(one.resource, siblings, intake, knowledge))
    return tuple(sorted(set(found), key=lambda draft: draft.source))


def tests_on_order(intake: Intake, knowledge: Knowledge) -> frozenset[str]:
    """The tests that active orders of the chart ask for."""
    active = [one for one in intake.his(ServiceRequest) if one.status == "active" and one.intent in medications.ORDERS]
    return frozenset[str]().union(*(_tests(one, knowledge) for one in active if not _forbids(one)))


def _ends(order: MedicationRequest) -> bool:
    """Whether it takes a drug away: it ends an order, or says not to give it."""
    return order.status in _STOPS or (order.status != "entered-in-error" and anything(order.doNotPerform) is True)


def _forbids(order: ServiceRequest) -> bool:
    return anything(order.doNotPerform) is True


def _read(
    one: Known | Other, siblings: Mapping[str, Medication], intake: Intake, knowledge: Knowledge
) -> Iterator[DraftOrder]:
    if isinstance(one, MedicationRequest) and _ends(one):
        named = named_drug(one, siblings, knowledge)
        drug = medications.stopped(one, named, intake.as_of) if named else None
        if drug:
            yield DraftOrder(source=_source("MedicationRequest", one), medication=drug, stops=True)
    elif isinstance(one, MedicationRequest) and not medications.is_withdrawn(one):
        named = named_drug(one, siblings, knowledge)
        drug = medications.drafted(one, named, intake.as_of) if named else None
        yield DraftOrder(source=_source("MedicationRequest", one), medication=drug, readable=named is not None)
    elif isinstance(one, ServiceRequest) and one.status not in _WITHDRAWN and not _forbids(one):
        tests = _tests(one, knowledge)
        yield DraftOrder(source=_source("ServiceRequest", one), tests=tests, readable=one.code is not None)
    elif isinstance(one, Other) and one.resourceType in KINDS:
        yield DraftOrder(source=_source(one.resourceType, one), readable=False)


def _source(kind: str, one: Known | Other) -> str:
    """Type/id. What is no FHIR id counts as none: it would come back to the client as it is, in the offer to remove it."""
    return f"{kind}/{one.id if one.id and _ID.fullmatch(one.id) else None}"


def _tests(order: ServiceRequest, knowledge: Knowledge) -> frozenset[str]:
    found = measures(order.code, knowledge).keys() - _NO_TEST
    return frozenset("viral-load" if one.startswith("viral-load") else one for one in found)
