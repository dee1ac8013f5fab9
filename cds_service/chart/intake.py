"""What came with a request, and whose it is; of each datum, whether it came whole and can be used."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date
from typing import TypeVar

from cds_service.chart.decode import concepts
from cds_service.chart.elements import Known, Medication, Observation, Other, Patient, Value
from cds_service.chart.identity import Subject, identify_subject
from cds_service.chart.lab_values import LabReader
from cds_service.chart.other_results import TESTS
from cds_service.chart.prefetch import KEYS, Received, Supply, keys_in_part, unpack, unpack_orders
from cds_service.chart.templates import DATA
from cds_service.chart.versions import newest_versions
from cds_service.errors import Contradiction, MissingData
from cds_service.wire.request import HookRequest
from hooks.record import Gap, Unreadable
from hooks.sentences import say

Kind = TypeVar("Kind", bound=Known)
_NO_OWNER = say("it does not say whose it is")
_MISFIT = say("it does not have the form of its kind")
_DATUM_OF = {"Condition": "conditions", "AllergyIntolerance": "allergies", "MedicationRequest": "medications"}
_KEY_OF = _DATUM_OF | {"Patient": "patient", "MedicationStatement": "medicationStatements", "ServiceRequest": "orders"}
_LAB_KEYS = {"cd4": ("cd4",), "viral-load": ("viralLoads",), "contradictory": ("cd4", "viralLoads"), None: ()}


@dataclass(frozen=True, slots=True)
class Intake:
    """Everything that came, sorted by whose it is.

    `supplied`: the prefetch keys that were answered, under whatever key; `partial`: those of which not all came.
    """

    supply: Supply
    orders: tuple[Received, ...] | None
    subject: Subject
    labs: LabReader
    patient: Patient
    supplied: frozenset[str]
    partial: frozenset[str]
    never: frozenset[str]  # prefetch keys that the site has said it cannot send

    @property
    def as_of(self) -> date:
        """The day of the request (UTC)."""
        return self.labs.now.astimezone(UTC).date()

    def his(self, kind: type[Kind]) -> list[Kind]:
        """His resources of a kind, each once, in its newest version."""
        of_kind = [(one.resource, one.owner) for one in self.supply.received if isinstance(one.resource, kind)]
        return newest_versions(one for one, owner in of_kind if self.subject.owns(owner))

    def observations(self) -> Iterator[tuple[Observation, bool | None, str]]:
        """Every Observation once, in its newest version: whether it is his, and the key it came under."""
        place = {key: number for number, key in enumerate(DATA)}  # of two copies, the one asked for, in a fixed order
        received = sorted(self.supply.received, key=lambda one: place.get(one.key, len(place)))
        came = {id(one.resource): one for one in received}
        for one in newest_versions(one.resource for one in received if isinstance(one.resource, Observation)):
            yield one, self.subject.owns(came[id(one)].owner), came[id(one)].key

    def siblings(self) -> list[tuple[Medication, str | None]]:
        """The Medication resources that came beside orders that refer to them."""
        everything = [*self.supply.received, *(self.orders or ())]
        return [(one.resource, one.url) for one in everything if isinstance(one.resource, Medication)]

    def gaps(self) -> tuple[Gap, ...]:
        """The data that were not supplied, or came only in part."""
        whys = {key: say("was not supplied") for key in KEYS if key not in self.supplied}
        whys = dict.fromkeys(self.partial, say("came only in part")) | whys
        foreseen = self.never - self.supplied
        return tuple(
            Gap(datum, whys[key], key in foreseen) for key in KEYS if key in whys for datum in DATA.get(key, ())
        )

    def faults(self) -> Iterator[Unreadable]:
        """Resources of a kind we read that do not fit it, or that belong to nobody."""
        for one in self.supply.received:
            found = one.resource
            misfit = isinstance(found, Other)
            kind = _kind(found)
            if kind in _DATUM_OF and (misfit or self.subject.owns(one.owner) is None):
                yield Unreadable(_DATUM_OF[kind], _MISFIT if misfit else _NO_OWNER, None, f"{kind}/{found.id}")
            if kind == "Observation" and isinstance(found, Other):
                yield from self._misfit_result(found, one.key)

    def _misfit_result(self, found: Other, key: str) -> Iterator[Unreadable]:
        coded = next(iter(concepts(found.code)), None)
        family = self.labs.family(Value(code=coded), key)
        for own in _LAB_KEYS[family]:
            yield Unreadable(DATA[own][0], _MISFIT, None, f"Observation/{found.id}")


def take_in(request: HookRequest, labs: LabReader, never: frozenset[str] = frozenset()) -> Intake:
    """Unpacks a request. Raises Contradiction (anything is another patient's), then MissingData (required data)."""
    supply = unpack(request.prefetch)
    orders = tuple(unpack_orders(request.draft_orders)) if request.draft_orders is not None else None
    subject = subject_of(request, [*supply.received, *(orders or ())])
    belongs = keys_that_came(supply, labs)
    supplied = frozenset(supply.answered | {own for _, own in belongs})
    patients = (one.resource for one in supply.received if isinstance(one.resource, Patient))
    patient = next((one for one in patients if one.id == request.patient_id), None)
    lacking = ([] if patient else ["patient"]) + ([] if supplied & {"cd4", "viralLoads"} else ["cd4", "viralLoads"])
    if patient is None or lacking:
        raise MissingData(f"Required prefetch was not supplied: {', '.join(lacking)}. Send it with the request.")
    return Intake(supply, orders, subject, labs, patient, supplied, keys_in_part(supply, belongs), never)


def keys_that_came(supply: Supply, labs: LabReader) -> list[tuple[str, str]]:
    """Of each resource the key it came under and a key it answers."""
    return [(one.key, own) for one in supply.received for own in _keys_of(one.resource, labs)]


def subject_of(request: HookRequest, everything: Iterable[Received]) -> Subject:
    """Whom the request is about, by all the ids that are his. Raises Contradiction where anything is another patient's."""
    everything = list(everything)
    patients = [(one.resource, one.url) for one in everything if isinstance(one.resource, Patient)]
    owners = [text for one in everything for text in one.named]
    subject = identify_subject(request.patient_id, request.fhir_server, patients, owners)
    if any(subject.owns(one) is False for one in owners):
        raise Contradiction("Data of another patient came with the request. Send one patient's data only.")
    return subject


def _keys_of(one: Known | Other, labs: LabReader) -> Iterator[str]:
    """The prefetch keys that a resource answers, whatever key it came under."""
    if isinstance(one, Observation):
        for part in (one, *(one.component or ())):
            yield from _LAB_KEYS[labs.family(part)]
            if labs.measures(part.code).keys() & TESTS:
                yield "labs"
    elif not isinstance(one, Other) and _kind(one) in _KEY_OF:
        yield _KEY_OF[_kind(one)]


def _kind(one: Known | Other) -> str:
    return one.resourceType if isinstance(one, Other) else type(one).__name__
