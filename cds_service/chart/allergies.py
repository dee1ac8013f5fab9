"""An AllergyIntolerance in; an allergy by ingredient and class out, with how severe the reaction was."""

from typing import Any

from msgspec import ValidationError, convert

from cds_service.chart.codes import canonicals, concepts_of, status_code, words_of
from cds_service.chart.decode import concepts, objects
from cds_service.chart.drug_codes import names_in
from cds_service.chart.elements import AllergyIntolerance, Concept
from hooks.knowledge import Knowledge
from hooks.knowledge.sets import fold_code
from hooks.record import Allergy

_SULFONAMIDE_WORDS = ("sulfa", "sulpha", "sulfonamide", "sulphonamide")
_OVER, _NOT_SO = ("inactive", "resolved"), ("refuted", "entered-in-error")


def says_none(allergy: AllergyIntolerance, knowledge: Knowledge) -> bool:
    """Whether this entry is a coded "no known allergy"."""
    return counts(allergy) and "no-known-allergy" in _classes(allergy.code, knowledge)


def counts(allergy: AllergyIntolerance) -> bool:
    """Whether the entry stands: neither refuted, entered in error, inactive nor resolved."""
    verified = status_code(concepts(allergy.verificationStatus)) not in _NOT_SO
    return verified and status_code(concepts(allergy.clinicalStatus)) not in _OVER


def read_allergy(allergy: AllergyIntolerance, knowledge: Knowledge) -> Allergy:
    """The allergy by what we know: ingredients, the sulfonamide class, severity. Not recognised is not harmless."""
    reactions = objects(allergy.reaction)
    substances = [allergy.code, *(_concept(one.get("substance")) for one in reactions)]
    classes = frozenset[str]().union(*(_classes(one, knowledge) for one in substances))
    ingredients = frozenset[str]().union(*(_ingredients(one, knowledge) for one in substances))
    words = [text for one in substances for text in words_of(one)]
    named = any(word in text for text in words for word in _SULFONAMIDE_WORDS) and not (classes or ingredients)
    manifest = frozenset[str]().union(*(_manifestations(one, knowledge) for one in reactions))
    cutaneous = "severe-cutaneous" in manifest
    return Allergy(
        source=f"AllergyIntolerance/{allergy.id}",
        ingredients=ingredients,
        sulfonamide=bool(classes & {"sulfonamide", "tmp-smx"}) or named,
        severe=_severe(allergy, reactions, manifest),
        severe_cutaneous=cutaneous,
        recognised=bool(classes or ingredients or named or canonicals(allergy.code, knowledge)),
    )


def _severe(allergy: AllergyIntolerance, reactions: list[dict[str, Any]], manifest: frozenset[str]) -> bool | None:
    """True, False, or None where neither severity nor criticality is on file (contract, *How urgent*)."""
    severities = {one["severity"] for one in reactions if isinstance(one.get("severity"), str)}
    if manifest & {"severe-cutaneous", "anaphylaxis"} or "severe" in severities or allergy.criticality == "high":
        return True
    return False if severities & {"mild", "moderate"} or allergy.criticality == "low" else None


def _classes(concept: Concept | None, knowledge: Knowledge) -> frozenset[str]:
    table = knowledge.allergens
    found = (table.get((system, fold_code(code))) for system, code in canonicals(concept, knowledge))
    return frozenset(one for one in found if one)


def _ingredients(concept: Concept | None, knowledge: Knowledge) -> frozenset[str]:
    """By code; where no code is known to us, by the drug's own name in the words."""
    table = knowledge.products
    coded = [table[code].ingredients for code in canonicals(concept, knowledge) if code in table]
    named = [] if coded else [knowledge.drug_names[name].ingredients for name in names_in(words_of(concept), knowledge)]
    return frozenset[str]().union(*coded, *named)


def _manifestations(reaction: dict[str, Any], knowledge: Knowledge) -> frozenset[str]:
    found = reaction.get("manifestation")
    parts = found if isinstance(found, list) else [found]
    return frozenset[str]().union(*(concepts_of(_concept(one), knowledge) for one in parts))


def _concept(found: object) -> Concept | None:
    try:
        return convert(found, Concept) if isinstance(found, dict) else None
    except ValidationError:
        return None
