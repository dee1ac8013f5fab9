"""The service under test in; out go remarks on what no call shows: services not listed, browsers, whether it wants a token."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

from cds_service.simulate.moments import Moment
from cds_service.simulate.peer import Answer, Peer
from cds_service.simulate.remarks import Remark, fault, note, shown
from cds_service.simulate.tokens import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One question besides the calls: what was found, in words, and what there is to say of it."""

    about: str
    found: str
    remarks: tuple[Remark, ...] = ()


def probe(peer: Peer, signer: Signer | None, moment: Moment, origin: str | None) -> Iterator[Probe]:
    """`origin`: a browser page that is meant to be let in; None: any will do, and none is asked for."""
    yield _unknown(peer, signer, moment)
    yield _token(peer, moment)
    yield _browsers(peer, moment, origin)


def _unknown(peer: Peer, signer: Signer | None, moment: Moment) -> Probe:
    url = peer.at(f"/no-such-service-{uuid4().hex[:8]}")
    answer = peer.send("POST", url, _request(moment), signer.authorization(url) if signer else {})
    right = answer.status == 404 or (answer.status == 401 and signer is None)
    remarks = () if right else (fault(f"a service that is not listed must be answered with 404 ({_status(answer)})"),)
    return Probe(about="a service that is not listed", found=_status(answer), remarks=remarks)


def _token(peer: Peer, moment: Moment) -> Probe:
    """An empty request is enough: who is not believed must not be told what is wrong with it."""
    answer = peer.send("POST", peer.at(moment.service.path), _request(moment))
    if answer.status in (401, 403):
        return Probe(about="a call without a token", found=f"refused ({answer.status}): a token is required")
    remarks: tuple[Remark, ...] = (note("it answers calls without a token: right for a test of this machine only"),)
    if answer.status is None or answer.status >= 500:
        remarks = (fault(f"a call without data or token brought {_status(answer)}"),)
    return Probe(about="a call without a token", found=f"no token is required ({_status(answer)})", remarks=remarks)


def _browsers(peer: Peer, moment: Moment, origin: str | None) -> Probe:
    """The preflight that a browser sends before a page may call; it never has a token."""
    page = origin or "http://localhost:8080"
    asked = {
        "Origin": page,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    answer = peer.send("OPTIONS", peer.at(moment.service.path), headers=asked)
    allowed = answer.headers.get("access-control-allow-origin")
    headers = answer.headers.get("access-control-allow-headers", "").lower()
    may = answer.status in (200, 204) and allowed in (page, "*") and ("authorization" in headers or headers == "*")
    remarks: list[Remark] = []
    if origin and not may:
        remarks.append(fault("a page of the origin given may not call (CORS)"))
    if allowed == "*":
        remarks.append(note("any page of the Web may call (CORS)"))
    found = f"pages of {shown(page)} {'may' if may else 'may not'} call ({_status(answer)})"
    return Probe(about="browsers (CORS)", found=found, remarks=tuple(remarks))


def _request(moment: Moment) -> dict[str, object]:
    """The request without any data."""
    return {**moment.request, "hookInstance": str(uuid4())}


def _status(answer: Answer) -> str:
    return str(answer.status) if answer.status is not None else answer.fault
