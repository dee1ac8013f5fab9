"""What names a drug in; its ingredients out: by RxNorm at any level, by ATC, or last, and marked so, by the name in the text."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from msgspec.json import encode

from cds_service.chart.codes import canonicals, words_of
from cds_service.chart.decode import anything, resource
from cds_service.chart.elements import Concept, Drug, Medication
from hooks.knowledge import Knowledge, Product
from hooks.knowledge.sets import fold_name

_LONGEST_NAME = 4  # words


@dataclass(frozen=True, slots=True)
class Named:
    """A drug resolved. `product` None: it is named, and none of ours."""

    product: Product | None
    by_name: bool = False


def named_drug(drug: Drug, siblings: Mapping[str, Medication], knowledge: Knowledge) -> Named | None:
    """Which drug an order or statement is about; None where nothing in it says so."""
    concepts = list(concepts_of_drug(drug, siblings))
    coded = [code for concept in concepts for code in canonicals(concept, knowledge)]
    products = [knowledge.products[code] for code in coded if code in knowledge.products]
    if products:
        return Named(_together(products))
    words = [text for concept in concepts for text in words_of(concept)]
    if drug.medicationReference and drug.medicationReference.display:
        words.append(drug.medicationReference.display.casefold())
    named = _by_name(words, knowledge)
    if named:
        return Named(named, by_name=True)
    return Named(None) if coded or words else None


def _together(products: list[Product]) -> Product:
    """Codes of one drug are translations of each other: the union of what they hold, and of what sets them apart."""
    if len(products) == 1:
        return products[0]
    union = frozenset[str]().union
    return Product(
        union(*(one.ingredients for one in products)), products[0].route, union(*(one.flags for one in products))
    )


def concepts_of_drug(drug: Drug, siblings: Mapping[str, Medication]) -> Iterable[Concept]:
    """The concept of the order itself, else of the Medication it refers to: contained, or sent beside it."""
    if drug.medicationCodeableConcept:
        yield drug.medicationCodeableConcept
    literal = drug.medicationReference.reference if drug.medicationReference else None
    found = _contained(drug, literal[1:]) if literal and literal.startswith("#") else siblings.get(_key(literal or ""))
    if found:
        yield from (concept for concept in (found.code,) if concept)
        yield from (one.itemCodeableConcept for one in found.ingredient or () if one.itemCodeableConcept)


def _contained(drug: Drug, name: str) -> Medication | None:
    inside = anything(drug.contained)
    if not isinstance(inside, list):
        return None
    for one in inside:
        found = resource(encode(one)) if isinstance(one, dict) and one.get("id") == name else None
        if isinstance(found, Medication):
            return found
    return None


def _key(reference: str) -> str:
    """Type and id of a reference, whatever server or version it names; urn:uuid as it stands."""
    parts = reference.split("/_history/", maxsplit=1)[0].split("/")
    return "/".join(parts[-2:])


def sibling_medications(medications: Iterable[tuple[Medication, str | None]]) -> dict[str, Medication]:
    """Medication resources by what they may be referred to as: Medication/id, or the fullUrl of their entry."""
    found = {}
    for one, url in medications:
        if one.id:
            found[f"Medication/{one.id}"] = one
        if url:
            found[_key(url)] = one
    return found


def names_in(words: Iterable[str], knowledge: Knowledge) -> list[str]:
    """Every drug name of ours in a text; the longest match wins (tenofovir alafenamide is not tenofovir)."""
    found = []
    for text in words:
        tokens = fold_name(text).split()
        place = 0
        while place < len(tokens):
            spans = (" ".join(tokens[place : place + length]) for length in range(_LONGEST_NAME, 0, -1))
            name = next((span for span in spans if span in knowledge.drug_names), None)
            found += [name] if name else []
            place += len(name.split()) if name else 1
    return found


def _by_name(words: list[str], knowledge: Knowledge) -> Product | None:
    products = [knowledge.drug_names[name] for name in names_in(words, knowledge)]
    if not products:
        return None
    found = _together(products)
    tokens = {token for text in words for token in fold_name(text).split()}
    local = {"nonsystemic_exclude"} if tokens & knowledge.nonsystemic_words else set()
    return Product(found.ingredients, found.route, found.flags | local)
