"""A draft order of ours and the shape of a client in, the order with what that client's orders need out."""

from decimal import Decimal
from typing import Any

from cds_service.wire.shape import Shape
from hooks.knowledge import Knowledge
from hooks.sentences import say

RXNORM, SNOMED = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://snomed.info/sct"
_UNIT_DAYS = {"d": 1, "wk": 7, "mo": 28}  # of a supply: a monthly dose is one of four weeks
_ROUTES = {"oral": ("26643006", say("Oral route")), "inhalation": ("447694001", say("Respiratory tract route"))}

Order = dict[str, Any]


def shaped_order(order: Order, shape: Shape, knowledge: Knowledge) -> Order:
    """The same order of the same drug or test; what is ours to say and the client asks for is added."""
    found = order if "id" in order else order | {"intent": shape.order_intent}  # a draft that is replaced keeps its own
    if found["resourceType"] != "MedicationRequest":
        return found | {"code": _coded(found["code"], shape)}
    product = knowledge.products.get((RXNORM, found["medicationCodeableConcept"]["coding"][0]["code"]))
    found = found | {"medicationCodeableConcept": _coded(found["medicationCodeableConcept"], shape)}
    dosages = found.get("dosageInstruction", ())
    if shape.order_route and dosages and product:
        found["dosageInstruction"] = [_routed(one, product.route) for one in dosages]
    if shape.order_supply_days and dosages:
        found["dispenseRequest"] = _supply(dosages[0], shape.order_supply_days)
    return found


def _coded(concept: Order, shape: Shape) -> Order:
    """The client's own code of what is ordered first, its name of RxNorm last."""
    codings = concept["coding"]
    own = [
        {"system": shape.item_system, "code": shape.order_items[one["code"]]}
        for one in codings
        if one["code"] in shape.order_items
    ]
    again = [
        one | {"system": shape.rxnorm_system} for one in codings if shape.rxnorm_system and one["system"] == RXNORM
    ]
    return concept | {"coding": [*own, *codings, *again]}


def _routed(dosage: Order, route: str) -> Order:
    code, named = _ROUTES[route]
    return dosage | {"route": {"coding": [{"system": SNOMED, "code": code, "display": str(named)}], "text": named}}


def _supply(dosage: Order, days: int) -> Order:
    """How much is dispensed, by the dose and how often it is taken; no repeats."""
    repeat, quantity = dosage["timing"]["repeat"], dosage["doseAndRate"][0]["doseQuantity"]
    times = Decimal(days * repeat["frequency"]) / (repeat["period"] * _UNIT_DAYS[repeat["periodUnit"]])
    whole = -int(-times // 1)
    amount = quantity["value"] * whole
    return {
        "numberOfRepeatsAllowed": 0,
        "quantity": quantity | {"value": amount},
        "expectedSupplyDuration": {"value": days, "unit": say("days"), "system": quantity["system"], "code": "d"},
    }
