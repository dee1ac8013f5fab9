"""The refusals of the service: a stable code, a human sentence and an HTTP status; only `web` turns them into answers."""

from collections.abc import Mapping


class Refusal(Exception):
    """The request is not answered with cards. The sentence says what is wrong and what to do, and echoes no input."""

    status = 500
    code = "internal-fault"
    issue = "exception"  # FHIR IssueType

    def __init__(self, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.headers = dict(headers or {})


class Malformed(Refusal):
    """Not JSON, or an envelope field is missing or of the wrong type."""

    status, code, issue = 400, "malformed-request", "structure"


class UnknownService(Refusal):
    """No such service id, or no such path."""

    status, code, issue = 404, "unknown-service", "not-found"


class WrongMethod(Refusal):
    """The path exists, the method does not."""

    status, code, issue = 405, "wrong-method", "not-supported"


class MissingData(Refusal):
    """Required data was neither supplied nor fetchable; names prefetch keys only."""

    status, code, issue = 412, "missing-data", "processing"


class SlowBody(Refusal):
    """The body did not come in the time it is waited for."""

    status, code, issue = 408, "slow-body", "timeout"


class TooLarge(Refusal):
    """The body is over the limit."""

    status, code, issue = 413, "too-large", "too-long"


class WrongMediaType(Refusal):
    """The body is neither JSON nor FHIR JSON, or is compressed."""

    status, code, issue = 415, "wrong-media-type", "not-supported"


class Contradiction(Refusal):
    """The request contradicts itself: another patient's data, another service's hook."""

    status, code, issue = 422, "contradiction", "conflict"


class Unauthenticated(Refusal):
    """Nobody knows who calls: one fixed body, whatever the reason."""

    status, code, issue = 401, "unauthenticated", "login"

    def __init__(self) -> None:
        super().__init__("The caller could not be authenticated.", {"WWW-Authenticate": "Bearer"})


class PasswordNeeded(Refusal):
    """The report is for those who know its password; a wrong one is answered like none."""

    status, code, issue = 401, "password-needed", "login"

    def __init__(self) -> None:
        super().__init__("A password is needed.", {"WWW-Authenticate": 'Basic realm="report", charset="UTF-8"'})


class Forbidden(Refusal):
    """The caller may not have this."""

    status, code, issue = 403, "forbidden", "forbidden"


class OverQuota(Refusal):
    """This client has too many calls under way; others are served."""

    status, code, issue = 429, "over-quota", "throttled"


class TooManyTries(Refusal):
    """Wrong passwords came too fast; the right one is looked at a moment later."""

    status, code, issue = 429, "too-many-tries", "throttled"

    def __init__(self) -> None:
        super().__init__("Too many wrong passwords. Try again in a moment.", {"Retry-After": "1"})


class Unavailable(Refusal):
    """The service cannot answer now; the client may try again."""

    status, code, issue = 503, "unavailable", "transient"


class Fault(Refusal):
    """A bug: the sentence is fixed, the correlation id leads to the log."""
