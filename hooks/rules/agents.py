"""A purpose and a chart in; out come the regimens that can be offered, preferred first, and what the choice rests on."""

from collections.abc import Iterable
from dataclasses import dataclass

from hooks.advice import DrugOrder
from hooks.drugs import DAPSONE, ZIDOVUDINE
from hooks.knowledge import Profile, Regimen
from hooks.record import Allergy, PatientRecord
from hooks.sentences import NOTHING, Sentence, join, say, say_n, term, together, verbatim
from hooks.wording import grade, regimen_name

AGAINST = {
    "pneumocystis": "Pneumocystis",
    "toxoplasma": "toxoplasma",
    "mac": "MAC",
    "histoplasmosis": "histoplasmosis",
    "coccidioidomycosis": "coccidioidomycosis",
    "talaromycosis": "talaromycosis",
    "tuberculosis": "tuberculosis",
}
PURPOSE = "purpose"  # context of what a regimen is against, as a term
NOT_CHECKED = say("Not checked: kidney function, potassium, drug interactions.")


@dataclass(frozen=True, slots=True)
class Choice:
    """What can be offered, and the lines a prescriber must read with it."""

    offers: tuple[DrugOrder, ...]
    notes: tuple[Sentence, ...]


def choose(record: PatientRecord, profile: Profile, purpose: str) -> Choice:
    """The regimens of the profile for this purpose that nothing on the chart speaks against.

    An unknown that matters is said, and never treated as "none": without a G6PD result there is no dapsone, without a
    toxoplasma result only agents against Pneumocystis that also cover toxoplasma.
    """
    all_of_it = profile.regimens.get(purpose, ())
    open_to = [one for one in all_of_it if is_allowed(one, record, profile) and _fits(one, record, profile, purpose)]
    dosed = not (record.pregnant or record.has_problem("kidney-disease", ("active", "unknown")))
    if not dosed:  # without a dose, two strengths of one drug are one and the same order
        open_to = list({one.agents: one for one in reversed(open_to)}.values())[::-1]
    sure = record.allergies is not None and not record.gap("allergies") and not _doubtful(all_of_it, record, profile)
    offers = tuple(DrugOrder(one, dosed, recommended=sure and place == 0) for place, one in enumerate(open_to))
    options = (
        say(
            "Options against {purpose}: {regimens}.",
            purpose=term(PURPOSE, AGAINST[purpose]),
            regimens=join("; ", [_graded(one, dosed) for one in open_to]),
        )
        if open_to
        else NOTHING
    )
    return Choice(offers, tuple(filter(None, (options, *_notes(record, profile, all_of_it, dosed)))))


def is_allowed(regimen: Regimen, record: PatientRecord, profile: Profile) -> bool:
    """Whether nothing on the chart forbids the regimen: allergy, G6PD, methaemoglobinaemia, long QT, pregnancy."""
    has = profile.knowledge.with_role
    return not (
        any(speaks_against(allergy, regimen.agents, profile) for allergy in record.allergies or ())
        or (has(regimen.agents, "g6pd-risk") and g6pd(record) != "normal")
        or (DAPSONE in regimen.agents and record.has_problem("methaemoglobinaemia"))
        or (has(regimen.agents, "qt") and record.has_problem("qt-prolongation"))
        or (has(regimen.agents, "avoid-in-pregnancy") and record.pregnant)
    )


def _fits(regimen: Regimen, record: PatientRecord, profile: Profile, purpose: str) -> bool:
    """Against Pneumocystis alone an agent that leaves toxoplasma open needs a negative IgG, one aimed at it a positive."""
    if purpose != "pneumocystis":
        return True
    igg = toxoplasma_igg(record, profile)
    return igg == "positive" if regimen.against_toxoplasma else regimen.toxo_active or igg == "negative"


def speaks_against(allergy: Allergy, agents: frozenset[str], profile: Profile) -> bool:
    """Whether an allergy forbids agents: after a mild reaction to a sulfonamide TMP-SMX stays first choice."""
    sulfonamide = is_to_sulfonamide(allergy, profile)
    if DAPSONE in agents and sulfonamide and allergy.severe_cutaneous:
        return True
    if sulfonamide and profile.knowledge.with_role(agents, "sulfonamide"):
        return allergy.severe is not False
    return bool(allergy.ingredients & agents)


def is_to_sulfonamide(allergy: Allergy, profile: Profile) -> bool:
    """Whether it is to an antibacterial sulfonamide, by class or by ingredient."""
    return allergy.sulfonamide or bool(profile.knowledge.with_role(allergy.ingredients, "sulfonamide"))


def g6pd(record: PatientRecord) -> str | None:
    """deficient, normal, or None where the chart does not say; a deficiency once found stays."""
    if record.has_problem("g6pd-deficiency"):
        return "deficient"
    results = [one.result for one in record.others("g6pd")]
    return "deficient" if "deficient" in results else next(iter(results), None)


def toxoplasma_igg(record: PatientRecord, profile: Profile) -> str | None:
    """positive for life; negative only where recent enough; None where the chart does not say."""
    results = record.others("toxoplasma-igg")
    if record.has_problem("toxoplasmosis") or any(one.result == "positive" for one in results):
        return "positive"
    lasting = (
        one.result for one in results if profile.under("toxoplasma-igg-negative-lasts", one.age_days(record.as_of))
    )
    return next(lasting, None)


def _to_sulfonamides(record: PatientRecord, profile: Profile) -> list[Allergy]:
    return [one for one in record.allergies or () if is_to_sulfonamide(one, profile)]


def _doubtful(regimens: Iterable[Regimen], record: PatientRecord, profile: Profile) -> bool:
    """Whether a reaction of unknown severity stands in the way of what would be preferred."""
    sulfonamides = any(profile.knowledge.with_role(one.agents, "sulfonamide") for one in regimens)
    return sulfonamides and any(one.severe is None for one in _to_sulfonamides(record, profile))


def _notes(record: PatientRecord, profile: Profile, regimens: tuple[Regimen, ...], dosed: bool) -> Iterable[Sentence]:
    has, agents = profile.knowledge.with_role, frozenset[str]().union(*(one.agents for one in regimens))
    if has(agents, "sulfonamide"):
        yield from _sulfonamide_notes(record, profile)
    yield from _allergy_notes(record, regimens, profile)
    yield from _unknown_notes(record, profile, regimens)
    if has(agents, "qt"):
        yield from _qt_notes(record, profile)
    if record.pregnant and has(agents, "avoid-in-pregnancy"):
        yield say("Pregnancy: azoles and clarithromycin are not offered; take perinatal advice.")
    if not dosed:
        yield say("Pregnancy or kidney disease on the problem list: offered without a dose.")
    if has(agents, "sulfonamide") and any(ZIDOVUDINE in one.ingredients for one in record.current_medications()):
        yield say("With zidovudine, TMP-SMX adds to bone marrow toxicity: check the full blood count.")
    yield NOT_CHECKED


def _graded(regimen: Regimen, dosed: bool) -> Sentence:
    """With its grade and the year of the text; without a dose where none is offered."""
    said, cite = regimen_name(regimen, dosed=dosed), regimen.cite
    graded = join(", ", (grade(cite), verbatim(cite.source.date.year))) if cite else NOTHING
    return say("{regimen} ({grade})", regimen=said, grade=graded) if graded else said


def _unknown_notes(record: PatientRecord, profile: Profile, regimens: tuple[Regimen, ...]) -> Iterable[Sentence]:
    """Which results would open more of it."""
    by_g6pd = any(profile.knowledge.with_role(one.agents, "g6pd-risk") for one in regimens)
    by_igg = any(one.toxo_active for one in regimens) and not all(one.toxo_active for one in regimens)
    no_g6pd, no_igg = by_g6pd and not g6pd(record), by_igg and not toxoplasma_igg(record, profile)
    if no_g6pd and no_igg:
        yield say("G6PD and Toxoplasma IgG not on file: agents that need them are not offered.")
    elif no_g6pd:
        yield say("G6PD not on file: agents that need it are not offered.")
    elif no_igg:
        yield say("Toxoplasma IgG not on file: agents that need it are not offered.")


def _qt_notes(record: PatientRecord, profile: Profile) -> Iterable[Sentence]:
    if record.has_problem("qt-prolongation"):
        yield say("Prolonged QT interval on the problem list: agents that prolong it are not offered.")
    elif any(profile.knowledge.with_role(one.ingredients, "qt") for one in record.current_medications()):
        yield say("Another drug that prolongs the QT interval is taken or ordered: look at the ECG first.")


def _sulfonamide_notes(record: PatientRecord, profile: Profile) -> Iterable[Sentence]:
    reactions = _to_sulfonamides(record, profile)
    if any(one.severe for one in reactions):
        cutaneous = any(one.severe_cutaneous for one in reactions)
        yield (
            say("Severe reaction to a sulfonamide on file: TMP-SMX and dapsone are not offered.")
            if cutaneous
            else say("Severe reaction to a sulfonamide on file: TMP-SMX is not offered.")
        )
    elif any(one.severe is None for one in reactions):
        yield say(
            "Reaction to a sulfonamide of unknown severity: clarify the reaction; if mild, TMP-SMX stays first choice."
        )
    elif reactions:
        again = grade(profile.cite("sulfonamide-rechallenge"))
        yield say("Mild past reaction to a sulfonamide: TMP-SMX can be given again ({grade}).", grade=again)


def _allergy_notes(record: PatientRecord, regimens: tuple[Regimen, ...], profile: Profile) -> Iterable[Sentence]:
    if record.allergies is None or record.gap("allergies"):
        yield say("Allergies are unknown here: check them before signing.")
        return
    others = [one for one in record.allergies if not is_to_sulfonamide(one, profile)]
    excluded = {one.name: one for one in regimens if any(other.ingredients & one.agents for other in others)}
    if excluded:
        names = together([regimen_name(excluded[name], dosed=False) for name in sorted(excluded)])
        yield say("Not offered because of an allergy on file: {regimens}.", regimens=names)
    unknown = sum(not one.recognised for one in record.allergies)
    if unknown:
        yield say_n(
            "{count} allergy entry could not be recognised: check before signing.",
            "{count} allergy entries could not be recognised: check before signing.",
            unknown,
        )
    if not record.allergies:
        yield (
            say("No known allergy is recorded.")
            if record.no_known_allergy
            else say("No allergy is recorded, which is not the same as no allergy.")
        )
