"""Why a call to another server brought nothing, as one word of a closed set: all that is ever told of it."""

from typing import Literal

Fault = Literal[
    "not-allowed",  # the guard does not admit the URL or its IP address, or the token is no token
    "unresolved",  # no IP address
    "unreachable",  # no connection
    "tls",  # the certificate or the protocol cannot be trusted
    "deadline",
    "redirect",
    "refused",  # 401, 403
    "not-found",
    "rejected",  # any other 4xx, and what HTTP status should not be here
    "server-error",  # any other 5xx
    "overloaded",  # 429, 503
    "broken",  # it came to an end before its end
    "unreadable",  # compressed, or not what was asked for
    "too-large",
    "busy",  # as many fetches as may be are under way; nothing was sent
    "resting",  # it failed several times in a row; nothing was sent
    "failed",  # anything else
]


class Failed(Exception):
    """What was asked for did not come; of the reason only the word is ever told."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault = fault
