"""What was given on the command line in; a run that may be made goes out, or the sentence that says why not."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from ssl import SSLContext

from cds_service.access import is_loopback
from cds_service.demo.store import open_charts
from cds_service.outbound.connection import trusting
from cds_service.outbound.url_guard import AllowedServer, Guard, address_of
from cds_service.simulate.captured import Captured, NotARequest, read_captured
from cds_service.simulate.feedback import Mode as FeedbackMode
from cds_service.simulate.fhir_server import Behaviour
from cds_service.simulate.keys import KeyFault, read_key
from cds_service.simulate.prefetch import Mode as PrefetchMode
from cds_service.simulate.tokens import Signer, Wrong

MOST_CALLS = 100_000
_END = "/cds-services"


class NotAsked(Exception):
    """The command cannot be run as it was given; says what to change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The options as they were given."""

    url: str
    hooks: tuple[str, ...] = ()
    patients: tuple[str, ...] = ()
    requests: tuple[Path, ...] = ()
    as_is: bool = False
    may_leave: bool = False
    times: int = 1
    at_once: int = 1
    seconds: float = 10.0
    authorities: Path | None = None
    origin: str | None = None
    key: Path | None = None
    iss: str | None = None
    kid: str | None = None
    algorithm: str | None = None
    jku: str | None = None
    audience: str | None = None
    public_url: str | None = None
    tenant: str | None = None
    wrong: tuple[Wrong, ...] = ()
    prefetch: PrefetchMode = "full"
    fhir: Behaviour = "none"
    fhir_port: int = 0
    fhir_url: str | None = None
    feedback: FeedbackMode = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A run that may be made."""

    given: Given
    base: str
    here: bool  # the service is on this machine
    guard: Guard
    context: SSLContext
    captured: tuple[Captured, ...]
    signer: Signer | None


def read(given: Given, today: date) -> Asked:
    """Raises NotAsked."""
    base = given.url.rstrip("/").removesuffix(_END).rstrip("/")
    address = address_of(base)
    if address is None or "?" in base:
        raise NotAsked("the address of a service is expected: https, or http to this machine, without user or query")
    here = is_loopback(address.host)
    _check_patients(given, today)
    _check_requests(given, here=here)
    guard = Guard(loopback_only=True) if here else Guard((AllowedServer.of(base, private=True),))
    try:
        captured = tuple(read_captured(one, today, as_is=given.as_is) for one in given.requests)
        signer = _signer(given, base)
    except (NotARequest, KeyFault) as fault:
        raise NotAsked(str(fault).rstrip(".")) from None
    return Asked(
        given=given, base=base, here=here, guard=guard, context=_context(given), captured=captured, signer=signer
    )


def _context(given: Given) -> SSLContext:
    try:
        return trusting(str(given.authorities) if given.authorities else None)
    except OSError:
        raise NotAsked("--ca: the file holds no certificate authorities that can be read") from None


def _check_patients(given: Given, today: date) -> None:
    known = [one.patient_id for one in open_charts(today).stories] if given.patients else []
    unknown = [one for one in given.patients if one not in known]
    if unknown:
        raise NotAsked(f"--patient: no demo patient {unknown[0]!r}; known are {', '.join(known)}")


def _check_requests(given: Given, *, here: bool) -> None:
    if not given.requests:
        if given.as_is:
            raise NotAsked("--as-is is about captured requests: --request is expected with it")
        return
    if given.patients:
        raise NotAsked("--request and --patient exclude each other: a captured request has a patient of its own")
    if given.fhir != "none":
        raise NotAsked(
            "--request and --fhir exclude each other: the FHIR server has the charts of the demo patients only"
        )
    if not here and not given.may_leave:
        raise NotAsked(
            "captured requests may be about real people, and this service is not on this machine: nothing was sent. If they are "
            "invented, or this service may have them, say so with --may-leave"
        )


def _signer(given: Given, base: str) -> Signer | None:
    alone = {"--iss": given.iss, "--kid": given.kid, "--jku": given.jku, "--audience": given.audience}
    alone |= {"--algorithm": given.algorithm, "--public-url": given.public_url, "--tenant": given.tenant}
    if given.key is None:
        unused = [name for name, value in alone.items() if value] + (["--token-fault"] if given.wrong else [])
        if unused:
            raise NotAsked(f"{unused[0]}: a token needs a key, --key FILE; --make-key FILE makes one")
        return None
    if not given.iss:
        raise NotAsked("--iss: with --key the iss is expected that the service trusts, to the character")
    return Signer(
        key=read_key(given.key, given.kid, given.algorithm),
        iss=given.iss,
        base=base,
        public_base=given.public_url.rstrip("/").removesuffix(_END) if given.public_url else None,
        audience=given.audience,
        jku=given.jku,
        tenant=given.tenant,
    )
