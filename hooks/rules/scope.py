"""Who is advised at all: adults and adolescents with established HIV infection."""

from hooks.advice import Lacks, Recommendation, Silent, Verdict
from hooks.assess import rule
from hooks.discreet import Discreet
from hooks.knowledge import Profile
from hooks.record import PatientRecord
from hooks.sentences import Sentence, capital, say, verbatim


@rule(
    cites=("adult-age",),
    needs=("conditions",),
    discreet=Discreet(
        "Who is advised",
        "It is not clear whether this patient can be advised here: see what is missing",
        {
            "status": "A status in this record is not clear: please confirm it and record the result",
            "no-age": "Age is not on file: no advice is given without it",
            "child": "Age outside the scope of this service: see the paediatric guideline",
        },
    ),
)
def scope(record: PatientRecord, profile: Profile) -> Verdict:
    """Scope of this service.

    When HIV infection is established and the age is below 13 years or unknown, or when the HIV status is not clear,
    then say so once and nothing else. When there is no evidence of HIV infection, then say nothing; but without a
    diagnosis antiretrovirals and a viral load tell of it together, and where either may be missing, nobody knows.
    """
    if record.hiv.status in ("none", "unknown"):
        return _without_the_other_half(record) or Silent(record.hiv.basis, ends_matter=True)
    if record.hiv.status == "unclear":
        return _outside(
            profile,
            "status",
            say("HIV status is not clear in this record: please confirm it and record the result"),
            say("{basis}.", basis=capital(record.hiv.basis)),
            say("No advice is given until the status is recorded."),
        )
    grown = [profile.reaches("adult-age", age) for age in record.ages or ()]
    if record.ages is None or len(set(grown)) > 1:
        return _outside(
            profile,
            "no-age",
            say("Age is not on file: no advice is given without it"),
            say("The date of birth is missing or incomplete."),
            say("This service advises on adults and adolescents from 13 years of age."),
        )
    if not all(grown):
        return _outside(
            profile,
            "child",
            say(
                "Age {years}: outside the scope of this service, see the paediatric guideline",
                years=_years(record.ages),
            ),
            say("This service advises on adults and adolescents from 13 years of age."),
            say("Thresholds for children differ by age; use the paediatric guideline for opportunistic infections."),
        )
    return Silent(f"age {_years(record.ages)}; {record.hiv.basis}")


def _without_the_other_half(record: PatientRecord) -> Lacks | None:
    """Antiretrovirals without the viral loads, or viral loads without the medications; unlikely where neither came."""
    lacking = tuple(datum for datum in ("medications", "viral-load") if record.gap(datum))
    drugs_may_be = record.hiv.treated or "medications" in lacking
    loads_may_be = bool(record.viral_loads) or "viral-load" in lacking
    if not (lacking and drugs_may_be and loads_may_be):
        return None
    return Lacks(lacking, record.viral_loads[:1], unlikely=not (record.hiv.treated or record.viral_loads))


def _years(ages: tuple[int, int]) -> Sentence:
    return verbatim(ages[0]) if ages[0] == ages[1] else say("{least} or {most}", least=ages[0], most=ages[1])


def _outside(profile: Profile, case: str, summary: Sentence, *rationale: Sentence) -> Recommendation:
    return Recommendation(
        summary=summary,
        indicator="info",
        rationale=rationale,
        cites=(profile.cite("adult-age"),),
        ends_matter=True,
        case=case,
    )
