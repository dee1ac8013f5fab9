"""The six override reasons, the same on every card, so that an EHR can map them once."""

from dataclasses import asdict, dataclass

HL7 = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
OURS = "https://immune-status-cds.org/CodeSystem/override-reason"


@dataclass(frozen=True, slots=True)
class OverrideReason:
    """One reason a clinician may choose, as a Coding."""

    code: str
    system: str
    display: str


OVERRIDE_REASONS = (
    OverrideReason("action-completed", HL7, "Already done or ordered elsewhere"),
    OverrideReason("patient-refuses", HL7, "Patient declines"),
    OverrideReason("patient-contraindication", HL7, "Contraindicated for this patient"),
    OverrideReason("not-now", OURS, "Not now, will review"),
    OverrideReason("data-wrong", OURS, "The data are wrong or outdated"),
    OverrideReason("disagree", OURS, "I disagree with the recommendation"),
)
NONE = "none"  # no reason, or none of ours
_BY_CODE = {(one.system, one.code): one.code for one in OVERRIDE_REASONS}
_BY_DISPLAY = {one.display.casefold(): one for one in OVERRIDE_REASONS}


def reason_of(code: str | None, system: str | None) -> str:
    """The code of one of our reasons, or `NONE`."""
    return _BY_CODE.get((system or "", code or ""), NONE)


def displayed(text: str) -> OverrideReason | None:
    """The reason that is shown in these words: some EHRs send no more of it back."""
    return _BY_DISPLAY.get(" ".join(text.split()).casefold())


CODINGS = [asdict(reason) for reason in OVERRIDE_REASONS]
