"""A chart chosen or pasted in, a page out: what the service makes of it and what would change that. Nothing is kept or counted."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import BoundedSemaphore

import msgspec
from flask import Blueprint, Response, render_template, request
from markupsafe import Markup

from cds_service import __version__
from cds_service.errors import TooLarge, Unavailable
from cds_service.languages import ENGLISH, Voice
from cds_service.reasons import chart
from cds_service.reasons.evaluated import Client, Evaluated
from cds_service.reasons.rules import pictures, reasons
from cds_service.web.bench_form import offered
from cds_service.web.bodies import read_form
from cds_service.web.card_text import rendering
from cds_service.web.clients import client_of
from cds_service.web.report import POLICY
from cds_service.web.spoken import marked, on_a_page, plainly, voice_for
from cds_service.web.wiring import Wiring, wiring
from cds_service.workbench.choices import choices
from cds_service.workbench.evaluate import Bench
from cds_service.workbench.heading import as_sent, short, whole
from cds_service.workbench.page import Page, Room, page, refused
from cds_service.workbench.typed import BOUND, TAKES_AWAY, TYPED
from cds_service.workbench.what_if import FIELDS, RARER, ROWS
from hooks.sentences import NOTHING, figure, say

_AS_A_FORM = 3  # so many bytes a character of the text may take
_MOST_SHOWN = 1 << 20  # characters of a request in the page
_turn = BoundedSemaphore(1)  # one evaluation at a time: other calls have the first claim on the machine
_PATIENCE = 2.0  # seconds for one's turn

blueprint = Blueprint("workbench", __name__)


@blueprint.get("/workbench")
def begin() -> Response:
    """The first of the demo patients."""
    parts = _entered()
    with _one_at_a_time():
        return _page(parts, {})


@blueprint.post("/workbench")
def try_out() -> Response:
    """What was chosen or pasted, and what might be otherwise."""
    parts = _entered()
    try:
        form = read_form(request, _AS_A_FORM * parts.settings.max_body_bytes)
    except TooLarge as refusal:
        return _shown(parts, {}, refused(refusal), voice_for(None))
    with _one_at_a_time():
        return _page(parts, form)


def _entered() -> Wiring:
    parts = wiring()
    parts.door.enter(request.remote_addr, request.authorization)
    return parts


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    if not _turn.acquire(timeout=_PATIENCE):
        raise Unavailable("Another chart is being evaluated. Try again.", {"Retry-After": "2"})
    try:
        yield
    finally:
        _turn.release()


def _page(parts: Wiring, form: Mapping[str, str]) -> Response:
    voice = voice_for(None)
    return _shown(parts, form, page(form, room_of(parts, voice)), voice)


def room_of(parts: Wiring, voice: Voice = ENGLISH) -> Room:
    """What the page needs of the running service, in which language."""
    now = parts.clock()
    bench = Bench(
        services=parts.services,
        profiles=parts.profiles,
        fhir=parts.fhir,
        iu_per_copy=parts.settings.iu_per_copy,
        voice=voice,
    )
    return Room(
        bench=bench,
        clock=now,
        demo=parts.moments(now.date()),
        clients=_clients(parts),
        choices=choices(parts.knowledge, parts.profiles),
        most_bytes=parts.settings.max_body_bytes,
        tell=plainly(voice),
    )


def _clients(parts: Wiring) -> dict[str, Client]:
    """Those of the trust file, and first of all none in particular."""
    own = Client(knowledge=parts.knowledge, templates=parts.templates, profile=parts.profile.name)
    return {"": own} | {iss: client_of(parts, issuer) for iss, issuer in parts.callers.issuers.items()}


def _shown(parts: Wiring, form: Mapping[str, str], found: Page, voice: Voice) -> Response:
    offers = choices(parts.knowledge, parts.profiles)
    text = render_template(
        "workbench.html",
        version=__version__,
        knowledge=parts.knowledge,
        page=found,
        demo=parts.moments(parts.clock().date()),
        said={name: form.get(name, "") for name in ("patient", "pasted", "client", *FIELDS)},
        profiles=parts.profiles,
        clients=sorted(parts.callers.issuers),
        offered=offered(offers, found.original, plainly(voice)),
        rows=ROWS,
        rarer=any(form.get(name) for name in RARER),
        no_choice=plainly(voice)(TAKES_AWAY),
        typed=TYPED,
        typed_none=TAKES_AWAY,
        bound=BOUND,
        **on_a_page(voice),
        **(_made(found.now, found, parts, voice) if found.now else {}),
    )
    response = Response(text, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    return marked(response, voice)


def _made(one: Evaluated, found: Page, parts: Wiring, voice: Voice) -> dict[str, object]:
    """What the page says of an answer."""
    return {
        "about": whole(one),
        "as_sent": as_sent(one.client),
        "day_before": short(found.before) if found.before else NOTHING,
        "day_now": short(one),
        "rendered": rendering([one, *filter(None, [found.before])], voice),
        "pictures": [(each, Markup(each.svg)) for each in pictures(one, plainly(voice))],  # noqa: S704  (plots escapes)
        "tables": chart.tables(one),
        "lines": chart.lines(one.record, parts.knowledge),
        "reasons": reasons(one),
        "sent": _pretty(one.body),
        "answered": _pretty(msgspec.json.encode(one.answer)),
    }


def _pretty(body: bytes) -> str:
    """As it goes over the wire; or a sentence that there is too much of it."""
    if len(body) > _MOST_SHOWN:
        return say("{number} bytes: too long to be shown.", number=figure(f"{len(body):,}"))
    return msgspec.json.format(body, indent=2).decode("utf-8", "replace")
