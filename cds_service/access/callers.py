"""Trusted issuers in; out comes who calls: each call's token is checked in full, and used up only when all else has passed."""

import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from cds_service.access.issuers import Issuer, KeyFile
from cds_service.access.keys import KeyOutcome, Keys
from cds_service.access.tokens import Reason, Refused, Token, check_claims, check_signature, take_apart
from cds_service.errors import Unauthenticated

UNKNOWN = "unknown"  # in the place of an issuer that is not trusted


class SeenTokens(Protocol):
    """Where used tokens are remembered, for all processes and restarts."""

    def use(self, issuer: str, jti: str, expires: int, now: int, seconds: float) -> bool:
        """Whether this is its first use. Raises what says that it cannot be known."""


class Counts(Protocol):
    """Who is told what became of tokens and key sets; of an issuer that is not trusted only that."""

    def refused(self, issuer: str, reason: Reason) -> None:
        """A token was not believed."""

    def keys(self, issuer: str, outcome: KeyOutcome) -> None:
        """A key set was fetched, or not."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, proven by a token that is not used up yet; without one in open access."""

    issuer: Issuer
    token: Token | None = None


class Callers:
    """The clients that are trusted."""

    def __init__(
        self, issuers: Iterable[Issuer], seen: SeenTokens, counts: Counts, context: Callable[[], ssl.SSLContext]
    ) -> None:
        """Key files are read now; key sets with an address when they are first needed. Raises OSError, KeySetFault."""
        self.issuers: Mapping[str, Issuer] = {one.iss: one for one in issuers}
        self._seen, self._counts = seen, counts
        shared = context() if self.issuers else None
        self._keys = {iss: self._keys_of(one, shared) for iss, one in self.issuers.items() if shared}

    def check(self, authorization: str | None, endpoint: str, now: int, seconds: float) -> Caller:
        """Everything but whether the token was used before. `now`: seconds since 1970; `seconds`: the longest wait for a key.

        `endpoint` is the address that was called, as the configuration has it. Raises Unauthenticated.
        """
        issuer: Issuer | None = None
        try:
            token = take_apart(authorization)
            issuer = self.issuers.get(token.iss or "")
            if issuer is None:
                raise Refused("issuer")
            check_claims(token, issuer, endpoint, now)
            key = self._keys[issuer.iss].find(token.header.kid, token.header.algorithm, seconds)
            if key is None:
                raise Refused("unknown-key")
            check_signature(token, key)
        except Refused as refused:
            raise self._refusal(issuer, refused.reason) from None
        return Caller(issuer, token)

    def use_up(self, caller: Caller, now: int, seconds: float) -> None:
        """A token counts once. `seconds`: the longest wait for the store. Raises Unauthenticated, and what the store raises."""
        token = caller.token
        if token and not self._seen.use(caller.issuer.iss, token.jti, token.expires, now, seconds):
            raise self._refusal(caller.issuer, "used-before")

    def _refusal(self, issuer: Issuer | None, reason: Reason) -> Unauthenticated:
        self._counts.refused(issuer.iss if issuer else UNKNOWN, reason)
        return Unauthenticated()

    def _keys_of(self, issuer: Issuer, context: ssl.SSLContext) -> Keys:
        keys = Keys(issuer, context, lambda outcome: self._counts.keys(issuer.iss, outcome))
        if isinstance(issuer.keys, KeyFile):
            keys.load()
        return keys
