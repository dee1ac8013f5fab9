"""A captured token and the trust file in; out comes every check that access makes, each by the name of its reason.

Access stops at the first fault. Here each check is made by access itself on a token that is sound but for the claims in
question, so that all faults show at once. Nothing is used up.
"""

import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cds_service.access.issuers import FITS, Issuer
from cds_service.access.keys import KeyOutcome, Keys
from cds_service.access.tokens import REASONS, Reason, Refused, Token, check_claims, check_signature, take_apart
from cds_service.access.trust_file import presets
from cds_service.doctor.findings import TokenCheck
from cds_service.doctor.shown import clean

_OF_FORM = ("no-token", "malformed", "header")
_SECONDS = 5.0  # for a key set
_TIMES = ("iat", "exp", "nbf")
_LONG = 10**12
_UNTRUSTED = "there is no trust file to compare with"
_FORM = {
    "no-token": "Bearer and a token are expected",
    "malformed": "three parts of base64url without padding are expected, of JSON objects without doubled members",
    "header": "typ JWT and a kid of 1 to 256 characters are expected, and none of jwk, x5u, x5c, crit, b64, zip, enc",
    "algorithm": "the header names no algorithm",
    "key-address": "jku is no text",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What a token is compared with. `issuers` None: nothing was given. `endpoints`: the addresses that clients call."""

    issuers: Mapping[str, Issuer] | None
    endpoints: tuple[str, ...]
    now: int
    context: Callable[[], ssl.SSLContext]


def check_token(text: str, trust: Trust) -> tuple[TokenCheck, ...]:
    """Every reason for which access refuses a token, in its order: passed, failed, or not checked and why."""
    written = text.strip().removeprefix("Authorization:").strip()
    try:
        token = take_apart(written if written.lower().startswith("bearer ") else f"Bearer {written}")
    except Refused as refused:
        return tuple(_of_form(refused.reason))
    found = {one.name: one for one in _checks(token, trust)}
    return tuple(found.get(name, _passed(name)) for name in REASONS)


def _passed(name: str, says: str = "") -> TokenCheck:
    return TokenCheck(name=name, result="passed", says=says)


def _failed(name: str, says: str) -> TokenCheck:
    return TokenCheck(name=name, result="failed", says=says)


def _left(name: str, says: str) -> TokenCheck:
    return TokenCheck(name=name, result="not checked", says=says)


def _of_form(reason: Reason) -> Iterator[TokenCheck]:
    """Of a token that cannot be taken apart."""
    before = True
    for name in REASONS:
        if name == reason:
            before = False
            yield _failed(name, _FORM[reason])
        else:
            passed = before and name in _OF_FORM
            yield _passed(name) if passed else _left(name, "the token could not be taken apart")


def _checks(token: Token, trust: Trust) -> Iterator[TokenCheck]:
    iss = clean(token.iss or "")
    known = trust.issuers.get(token.iss or "") if trust.issuers is not None else None
    if trust.issuers is None:
        yield _left("issuer", f"{_UNTRUSTED}; it says {iss or 'none'}")
    elif known is None:
        yield _failed("issuer", f"{iss or 'none'} is not in the trust file, to the character")
    elif known.iss == presets()["sandbox"]["iss"]:
        yield _passed("issuer", "the CDS Hooks Sandbox: its private key is public, and anybody can call as it")
    issuer = known or Issuer(iss=token.iss or "", keys=None, algorithms=tuple(FITS))
    yield from _of_claims(token, issuer, trust, known is not None)
    yield from _of_times(token, issuer, trust.now)
    yield from _of_keys(token, known, trust)
    yield _left("used-before", "only the running service knows")


def _of_claims(token: Token, issuer: Issuer, trust: Trust, is_known: bool) -> Iterator[TokenCheck]:
    header, claims = token.header, token.claims
    sound = _sound(issuer, trust)
    bare = replace(token, header=replace(header, algorithm=issuer.algorithms[0], jku=None))
    if _reason(replace(token, header=replace(header, jku=None), claims=sound), issuer, trust):
        allowed = ", ".join(issuer.algorithms)
        yield _failed("algorithm", f"{clean(header.algorithm, 20)} is none of {allowed}")
    jku = replace(bare, header=replace(bare.header, jku=header.jku), claims=sound)
    if _reason(jku, issuer, trust):
        yield _failed("key-address", f"jku is {clean(header.jku or '')}, not the address under jwks or jku")
    typed = {name: claims[name] for name in ("jti", *_TIMES) if name in claims}
    lacking = {name: value for name, value in sound.items() if name not in ("jti", "iat", "exp")}
    if _reason(replace(bare, claims=lacking | typed), _lasting(issuer), trust) == "claims":
        yield _failed("claims", "jti is 1 to 256 visible ASCII characters; iat, exp and nbf are whole seconds")
    aud = {name: value for name, value in sound.items() if name != "aud"}
    if not trust.endpoints and not issuer.audiences:
        yield _left("audience", "CDS_PUBLIC_URL is not set: the address that is called is not known")
    elif _reason(replace(bare, claims=aud | _only(claims, "aud")), issuer, trust):
        came = _listed(claims.get("aud"))
        remedy = "what a client cannot help sending goes under audiences"
        yield _failed("audience", f"aud is {came}; expected is {_expected(issuer, trust)}; {remedy}")
    tenant = {name: value for name, value in sound.items() if name != "tenant"}
    if is_known and _reason(replace(bare, claims=tenant | _only(claims, "tenant")), issuer, trust):
        yield _failed("tenant", f"{_listed(claims.get('tenant'))} is none of the tenants of the entry")


def _of_times(token: Token, issuer: Issuer, now: int) -> Iterator[TokenCheck]:
    claims = token.claims
    begins, ends, not_before = claims.get("iat"), claims.get("exp"), claims.get("nbf", 0)
    if type(begins) is not int or type(ends) is not int or type(not_before) is not int:
        yield from (_left(name, "iat, exp or nbf is no whole number") for name in ("lifetime", "too-early", "expired"))
        return
    timed = replace(token, header=replace(token.header, algorithm=issuer.algorithms[0], jku=None))
    at = Trust(issuers=None, endpoints=("sound",), now=begins, context=ssl.create_default_context)
    sound = {name: value for name, value in _sound(issuer, at).items() if name not in _TIMES}
    timed = replace(timed, claims=sound | _only(claims, *_TIMES))
    if _reason(timed, issuer, at) == "lifetime":
        yield _failed(
            "lifetime", f"from iat to exp {ends - begins} seconds; 1 to {issuer.max_lifetime_seconds} expected"
        )
    reason = _reason(timed, _lasting(issuer), replace(at, now=now))
    if reason == "too-early":
        yield _failed("too-early", f"it begins {max(begins, not_before) - now} seconds from now: look at both clocks")
    if reason == "expired":
        yield _failed(
            "expired", f"it ended {now - ends} seconds ago; of a token that was kept a while that says nothing"
        )


def _of_keys(token: Token, known: Issuer | None, trust: Trust) -> Iterator[TokenCheck]:
    if known is None or token.header.algorithm not in known.algorithms:
        why = "the issuer is not known, or does not sign so"
        yield from (_left(name, why) for name in ("unknown-key", "signature"))
        return
    outcomes: list[KeyOutcome] = []
    key = Keys(known, trust.context(), outcomes.append).find(token.header.kid, token.header.algorithm, _SECONDS)
    if key is None:
        came = {"failed": "the key set could not be fetched", "unusable": "the key set cannot be used"}
        why = came.get(outcomes[-1] if outcomes else "failed", "no key in the set has this kid, and fits the algorithm")
        yield _failed("unknown-key", f"kid {clean(token.header.kid, 40)}: {why}")
        yield _left("signature", "there is no key to check it with")
        return
    try:
        check_signature(token, key)
    except Refused:
        yield _failed("signature", "the key of this kid did not make it")


def _sound(issuer: Issuer, trust: Trust) -> dict[str, Any]:
    """Claims that nothing is wrong with."""
    endpoint = trust.endpoints[0] if trust.endpoints else next(iter(issuer.audiences), "")
    tenant = {"tenant": next(iter(issuer.tenants))} if issuer.tenants else {}
    return {"jti": "sound", "aud": endpoint, "iat": trust.now, "exp": trust.now + 1, **tenant}


def _reason(token: Token, issuer: Issuer, trust: Trust) -> Reason | None:
    """Why access refuses these claims at any of the addresses; None where it takes them at one."""
    refused: Reason | None = None
    for endpoint in trust.endpoints or ("",):
        try:
            check_claims(token, issuer, endpoint, trust.now)
        except Refused as fault:
            refused = refused or fault.reason
        else:
            return None
    return refused


def _lasting(issuer: Issuer) -> Issuer:
    return replace(issuer, max_lifetime_seconds=_LONG)


def _only(claims: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: claims[name] for name in names if name in claims}


def _expected(issuer: Issuer, trust: Trust) -> str:
    return " or ".join([*trust.endpoints[:1], *sorted(issuer.audiences)])


def _listed(found: Any) -> str:
    parts: Iterable[Any] = found if isinstance(found, list) else [found]
    return ", ".join(clean(str(one)) for one in list(parts)[:10] if one is not None) or "missing"
