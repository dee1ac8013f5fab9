"""An answer of the service and what it was asked in; out go remarks on it by the CDS Hooks specification (2.0.1)."""

from collections.abc import Iterator
from itertools import islice
from typing import Literal

from cds_service.simulate.judge_cards import judge_action, judge_cards
from cds_service.simulate.peer import Answer
from cds_service.simulate.remarks import Remark, empties, fault, note, objects, shown, texts

JSON_TYPES = ("application/json", "application/fhir+json")
Expected = Literal["cards", "cards-or-412", "refusal"]
_MOST = 5  # empty values that are named


def judge_call(answer: Answer, expected: Expected, patient_id: str) -> Iterator[Remark]:
    """Remarks on the answer to a call about this patient."""
    if answer.status is None:
        yield fault(f"no answer came: {answer.fault}")
    elif expected == "refusal":
        yield from _refusal(answer)
    elif answer.status == 200:
        yield from _cards(answer, patient_id)
    elif expected == "cards-or-412" and answer.status == 412:
        yield from _outcome(answer)
    else:
        yield fault(f"{_WORDS.get(answer.status, 'a status that is no answer to this call')} ({answer.status})")
        yield from _outcome(answer)
        if answer.status in (429, 503) and "retry-after" not in answer.headers:
            yield note("it does not say when to try again (Retry-After)")


_WORDS = {
    301: "it sends its caller elsewhere; redirects are not followed",
    302: "it sends its caller elsewhere; redirects are not followed",
    307: "it sends its caller elsewhere; redirects are not followed",
    308: "it sends its caller elsewhere; redirects are not followed",
    401: "the caller is not believed: give a key and an issuer that the service trusts, or look at its reasons",
    403: "the caller may not call",
    404: "the service it lists is not there",
    412: "it says that data are missing, though all that its templates ask for was sent",
    429: "too many calls at once for it",
    503: "it has no room, or cannot tell",
}


def _refusal(answer: Answer) -> Iterator[Remark]:
    """A call whose token is wrong must end with 401, and must not be told why."""
    if answer.status == 403:
        yield note("a token that is wrong was refused with 403; 401 is usual")
    elif answer.status != 401:
        yield fault(f"a token that is wrong was not refused ({answer.status}; 401 is expected)")


def _outcome(answer: Answer) -> Iterator[Remark]:
    if answer.object.get("resourceType") != "OperationOutcome":
        yield note("a refusal should say why in an OperationOutcome")


def media_type(answer: Answer) -> Iterator[Remark]:
    """JSON must be called JSON, and come as it was asked for."""
    if answer.headers.get("content-encoding", "identity").strip().lower() != "identity":
        yield fault("the answer is compressed, which was not asked for")
    if answer.media_type not in JSON_TYPES:
        yield fault(f"Content-Type must be application/json; it is {shown(answer.media_type) or 'not stated'}")


def no_empties(answer: Answer) -> Iterator[Remark]:
    """What has no value is left out."""
    for path in islice(empties(answer.object), _MOST):
        yield fault(f"{shown(path)} is null or empty: it must be left out")


def _cards(answer: Answer, patient_id: str) -> Iterator[Remark]:
    yield from media_type(answer)
    if answer.cards is None:
        yield fault("an answer must be a JSON object with cards, a list")
        return
    yield from no_empties(answer)
    yield from judge_cards(answer.cards, patient_id)
    actions, wrong = objects("the answer", answer.object, "systemActions")
    yield from wrong
    for place, action in enumerate(actions, 1):
        yield from judge_action(f"system action {place}", action, patient_id)


def judge_discovery(answer: Answer) -> Iterator[Remark]:
    """Remarks on the answer to discovery."""
    if answer.status is None:
        yield fault(f"no answer came: {answer.fault}")
        return
    if answer.status != 200:
        yield fault(f"discovery must be answered with 200; the status is {answer.status}")
        return
    yield from media_type(answer)
    if not isinstance(answer.object.get("services"), list):
        yield fault("the answer must be a JSON object with services, a list")
        return
    yield from no_empties(answer)
    services, wrong = objects("discovery", answer.object, "services")
    yield from wrong
    for place, one in enumerate(services, 1):
        where = f"service {place}"
        yield from texts(where, one, "hook", "id", "description")
        if "title" not in one:
            yield note(f"{where}: a title is recommended")
        yield from _templates(where, one.get("prefetch", {}))


def _templates(where: str, prefetch: object) -> Iterator[Remark]:
    if not isinstance(prefetch, dict) or not all(isinstance(one, str) for one in prefetch.values()):
        yield fault(f"{where}: prefetch must be an object of FHIR queries")
