"""A client and a FHIR server in, one call of the service and how it was answered out: as it is to be, or what is wrong with it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from tests.faults.servers import good_request
from tests.fuzz.line import Answer, Line, message
from tests.fuzz.trust import Client

PATH = "/cds-services/immune-status-order-sign"
LACKING = "medications"
EVALUATION = "org.immune-status-cds.evaluation"


@dataclass(frozen=True, slots=True)
class Try:
    """One call. `nothing_sent`: no prefetch at all came with it, else all but one key that may be missing."""

    nothing_sent: bool
    status: int
    seconds: float  # from the last byte sent to the last byte of the answer
    complete: bool | None = None
    says_so: bool = False  # with the card "Not assessed"

    @property
    def fault(self) -> str | None:
        """What is wrong with the answer to a call whose FHIR server has a fault."""
        if self.status == 412 and self.nothing_sent:
            return None
        if self.status != 200:
            return f"status {self.status}"
        if self.complete is not False:
            return "it passes for complete"
        return None if self.says_so else 'no card "Not assessed"'


def sent(client: Client, server: str, nothing_sent: bool) -> bytes:
    """A call with a fresh token."""
    prefetch = {} if nothing_sent else {k: v for k, v in good_request()["prefetch"].items() if k != LACKING}
    lent = {"access_token": "invented", "token_type": "Bearer", "expires_in": 300, "scope": "user/*.read"}
    body = json.dumps(good_request() | {"prefetch": prefetch, "fhirServer": server, "fhirAuthorization": lent}).encode()
    headers = {
        "Host": "cds.example.org",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Authorization": f"Bearer {client.token(PATH)}",
    }
    return message("POST", PATH, headers, body)


def ask(line: Line, client: Client, server: str, nothing_sent: bool) -> Try:
    """One call over a connection that may have been used before."""
    fresh = not line.is_open
    answer = line.ask(sent(client, server, nothing_sent))
    if answer.status == 0 and not fresh:  # the server closed it just then
        answer = line.ask(sent(client, server, nothing_sent))
    return _read(answer, nothing_sent)


def _read(answer: Answer, nothing_sent: bool) -> Try:
    if answer.status != 200:
        return Try(nothing_sent, answer.status, answer.seconds)
    content = json.loads(answer.body)
    topics = [card["source"].get("topic", {}).get("code") for card in content["cards"]]
    complete = content["extension"][EVALUATION]["complete"]
    return Try(nothing_sent, 200, answer.seconds, complete, "NotAssessed" in topics)


def percentile(values: Iterable[float], part: float) -> float:
    """The value below which that part of the values lies, in milliseconds."""
    ordered = sorted(values)
    return 1000 * ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0
