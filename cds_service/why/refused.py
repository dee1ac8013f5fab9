"""Why a launch came to no page, as one word of a closed set; the status, and the sentences that a clinician reads."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from hooks.sentences import Sentence, join, say

Word = Literal[
    "no-launch",
    "unknown-ehr",
    "another-browser",
    "used-before",
    "too-late",
    "not-allowed",
    "not-redeemed",
    "ehr-away",
    "ehr-unfit",
    "no-patient",
    "access-over",
    "contradiction",
    "full",
]


class Said(NamedTuple):
    """The status, what happened, and what to do."""

    status: int
    happened: Sentence
    do: Sentence


_AGAIN = say("Go back to the chart and follow the link of the card again.")
_TELL = say("Tell whoever looks after the connection of your EHR with this service.")
_LATER = say("Try again in a minute.")
_COOKIE = say("If it happens each time, the browser may be refusing the cookie that this page needs.")
SAID: Mapping[Word, Said] = {
    "no-launch": Said(
        400, say("This page can only be opened from the EHR."), say("Follow the link of a card in the chart.")
    ),
    "unknown-ehr": Said(400, say("The EHR that opened this page is not one that this service answers."), _TELL),
    "another-browser": Said(
        400,
        say("The EHR's answer does not belong to a launch that began in this browser in the last ten minutes."),
        join(" ", (_AGAIN, _COOKIE)),
    ),
    "used-before": Said(400, say("This launch was used already; each opens the page once."), _AGAIN),
    "too-late": Said(400, say("This launch is more than ten minutes old."), _AGAIN),
    "not-allowed": Said(
        403,
        say("The EHR did not allow this page to read the chart."),
        say("If you declined, follow the link again and allow it; if not, you may lack the right to open this app."),
    ),
    "not-redeemed": Said(502, say("The EHR did not accept what it had handed out for this launch."), _AGAIN),
    "ehr-away": Said(502, say("The EHR's server did not answer in time, or not as it should."), _LATER),
    "ehr-unfit": Said(502, say("The EHR answered in a way that this service cannot rely on."), _TELL),
    "no-patient": Said(
        502,
        say("The EHR did not say whose chart is open."),
        say("Open a patient's chart first. If one is open: {tell}", tell=_TELL),
    ),
    "access-over": Said(502, say("The EHR no longer accepts the access that it gave for this launch."), _AGAIN),
    "contradiction": Said(
        502,
        say("The EHR sent data of another patient than the one whose chart is open. Nothing of it is shown."),
        _TELL,
    ),
    "full": Said(
        503, say("The page cannot be made now: the service is busy, or its database does not answer."), _LATER
    ),
}


class NotShown(Exception):
    """There is no page; of the reason the word is told, and nothing that came from outside."""

    def __init__(self, word: Word) -> None:
        super().__init__(word)
        self.word = word
