"""The FHIR elements we read, as small typed structs; everything else in a resource is skipped unparsed.

These structs are the list of what is read. What decides something is checked element by element where it is used; what may
come in odd shapes (an object where R4 has an array, a bare code where R4 has a concept) stays raw and is read leniently.
"""

from typing import Union

from msgspec import Raw, Struct

NOTHING = Raw()  # an element that did not come


class Coding(Struct, frozen=True):
    system: str | None = None
    code: str | None = None
    display: str | None = None


class Concept(Struct, frozen=True):
    coding: tuple[Coding, ...] | None = None
    text: str | None = None


class Reference(Struct, frozen=True):
    reference: str | None = None
    display: str | None = None


class Period(Struct, frozen=True):
    start: str | None = None
    end: str | None = None


class Meta(Struct, frozen=True):
    versionId: str | None = None  # noqa: N815  (FHIR spells its elements so)
    lastUpdated: str | None = None  # noqa: N815


class Quantity(Struct, frozen=True):
    value: Raw = NOTHING
    comparator: str | None = None
    unit: str | None = None
    code: str | None = None


class Range(Struct, frozen=True):
    low: Quantity | None = None
    high: Quantity | None = None


class Value(Struct, frozen=True, kw_only=True):
    """value[x] of an Observation or of a component, with what stands for a missing one."""

    code: Concept | None = None
    valueQuantity: Quantity | None = None  # noqa: N815
    valueString: str | None = None  # noqa: N815
    valueCodeableConcept: Concept | None = None  # noqa: N815
    valueInteger: Raw = NOTHING  # noqa: N815
    valueRange: Range | None = None  # noqa: N815
    valueBoolean: Raw = NOTHING  # noqa: N815
    valueRatio: Raw = NOTHING  # noqa: N815
    valueSampledData: Raw = NOTHING  # noqa: N815
    valueTime: Raw = NOTHING  # noqa: N815
    valueDateTime: Raw = NOTHING  # noqa: N815
    valuePeriod: Raw = NOTHING  # noqa: N815
    dataAbsentReason: Raw = NOTHING  # noqa: N815
    interpretation: Raw = NOTHING
    referenceRange: Raw = NOTHING  # noqa: N815


class Resource(Struct, frozen=True, kw_only=True, tag_field="resourceType"):
    id: str | None = None
    meta: Meta | None = None
    subject: Raw = NOTHING
    patient: Raw = NOTHING
    contained: Raw = NOTHING
    modifierExtension: Raw = NOTHING  # noqa: N815


class Observation(Value, frozen=True, kw_only=True, tag_field="resourceType", tag="Observation"):
    id: str | None = None
    meta: Meta | None = None
    subject: Raw = NOTHING
    patient: Raw = NOTHING
    contained: Raw = NOTHING
    modifierExtension: Raw = NOTHING  # noqa: N815
    status: str | None = None
    effectiveDateTime: str | None = None  # noqa: N815
    effectiveInstant: str | None = None  # noqa: N815
    effectivePeriod: Period | None = None  # noqa: N815
    issued: str | None = None
    specimen: Raw = NOTHING
    focus: Raw = NOTHING
    component: tuple[Value, ...] | None = None


class Link(Struct, frozen=True):
    other: Reference | None = None
    type: str | None = None


class Patient(Resource, frozen=True, kw_only=True, tag="Patient"):
    birthDate: str | None = None  # noqa: N815
    link: tuple[Link, ...] | None = None


class Condition(Resource, frozen=True, kw_only=True, tag="Condition"):
    code: Concept | None = None
    clinicalStatus: Raw = NOTHING  # noqa: N815
    verificationStatus: Raw = NOTHING  # noqa: N815
    onsetDateTime: str | None = None  # noqa: N815
    abatementDateTime: Raw = NOTHING  # noqa: N815
    abatementString: Raw = NOTHING  # noqa: N815


class AllergyIntolerance(Resource, frozen=True, kw_only=True, tag="AllergyIntolerance"):
    code: Concept | None = None
    clinicalStatus: Raw = NOTHING  # noqa: N815
    verificationStatus: Raw = NOTHING  # noqa: N815
    criticality: str | None = None
    reaction: Raw = NOTHING


class Repeat(Struct, frozen=True):
    boundsDuration: Quantity | None = None  # noqa: N815
    boundsPeriod: Period | None = None  # noqa: N815
    frequency: Raw = NOTHING
    period: Raw = NOTHING
    periodUnit: str | None = None  # noqa: N815
    dayOfWeek: tuple[str, ...] | None = None  # noqa: N815


class Timing(Struct, frozen=True):
    repeat: Repeat | None = None


class Dosage(Struct, frozen=True):
    timing: Timing | None = None
    doseAndRate: Raw = NOTHING  # noqa: N815
    doseQuantity: Raw = NOTHING  # noqa: N815
    text: str | None = None


class Dispense(Struct, frozen=True):
    expectedSupplyDuration: Quantity | None = None  # noqa: N815
    numberOfRepeatsAllowed: Raw = NOTHING  # noqa: N815


class Drug(Resource, frozen=True, kw_only=True):
    """What orders and statements of a drug have alike."""

    status: str | None = None
    medicationCodeableConcept: Concept | None = None  # noqa: N815
    medicationReference: Reference | None = None  # noqa: N815


class MedicationRequest(Drug, frozen=True, kw_only=True, tag="MedicationRequest"):
    intent: str | None = None
    doNotPerform: Raw = NOTHING  # noqa: N815
    authoredOn: str | None = None  # noqa: N815
    dosageInstruction: Raw = NOTHING  # noqa: N815
    dispenseRequest: Raw = NOTHING  # noqa: N815


class MedicationStatement(Drug, frozen=True, kw_only=True, tag="MedicationStatement"):
    effectiveDateTime: str | None = None  # noqa: N815
    effectivePeriod: Period | None = None  # noqa: N815
    dosage: Raw = NOTHING


class MedicationIngredient(Struct, frozen=True):
    itemCodeableConcept: Concept | None = None  # noqa: N815


class Medication(Resource, frozen=True, kw_only=True, tag="Medication"):
    code: Concept | None = None
    ingredient: tuple[MedicationIngredient, ...] | None = None


class ServiceRequest(Resource, frozen=True, kw_only=True, tag="ServiceRequest"):
    status: str | None = None
    intent: str | None = None
    doNotPerform: Raw = NOTHING  # noqa: N815
    code: Concept | None = None


class Issue(Struct, frozen=True):
    severity: str | None = None


class OperationOutcome(Resource, frozen=True, kw_only=True, tag="OperationOutcome"):
    issue: tuple[Issue, ...] = ()


Known = Union[  # noqa: UP007  (msgspec decodes a tagged union in one pass)
    Observation,
    Patient,
    Condition,
    AllergyIntolerance,
    MedicationRequest,
    MedicationStatement,
    Medication,
    ServiceRequest,
    OperationOutcome,
]
KINDS = frozenset(one.__name__ for one in Known.__args__)  # type: ignore[attr-defined]


class Other(Struct, frozen=True):
    """Any resource at all: enough to tell what it is and whose."""

    resourceType: str  # noqa: N815
    id: str | None = None
    subject: Raw = NOTHING
    patient: Raw = NOTHING
    beneficiary: Raw = NOTHING
    contained: Raw = NOTHING
    code: Raw = NOTHING


class BundleLink(Struct, frozen=True):
    relation: str | None = None
    url: str | None = None


class Search(Struct, frozen=True):
    mode: str | None = None


class Entry(Struct, frozen=True):
    resource: Raw = NOTHING
    fullUrl: str | None = None  # noqa: N815
    search: Search | None = None


class Bundle(Struct, frozen=True):
    resourceType: str | None = None  # noqa: N815
    total: Raw = NOTHING
    link: tuple[BundleLink, ...] | None = None
    entry: tuple[Entry | None, ...] | None = None
    response: Raw = NOTHING
    resource: Raw = NOTHING


def codings(concept: Concept | None) -> tuple[Coding, ...]:
    """The codings of a concept, none where it is absent."""
    return (concept.coding or ()) if concept else ()
