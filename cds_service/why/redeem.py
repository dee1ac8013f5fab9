"""The code of an EHR's answer in; out comes what the EHR grants for it: a token, and whose chart is open."""

import re
from base64 import b64encode
from dataclasses import dataclass, field
from ssl import SSLContext
from urllib.parse import quote_plus

import msgspec
from msgspec import Struct

from cds_service.access.issuers import Smart
from cds_service.outbound.document import send_form
from cds_service.outbound.faults import Failed
from cds_service.why.launch import VISIBLE, Pending
from cds_service.why.refused import NotShown
from cds_service.wire.strict_json import json_fault

MOST_BYTES = 64 << 10
_PATIENT = re.compile(r"(?:Patient/)?([A-Za-z0-9\-.]{1,64})")
_TURNED_DOWN = {"rejected", "refused", "not-found"}


class _Answer(Struct, frozen=True):
    access_token: str
    token_type: str
    patient: str | None = None
    expires_in: float | None = None
    need_patient_banner: bool | None = None
    appContext: str | None = None  # noqa: N815  (the name on the wire)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Used once and forgotten. `context`: what the card's link carried, where the EHR hands it on."""

    token: str = field(repr=False)
    patient: str
    banner: bool  # nobody but us says on the screen whose chart it is
    context: str = ""


def redeem(code: str, pending: Pending, smart: Smart, back: str, *, deadline: float, context: SSLContext) -> Grant:
    """Sent once: a code counts once. `back` is the redirect URI, `deadline` of `time.monotonic`. Raises NotShown."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": back, "code_verifier": pending.verifier}
    own = {"Authorization": _basic(smart.client_id, smart.secret)} if smart.secret else {}
    form |= {} if smart.secret else {"client_id": smart.client_id}
    try:
        body = send_form(pending.token, smart.authorization, deadline, MOST_BYTES, context, form=form, more=own)
    except Failed as failed:
        raise NotShown("not-redeemed" if failed.fault in _TURNED_DOWN else "ehr-away") from None
    return _grant(_answer(body))


def _basic(name: str, secret: str) -> str:
    """As OAuth has it: both are written as in a form first (RFC 6749, 2.3.1)."""
    return f"Basic {b64encode(f'{quote_plus(name)}:{quote_plus(secret)}'.encode()).decode()}"


def _answer(body: bytes) -> _Answer:
    if json_fault(body):
        raise NotShown("ehr-unfit")
    try:
        return msgspec.json.decode(body, type=_Answer, strict=False)  # some write numbers as text
    except msgspec.DecodeError:
        raise NotShown("ehr-unfit") from None


def _grant(said: _Answer) -> Grant:
    if said.token_type.lower() != "bearer" or not VISIBLE.fullmatch(said.access_token):
        raise NotShown("ehr-unfit")
    if said.expires_in is not None and said.expires_in <= 0:
        raise NotShown("access-over")
    patient = _PATIENT.fullmatch(said.patient or "")
    if patient is None:
        raise NotShown("no-patient")
    return Grant(
        token=said.access_token,
        patient=patient[1],
        banner=said.need_patient_banner is not False,
        context=said.appContext or "",
    )
