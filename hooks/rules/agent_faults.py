"""One drug that is taken or ordered in; what on the chart speaks against it out: reactions, G6PD, a gap in its cover."""

from collections.abc import Iterator
from dataclasses import dataclass

from hooks.advice import Indicator
from hooks.drugs import COTRIMOXAZOLE, DAPSONE, PENTAMIDINE, covers_pneumocystis, covers_toxoplasma
from hooks.facts import drug_names
from hooks.knowledge import Profile
from hooks.record import Allergy, DraftOrder, Fact, LabResult, Medication, PatientRecord
from hooks.rules.agents import g6pd, is_to_sulfonamide, toxoplasma_igg
from hooks.sentences import Sentence, capital, say
from hooks.wording import grade


@dataclass(frozen=True, slots=True)
class Use:
    """A drug that is being taken, or ordered by a draft."""

    medication: Medication
    order: DraftOrder | None

    @property
    def fact(self) -> Fact:
        """What shows it."""
        return self.order or self.medication

    @property
    def state(self) -> Sentence:
        """For "… is being ordered"."""
        return say("being ordered") if self.order else say("being taken")

    def named(self, profile: Profile) -> Sentence:
        """By its usual name."""
        agents = self.medication.ingredients
        if not agents >= COTRIMOXAZOLE:
            return drug_names(agents, profile.knowledge)
        others = drug_names(agents - COTRIMOXAZOLE, profile.knowledge)
        return say("TMP-SMX with {drugs}", drugs=others) if others else say("TMP-SMX")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What speaks against a drug: how urgently, in short and in full, on which facts, by whose authority."""

    use: Use
    kind: str  # reaction, g6pd, g6pd-unknown, cover
    indicator: Indicator
    short: Sentence
    said: Sentence
    facts: tuple[Fact, ...]
    cite: str


def in_use(record: PatientRecord) -> tuple[Medication, ...]:
    """What goes on being taken, and what is ordered; not what an order of the session stops."""
    ended = [one.medication.ingredients for one in record.draft_orders or () if one.stops and one.medication]
    staying = (one for one in record.taken_medications() if one.ingredients not in ended)
    return (*staying, *record.drafted_medications())


def faults(use: Use, record: PatientRecord, profile: Profile) -> Iterator[Fault]:
    """Everything that speaks against it."""
    for allergy in sorted(record.allergies or (), key=_mildness):
        yield from _reaction(use, allergy, profile)
    yield from _enzyme(use, record, profile)
    yield from _cover(use, record, profile)


def _mildness(allergy: Allergy) -> tuple[bool, bool]:
    """The gravest reaction gives the card its name, whichever was entered first."""
    return not allergy.severe_cutaneous, not allergy.severe


def _harm(use: Use) -> Indicator:
    """What is critical in an order is a warning where it is already taken."""
    return "critical" if use.order else "warning"


def _reaction(use: Use, allergy: Allergy, profile: Profile) -> Iterator[Fault]:
    agents, named = use.medication.ingredients, use.named(profile)
    sulfonamide = is_to_sulfonamide(allergy, profile) and bool(profile.knowledge.with_role(agents, "sulfonamide"))
    crossed = DAPSONE in agents and is_to_sulfonamide(allergy, profile) and allergy.severe_cutaneous
    if not sulfonamide and not crossed and not allergy.ingredients & agents:
        return
    to = say("a sulfonamide") if sulfonamide or crossed else say("it")
    facts = (use.fact, allergy)
    if allergy.severe:
        skin = say("SJS, TEN or DRESS") if allergy.severe_cutaneous else say("a severe reaction")
        said = say("After {skin} to {to} {named} is not to be given again.", skin=skin, to=to, named=named)
        short = say("{skin} to {to} is on file", skin=skin, to=to)
        yield Fault(
            use=use,
            kind="reaction",
            indicator=_harm(use),
            short=short,
            said=said,
            facts=facts,
            cite="agent-severe-reaction",
        )
    elif allergy.severe is None:
        said = say(
            "A reaction to {to} is on file without its severity: clarify the reaction before {named} is given.",
            to=to,
            named=named,
        )
        yield Fault(
            use=use,
            kind="reaction",
            indicator="warning",
            short=say("a reaction to {to} of unknown severity is on file", to=to),
            said=said,
            facts=facts,
            cite="agent-reaction" if to == "it" else "agent-severe-reaction",
        )
    elif use.order:
        yield _mild(use, to, facts, profile)


def _mild(use: Use, to: Sentence, facts: tuple[Fact, ...], profile: Profile) -> Fault:
    """What is taken after a mild reaction is tolerated; what is ordered after it is worth a word."""
    return Fault(
        use=use,
        kind="mild",
        indicator="info",
        short=say("a mild reaction to {to} is on file", to=to),
        said=say(
            "A mild past reaction to a sulfonamide: it can be given again once the reaction has settled ({grade}).",
            grade=grade(profile.cite("sulfonamide-rechallenge")),
        )
        if to == "a sulfonamide"
        else say("A mild past reaction to it: ask what it was."),
        facts=facts,
        cite="sulfonamide-rechallenge" if to == "a sulfonamide" else "agent-reaction",
    )


def _enzyme(use: Use, record: PatientRecord, profile: Profile) -> Iterator[Fault]:
    """Dapsone and primaquine break red cells where G6PD lacks."""
    if not profile.knowledge.with_role(use.medication.ingredients, "g6pd-risk"):
        return
    known, named = g6pd(record), use.named(profile)
    results = [one for one in record.others("g6pd") if one.result == known][:1]
    shown: tuple[Fact, ...] = (use.fact, *results, *record.problems_of("g6pd-deficiency"))
    if known == "deficient":
        said = say("In G6PD deficiency {named} can cause haemolysis.", named=named)
        yield Fault(
            use=use,
            kind="g6pd",
            indicator=_harm(use),
            short=say("G6PD deficiency is on file"),
            said=said,
            facts=shown,
            cite="agent-g6pd",
        )
    elif known is None or record.gap("g6pd"):
        said = (
            say("G6PD could not be read: in deficiency {named} can cause haemolysis.", named=named)
            if record.gap("g6pd")
            else say("G6PD is not on file: in deficiency {named} can cause haemolysis.", named=named)
        )
        yield Fault(
            use=use,
            kind="g6pd-unknown",
            indicator="warning",
            short=say("G6PD is not known, measure it first"),
            said=said,
            facts=shown,
            cite="agent-g6pd",
        )


def _cover(use: Use, record: PatientRecord, profile: Profile) -> Iterator[Fault]:
    """Dapsone alone and pentamidine leave toxoplasma open where the antibody is there and the CD4 count low."""
    count = low_count(record, profile)
    open_to_it = toxoplasma_igg(record, profile) == "positive" and use.medication in _leaving_open(record)
    if not (open_to_it and count) or record.gap("medications"):
        return
    positive = [one for one in record.others("toxoplasma-igg") if one.result == "positive"][:1]
    shown: tuple[Fact, ...] = (*positive, *record.problems_of("toxoplasmosis"))
    yield Fault(
        use=use,
        kind="cover",
        indicator="warning",
        short=say("it does not cover toxoplasma, IgG is positive"),
        said=say("{drug} by itself protects against Pneumocystis only.", drug=capital(use.named(profile))),
        facts=(use.fact, *shown, count),
        cite="agent-toxoplasma",
    )


def _leaving_open(record: PatientRecord) -> tuple[Medication, ...]:
    """Dapsone alone or pentamidine, where nothing in use covers toxoplasma."""
    used = in_use(record)
    if covers_toxoplasma(used):
        return ()
    return tuple(one for one in covers_pneumocystis(used) if one.ingredients & {DAPSONE, PENTAMIDINE})


def cover_lacks(record: PatientRecord, profile: Profile) -> tuple[str, ...]:
    """What is lacking to tell whether an agent leaves toxoplasma open; nothing where that is plain."""
    igg, count = toxoplasma_igg(record, profile), next(iter(record.cd4_counts), None)
    usable = count is not None and profile.under("cd4-usable-for-start", count.age_days(record.as_of))
    high = count and usable and profile.not_under("pneumocystis-cd4", count) and not record.gap("cd4-count")
    negative = igg == "negative" and not record.gap("toxoplasma-igg")
    if not _leaving_open(record) or high or negative:
        return ()
    antibody = () if igg == "positive" else ("toxoplasma-igg",)
    return (*antibody, *(() if low_count(record, profile) else ("cd4-count",)))


def low_count(record: PatientRecord, profile: Profile) -> LabResult | None:
    """The latest CD4 count, where it is usable and asks for prophylaxis."""
    count = next(iter(record.cd4_counts), None)
    usable = count is not None and profile.under("cd4-usable-for-start", count.age_days(record.as_of))
    return count if count and usable and profile.under("pneumocystis-cd4", count) else None
