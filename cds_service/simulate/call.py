"""One planned call in; it is made, answered and judged, feedback is sent on its cards, and what became of it all goes out."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from cds_service.simulate.feedback import Mode as FeedbackMode
from cds_service.simulate.feedback import feedback_on
from cds_service.simulate.fhir_server import Lender
from cds_service.simulate.judge import Expected, judge_call
from cds_service.simulate.moments import Moment
from cds_service.simulate.outcome import Outcome, Told, evaluation_of, shown_cards
from cds_service.simulate.peer import Answer, Peer
from cds_service.simulate.prefetch import Sent
from cds_service.simulate.remarks import Remark, fault, note
from cds_service.simulate.tokens import Signer, Wrong

_SOON_MS = 500
_NOTHING: AbstractContextManager[tuple[dict[str, Any], list[str]]] = nullcontext(({}, []))


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as it is planned."""

    number: int
    moment: Moment
    sent: Sent
    wrong: Wrong | None = None  # what is wrong with its token

    def words(self, signer: Signer | None, lender: Lender | None) -> tuple[str, ...]:
        """What is sent."""
        token = "no token" if signer is None else f"token {self.wrong}" if self.wrong else "token"
        return (self.sent.words, token, *(("FHIR server lent",) if lender else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ehr:
    """What all calls share."""

    peer: Peer
    signer: Signer | None
    lender: Lender | None
    feedback: FeedbackMode
    fhir_answers: bool = False  # whether the FHIR server that is lent answers in time

    def make(self, call: Call) -> Outcome:
        """Raises nothing that a service could cause."""
        moment = call.moment
        with self.lender.lent(moment.patient_id) if self.lender else _NOTHING as (members, asked):
            answer, remarks = self._called(call, members)
            asked_now = tuple(asked) if self.lender else None
        remarks += judge_call(answer, self._expected(call), moment.patient_id)
        remarks += self._of_fhir(call, answer, asked_now)
        if self._expected(call) == "cards" and answer.ms > _SOON_MS:
            remarks.append(note("an answer should come within about half a second"))
        told, wrong = self._tell(call, answer)
        return Outcome(
            number=call.number,
            service=moment.service.id,
            hook=moment.service.hook,
            who=moment.who,
            sent=call.words(self.signer, self.lender),
            wrong=call.wrong,
            status=answer.status,
            ms=answer.ms,
            cards=shown_cards(answer.cards),
            refused=answer.status is not None and 400 <= answer.status < 500,
            evaluation=evaluation_of(answer.object) if answer.cards is not None else None,
            asked=asked_now,
            told=told,
            remarks=(*remarks, *wrong),
        )

    def _called(self, call: Call, members: dict[str, Any]) -> tuple[Answer, list[Remark]]:
        """The answer that is judged: where a token is used twice, the second one."""
        url = self.peer.at(call.moment.service.path)
        prefetch = {} if call.sent.prefetch is None else {"prefetch": call.sent.prefetch}
        request = {**call.moment.request, **members, **prefetch}
        token = self.signer.authorization(url, call.wrong) if self.signer else {}
        answer = self.peer.send("POST", url, request | {"hookInstance": str(uuid4())}, token)
        if call.wrong != "used-twice":
            return answer, []
        first = [] if answer.cards is not None else [fault(f"a token was refused when it came first ({answer.status})")]
        return self.peer.send("POST", url, request | {"hookInstance": str(uuid4())}, token), first

    def _expected(self, call: Call) -> Expected:
        if call.wrong:
            return "refusal"
        return "cards" if call.sent.whole else "cards-or-412"

    def _of_fhir(self, call: Call, answer: Answer, asked: tuple[str, ...] | None) -> Iterator[Remark]:
        """A service may leave a FHIR server alone that is lent, but then its caller should know."""
        if asked is not None and self.fhir_answers and not call.wrong:
            if answer.status == 412:
                yield note("it says that data are missing, though the FHIR server that was lent has them")
            elif not asked and not call.sent.whole:
                yield note("it did not ask the FHIR server that was lent")

    def _tell(self, call: Call, answer: Answer) -> tuple[Told | None, list[Remark]]:
        """The same feedback twice: nothing says that it came before but the card it is about."""
        entries = feedback_on(answer.cards or (), self.feedback, call.number)
        if not entries or call.wrong:
            return None, []
        url = self.peer.at(f"{call.moment.service.path}/feedback")
        statuses = []
        for _ in range(2):
            token = self.signer.authorization(url) if self.signer else {}
            statuses.append(self.peer.send("POST", url, {"feedback": entries}, token).status)
        accepted = sum(one["outcome"] == "accepted" for one in entries)
        told = Told(accepted=accepted, overridden=len(entries) - accepted, statuses=(statuses[0], statuses[1]))
        return told, list(_of_feedback(*statuses))


def _of_feedback(first: int | None, second: int | None) -> Iterator[Remark]:
    if not _taken(first):
        yield fault(f"feedback was not taken ({first or 'no answer'})")
    elif not _taken(second):
        yield fault(f"feedback that came again was not taken ({second or 'no answer'})")
    elif (first, second) != (200, 200):
        yield note("feedback is usually answered with 200")


def _taken(status: int | None) -> bool:
    return status is not None and 200 <= status < 300
