"""A run in; the sentences and the few figures that both the terminal and the JSON document tell go out."""

from cds_service.simulate.asked import Asked
from cds_service.simulate.outcome import Outcome, Told
from cds_service.simulate.run import Run


def what_is_sent(asked: Asked) -> str:
    """Whose data leave, first of all."""
    given, where = asked.given, "on this machine" if asked.here else "on another machine"
    if given.requests:
        dates = "as they are" if given.as_is else "with their dates moved to today"
        return f"Captured requests, {dates}, to a service {where}. Tokens and FHIR servers in them are left out."
    return f"Invented patients only, to a service {where}."


def warnings(asked: Asked) -> list[str]:
    """What a reader must know who would else take a result for another."""
    said = []
    if asked.given.fhir != "none" and not asked.here and asked.given.fhir_url is None:
        said.append("The FHIR server is on this machine: a service elsewhere cannot reach it (--fhir-url).")
    if asked.given.feedback != "none":
        said.append(
            "Feedback is sent: it counts as a clinician's. Advice that is overridden may be silent for a while."
        )
    return said


def milliseconds(ms: float | None) -> str:
    return "-" if ms is None else f"{ms:,.0f} ms"


def figures(run: Run) -> list[tuple[str, str]]:
    """The table at the end."""
    found = run.figures
    calls = f"{found.calls}" if found.calls == run.planned else f"{found.calls} of {run.planned}"
    return [
        ("calls", calls),
        ("answered", str(found.answered)),
        ("refused", str(found.refused)),
        ("failed", str(found.failed)),
        ("slowest", milliseconds(max(found.ms, default=None))),
        ("p50 · p95", f"{milliseconds(found.within(0.5))} · {milliseconds(found.within(0.95))}"),
        ("faults", str(run.faults)),
    ]


def verdict(run: Run) -> str:
    """The last line."""
    if run.interrupted:
        return "Interrupted: not every call was made."
    if not run.figures.calls:
        return "No call was made."
    return "Every call was answered as CDS Hooks asks." if run.right else "Not all is as CDS Hooks asks."


def told_in_words(told: Told) -> str:
    parts = [
        f"{count} {word}" for count, word in ((told.accepted, "accepted"), (told.overridden, "overridden")) if count
    ]
    first, second = (status or "no answer" for status in told.statuses)
    return f"{', '.join(parts)}: {first}, the same again: {second}"


def asked_in_words(outcome: Outcome) -> str | None:
    """What was asked of the FHIR server with the lent token; None where none was lent."""
    if outcome.asked is None:
        return None
    if not outcome.asked:
        return "not asked"
    kinds = {one: outcome.asked.count(one) for one in sorted(set(outcome.asked))}
    listed = ", ".join(f"{one} {times}" if times > 1 else one for one, times in kinds.items())
    return f"asked {'once' if len(outcome.asked) == 1 else f'{len(outcome.asked)} times'} with the token that was lent: {listed}"
