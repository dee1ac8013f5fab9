"""A purpose and a chart in; out come the regimens that can be offered, preferred first, and what the choice rests on."""

from collections.abc import Iterable
from dataclasses import dataclass

from hooks.assess import DrugOrder
from hooks.drugs import DAPSONE, ZIDOVUDINE
from hooks.knowledge import Profile, Regimen
from hooks.record import Allergy, PatientRecord
from hooks.wording import listed

NOT_CHECKED = "Not checked: kidney function, potassium, drug interactions."
_NEGATIVE_IGG_LASTS_DAYS = 5 * 365  # decision tables 5.1


@dataclass(frozen=True, slots=True)
class Choice:
    """What can be offered, and the lines a prescriber must read with it."""

    offers: tuple[DrugOrder, ...]
    notes: tuple[str, ...]


def choose(record: PatientRecord, profile: Profile, purpose: str) -> Choice:
    """The regimens of the profile for this purpose that nothing on the chart speaks against.

    An unknown that matters is said, and never treated as "none": without a G6PD result there is no dapsone, without a
    toxoplasma result only agents that also cover toxoplasma.
    """
    open_to = [one for one in profile.regimens[purpose] if _allowed(one, record, profile)]
    dosed = not (record.pregnant or record.has_problem("kidney-disease", ("active", "unknown")))
    if not dosed:  # without a dose, two strengths of one drug are one and the same order
        open_to = list({one.ingredient_code: one for one in reversed(open_to)}.values())[::-1]
    sure = record.allergies is not None and not any(one.severe is None for one in _to_sulfonamides(record, profile))
    offers = tuple(DrugOrder(one, dosed, recommended=sure and place == 0) for place, one in enumerate(open_to))
    return Choice(offers, tuple(_notes(record, profile, purpose, dosed)))


def _allowed(regimen: Regimen, record: PatientRecord, profile: Profile) -> bool:
    return not (
        any(_speaks_against(allergy, regimen, profile) for allergy in record.allergies or ())
        or (profile.knowledge.with_role(regimen.agents, "g6pd-risk") and _g6pd(record) != "normal")
        or (DAPSONE in regimen.agents and record.has_problem("methaemoglobinaemia"))
        or (not regimen.toxo_active and _toxoplasma_igg(record) != "negative")
    )


def _speaks_against(allergy: Allergy, regimen: Regimen, profile: Profile) -> bool:
    sulfonamide = _is_to_sulfonamide(allergy, profile)
    if DAPSONE in regimen.agents and sulfonamide and allergy.severe_cutaneous:
        return True
    if sulfonamide and profile.knowledge.with_role(regimen.agents, "sulfonamide"):
        return allergy.severe is not False  # after a mild reaction it stays first choice
    return bool(allergy.ingredients & regimen.agents)


def _by_other_allergy(regimen: Regimen, record: PatientRecord, profile: Profile) -> bool:
    """Whether an allergy to one of its own ingredients excludes it; the sulfonamides have lines of their own."""
    allergies = [one for one in record.allergies or () if not _is_to_sulfonamide(one, profile)]
    return any(one.ingredients & regimen.agents for one in allergies)


def _is_to_sulfonamide(allergy: Allergy, profile: Profile) -> bool:
    return allergy.sulfonamide or bool(profile.knowledge.with_role(allergy.ingredients, "sulfonamide"))


def _to_sulfonamides(record: PatientRecord, profile: Profile) -> list[Allergy]:
    return [one for one in record.allergies or () if _is_to_sulfonamide(one, profile)]


def _g6pd(record: PatientRecord) -> str | None:
    if record.has_problem("g6pd-deficiency"):
        return "deficient"
    results = [one.result for one in record.other_results if one.test == "g6pd"]
    return "deficient" if "deficient" in results else next(iter(results), None)


def _toxoplasma_igg(record: PatientRecord) -> str | None:
    """Positive for life; negative only where recent enough."""
    results = [one for one in record.other_results if one.test == "toxoplasma-igg"]
    if record.has_problem("toxoplasmosis") or any(one.result == "positive" for one in results):
        return "positive"
    recent = [one for one in results if (record.as_of - one.date).days <= _NEGATIVE_IGG_LASTS_DAYS]
    return next((one.result for one in recent), None)


def _notes(record: PatientRecord, profile: Profile, purpose: str, dosed: bool) -> Iterable[str]:
    yield from _allergy_notes(record, profile, purpose)
    unknown = [
        word for word, known in (("G6PD", _g6pd(record)), ("Toxoplasma IgG", _toxoplasma_igg(record))) if not known
    ]
    if unknown:
        yield f"{' and '.join(unknown)} not on file: agents that need {'them' if len(unknown) > 1 else 'it'} are not offered."
    if not dosed:
        yield "Pregnancy or kidney disease on the problem list: offered without a dose."
    if any(ZIDOVUDINE in one.ingredients for one in record.current_medications()):
        yield "With zidovudine, TMP-SMX adds to bone marrow toxicity: check the full blood count."
    yield NOT_CHECKED


def _allergy_notes(record: PatientRecord, profile: Profile, purpose: str) -> Iterable[str]:
    if record.allergies is None or record.gap("allergies"):
        yield "Allergies are unknown here: check them before signing."
        return
    reactions = _to_sulfonamides(record, profile)
    if any(one.severe for one in reactions):
        cutaneous = any(one.severe_cutaneous for one in reactions)
        excluded = "TMP-SMX and dapsone are" if cutaneous else "TMP-SMX is"
        yield f"Severe reaction to a sulfonamide on file: {excluded} not offered."
    elif any(one.severe is None for one in reactions):
        yield "Reaction to a sulfonamide of unknown severity: clarify the reaction; if mild, TMP-SMX stays first choice."
    elif reactions:
        grade = profile.cite("sulfonamide-rechallenge").grade
        yield f"Mild past reaction to a sulfonamide: TMP-SMX can be given again ({grade})."
    others = {one.name for one in profile.regimens[purpose] if _by_other_allergy(one, record, profile)}
    if others:
        yield f"Not offered because of an allergy on file: {listed(sorted(others))}."
    unknown = sum(not one.recognised for one in record.allergies)
    if unknown:
        yield f"{unknown} allergy entr{'y' if unknown == 1 else 'ies'} could not be recognised: check before signing."
    if not record.allergies:
        yield (
            "No known allergy is recorded."
            if record.no_known_allergy
            else "No allergy is recorded, which is not the same as no allergy."
        )
