"""The six override reasons, the same on every card, so that an EHR can map them once."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache

from cds_service.languages import ENGLISH, LANGUAGES, Voice, load
from hooks.sentences import Sentence, say

HL7 = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
OURS = "https://immune-status-cds.org/CodeSystem/override-reason"


@dataclass(frozen=True, slots=True)
class OverrideReason:
    """One reason a clinician may choose, as a Coding."""

    code: str
    system: str
    display: Sentence


OVERRIDE_REASONS = (
    OverrideReason("action-completed", HL7, say("Already done or ordered elsewhere")),
    OverrideReason("patient-refuses", HL7, say("Patient declines")),
    OverrideReason("patient-contraindication", HL7, say("Contraindicated for this patient")),
    OverrideReason("not-now", OURS, say("Not now, will review")),
    OverrideReason("data-wrong", OURS, say("The data are wrong or outdated")),
    OverrideReason("disagree", OURS, say("I disagree with the recommendation")),
)
NONE = "none"  # no reason, or none of ours
_BY_CODE = {(one.system, one.code): one.code for one in OVERRIDE_REASONS}


@cache
def _by_display() -> Mapping[str, OverrideReason]:
    """In every language that a card can show it in."""
    voices = (ENGLISH, *(Voice(load(one)) for one in LANGUAGES[1:]))
    return {voice.tell(one.display).casefold(): one for voice in voices for one in OVERRIDE_REASONS}


def reason_of(code: str | None, system: str | None) -> str:
    """The code of one of our reasons, or `NONE`."""
    return _BY_CODE.get((system or "", code or ""), NONE)


def displayed(text: str) -> OverrideReason | None:
    """The reason that is shown in these words: some EHRs send no more of it back."""
    return _by_display().get(" ".join(text.split()).casefold())


CODINGS = [asdict(reason) for reason in OVERRIDE_REASONS]
