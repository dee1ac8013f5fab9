"""A look at the report in; a page in the reader's language, a table or JSON out: what became of the advice, for the site's team."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from threading import BoundedSemaphore
from time import perf_counter
from urllib.parse import urlencode

import msgspec
from flask import Blueprint, Response, g, render_template, request

from cds_service import __version__
from cds_service.errors import Malformed, Unavailable
from cds_service.journal.log import log
from cds_service.ledger import LedgerDown
from cds_service.report import charts, words
from cds_service.report.asked import BY, Asked, NotClear, fitting, read
from cds_service.report.counts import REASONS
from cds_service.report.document import document
from cds_service.report.make import Report, RuleReport, make
from cds_service.report.table import table
from cds_service.web.spoken import marked, on_a_page, plainly, voice_for
from cds_service.web.wiring import Wiring, wiring

FORMATS = ("html", "csv", "json")
SECONDS = 14.0  # the longest it may take; proxies wait for fifteen
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_ASKED = ("from", "to", "by", "issuer", "service", "rule")
_turn = BoundedSemaphore(1)  # one report at a time: it reads much, and other calls have the first claim on the machine
_PATIENCE = 1.0  # seconds for one's turn

blueprint = Blueprint("report", __name__)


@blueprint.get("/report")
def report() -> Response:
    """As HTML, CSV or JSON."""
    parts, began = wiring(), perf_counter()
    parts.door.enter(request.remote_addr, request.authorization)
    form = request.args.get("format", "html")
    if form not in FORMATS:
        raise Malformed(f"format: one of {', '.join(FORMATS)} is expected.")
    asked = _asked(parts, form)
    with _one_at_a_time():
        found = make(parts.ledger.database, asked, parts.clock(), SECONDS)
    response = {"html": _page, "csv": _csv, "json": _json}[form](found)
    _record(parts, form, began)
    return response


def _asked(parts: Wiring, form: str) -> Asked:
    """The page always divides the days, for a chart; a table only where that was asked for."""
    try:
        asked = read({name: request.args.get(name, "") for name in _ASKED}, parts.clock().date())
    except NotClear as fault:
        raise Malformed(str(fault)) from None
    return replace(asked, by=fitting(asked.days)) if form == "html" and asked.by is None else asked


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    if not _turn.acquire(timeout=_PATIENCE):
        raise Unavailable("Another report is being made. Try again.", {"Retry-After": "2"})
    try:
        yield
    except LedgerDown as fault:
        log.warning("report-unread", fault=str(fault))
        sentence = "The report could not be read in time. Ask for fewer days, or use the command cds-service report."
        raise Unavailable(sentence, {"Retry-After": "5"}) from None
    finally:
        _turn.release()


def _record(parts: Wiring, form: str, began: float) -> None:
    """That it was read. By whom nobody knows: all who may have one password."""
    duration = round(1000 * (perf_counter() - began), 3)
    log.info("report-read", outcome=form, duration_ms=duration)
    fields = {"event": "report", "correlation": g.correlation, **g.trace, "status": 200, "outcome": form}
    parts.audit.record(fields | {"duration_ms": duration})


def _csv(found: Report) -> Response:
    return _file(table(found), "text/csv; charset=utf-8", found, "csv")


def _json(found: Report) -> Response:
    return _file(msgspec.json.encode(document(found)), "application/json", found, "json")


def _file(content: str | bytes, kind: str, found: Report, ending: str) -> Response:
    days = found.asked.days
    response = Response(content, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="advice-{days.first}-{days.last}.{ending}"'
    return response


def _page(found: Report) -> Response:
    parts, voice = wiring(), voice_for(None)
    titles = {rule.id: rule.title for service in parts.services.values() for rule in service.rules}
    shown = [one for one in found.rules if one.counts.shown or one.counts.shadowed]
    page = render_template(
        "report.html",
        **on_a_page(voice),
        plain=plainly(voice),
        count=lambda times: voice.tell(words.number(times)),
        version=__version__,
        knowledge=parts.knowledge.version,
        report=found,
        whole=found.counts,
        shown=sorted(shown, key=_most_first),
        titles=titles,
        choices=_choices(parts, titles, found.asked),
        spans=BY,
        query=_query(found.asked),
        charts=charts,
        words=words,
        reasons=REASONS,
    )
    response = Response(page, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    return marked(response, voice)


def _most_first(one: RuleReport) -> tuple[int, str]:
    return -one.counts.shown, one.rule


def _choices(parts: Wiring, titles: Mapping[str, str], asked: Asked) -> dict[str, list[str]]:
    """What can be chosen in the form; what was asked for is among it, though nobody here knows it."""
    known = {"rule": sorted(titles), "issuer": sorted(parts.callers.issuers), "service": list(parts.services)}
    given = asked.filters()
    return {what: [*names, *({given[what]} - {*names} if what in given else ())] for what, names in known.items()}


def _query(asked: Asked) -> str:
    """The same report again, but for how its days are divided."""
    days = {"from": str(asked.days.first), "to": str(asked.days.last)}
    return urlencode(days | asked.filters())
