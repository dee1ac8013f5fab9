"""What became of a launch in, the page about it out: all reasons, or what happened and what to do; and that it was looked at."""

from time import perf_counter

from flask import Response, g, render_template
from markupsafe import Markup

from cds_service import __version__
from cds_service.access import Issuer
from cds_service.journal.log import log
from cds_service.languages import Voice
from cds_service.reasons import chart
from cds_service.reasons.evaluated import Evaluated
from cds_service.reasons.rules import pictures, reasons
from cds_service.web.card_text import rendering
from cds_service.web.spoken import marked, on_a_page, plainly, voice_for
from cds_service.web.wiring import Wiring, wiring
from cds_service.why.look import Look
from cds_service.why.redeem import Grant
from cds_service.why.refused import SAID, Word
from cds_service.wire.links import service_named
from hooks.assess import Rule
from hooks.sentences import term
from hooks.wording import MONTH, WHOLE_MONTHS

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors {}"
)


def refused(word: Word) -> Response:
    """What happened and what to do, with the status that goes with it."""
    g.refusal = word
    voice = voice_for(g.caller.issuer if "caller" in g else None)
    response = _page(SAID[word].status, voice, said=SAID[word], look=None)
    if word == "full":
        response.headers["Retry-After"] = "5"
    return response


def shown(issuer: Issuer, grant: Grant, look: Look, voice: Voice) -> Response:
    """The chart and all reasons; the audit is told that somebody looked at them."""
    parts, made = wiring(), look.made
    now = parts.clock()
    response = _page(
        200,
        voice,
        said=None,
        look=look,
        patient=grant.patient,
        now=now,
        month=term(MONTH, WHOLE_MONTHS[now.month - 1]),
        came_from=parts.services.get(service_named(grant.context)),
        of_orders=_of_orders(parts, issuer),
        **(_told(made, voice) if made else {}),
    )
    _record(parts, issuer, grant, made)
    return response


def _page(status: int, voice: Voice, **fields: object) -> Response:
    parts = wiring()
    text = render_template("why.html", version=__version__, knowledge=parts.knowledge, **on_a_page(voice), **fields)
    response = Response(text, status, content_type="text/html; charset=utf-8")
    frames = " ".join(g.get("frames") or ("'none'",))
    response.headers["Content-Security-Policy"] = _POLICY.format(frames)
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return marked(response, voice)


def _told(made: Evaluated, voice: Voice) -> dict[str, object]:
    return {
        "cards": made.cards,
        "rendered": rendering([made], voice),
        "pictures": [(one, Markup(one.svg)) for one in pictures(made, plainly(voice))],  # noqa: S704  (plots escapes)
        "tables": chart.tables(made),
        "lines": chart.lines(made.record, made.client.knowledge),
        "reasons": reasons(made),
    }


def _of_orders(parts: Wiring, issuer: Issuer) -> list[Rule]:
    """The rules that speak of an order being made, which cannot be seen from here."""
    asked = {rule.id: rule for one in parts.services.values() for rule in one.rules if rule.of_order}
    hidden = parts.shadow(issuer) | parts.ledger.switches.now().shadow
    return [rule for rule in asked.values() if not hidden & {rule.id, "all"}]


def _record(parts: Wiring, issuer: Issuer, grant: Grant, made: Evaluated | None) -> None:
    """Who had whose chart read: of the patient a keyed hash. Which user it was the EHR knows."""
    fields = {"event": "why", "correlation": g.correlation, **g.trace, "issuer": issuer.iss, "status": 200}
    fields |= {"patient": parts.ledger.pseudonyms.of(issuer.iss, grant.patient)}
    fields |= {"complete": made.assessment.complete} if made else {}
    duration = round(1000 * (perf_counter() - g.began), 3)
    log.info("why-shown", issuer=issuer.iss, outcome="reasons" if made else "too-little", duration_ms=duration)
    parts.audit.record(fields | {"duration_ms": duration})
