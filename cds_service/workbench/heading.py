"""An evaluation in; out come the sentences at its head: which service, of what day, by which guideline, as who sends it."""

from cds_service.reasons.evaluated import Client, Evaluated
from hooks.sentences import NOTHING, Sentence, join, say, say_n, verbatim


def whole(one: Evaluated) -> Sentence:
    """With the service that answers."""
    return say(
        "{service} ({id}), {day}, guideline {guideline}.",
        service=verbatim(one.service.title),
        id=verbatim(one.service.id),
        day=verbatim(one.record.as_of),
        guideline=verbatim(one.assessment.profile.name),
    )


def short(one: Evaluated) -> Sentence:
    """Beside another."""
    guideline = verbatim(one.assessment.profile.name)
    return say("{day}, guideline {guideline}", day=verbatim(one.record.as_of), guideline=guideline)


def as_sent(client: Client) -> Sentence:
    """What is known of a client of the trust file; nothing of none in particular."""
    if not client.iss:
        return NOTHING
    number, iss = len(client.knowledge.local), verbatim(client.iss)
    if not client.not_supplied:
        return say_n(
            "As {client} sends it: {count} code of its own is read.",
            "As {client} sends it: {count} codes of its own are read.",
            number,
            client=iss,
        )
    return say_n(
        "As {client} sends it: {count} code of its own is read; it cannot send {lacking}.",
        "As {client} sends it: {count} codes of its own are read; it cannot send {lacking}.",
        number,
        client=iss,
        lacking=join(", ", [verbatim(one) for one in sorted(client.not_supplied)]),
    )
