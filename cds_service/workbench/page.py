"""The fields of the form in; out comes what the page shows: the answer and the one before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time

from cds_service.errors import Malformed, Refusal, TooLarge
from cds_service.reasons.evaluated import Client, Evaluated
from cds_service.workbench.applied import not_applied
from cds_service.workbench.changed import changed
from cds_service.workbench.changes import changes_of
from cds_service.workbench.choices import Choices
from cds_service.workbench.compare import Card, Change, cards, changes
from cds_service.workbench.evaluate import Bench, evaluate
from cds_service.workbench.pasted import Pasted, Played, encoded, own_day, pasted, played
from cds_service.workbench.typed import Tell
from cds_service.workbench.what_if import WhatIf, read_what_if
from hooks.sentences import NOTHING, Sentence, say, verbatim

_DAY_ENDS = time(23, 59, 59, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`now` is the answer that the page is about; `before` None: nothing was asked to be otherwise. Or a fault, and neither."""

    fault: str = ""  # a sentence, or what the wire says in English
    refused: Sentence = NOTHING  # how the service would answer a call with what was pasted
    now: Evaluated | None = None
    before: Evaluated | None = None
    not_applied: tuple[Sentence, ...] = ()  # of what was asked to be otherwise

    @property
    def original(self) -> Evaluated | None:
        """The request as it was chosen or pasted."""
        return self.before or self.now

    @property
    def cards(self) -> tuple[Card, ...]:
        """Of the answer, each with what became of it."""
        return cards(self.now, self.before, "new") if self.now else ()

    @property
    def cards_before(self) -> tuple[Card, ...]:
        """Of the answer before."""
        return cards(self.before, self.now, "gone") if self.before else ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """The rules that now say something else."""
        return changes(self.before, self.now) if self.before and self.now else ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What the page needs of the running service: the bench, the moment, the demo patients, the clients, what can be chosen."""

    bench: Bench
    clock: datetime
    demo: Sequence[Played]
    clients: Mapping[str, Client]  # by iss; "" is no client in particular
    choices: Choices
    most_bytes: int
    tell: Tell = str  # in the language of the page


def page(form: Mapping[str, str], room: Room) -> Page:
    """Whatever was sent: what makes no sense, or would be refused, is said in a sentence."""
    try:
        return _page(_asked(form, room), form, room)
    except _NotAsked as fault:
        return Page(fault=fault.sentence)
    except Refusal as refusal:
        return refused(refusal)


def refused(refusal: Refusal) -> Page:
    """Why there is no answer, and how a call would be answered."""
    return Page(fault=refusal.sentence, refused=verbatim(f"{refusal.status} {refusal.code}"))


class _NotAsked(Exception):
    """A field of the form makes no sense: no request was made of it."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def _asked(form: Mapping[str, str], room: Room) -> Pasted:
    text, chosen = form.get("pasted", "").strip(), form.get("patient", "")
    if len(text.encode("utf-8", "replace")) > room.most_bytes:
        raise TooLarge(say("What was pasted is larger than {number} bytes.", number=room.most_bytes))
    if text:
        return pasted(text)
    found = next((one for one in room.demo if one.key == chosen or not chosen), None)
    if found is None:
        raise _NotAsked(say("There is no such demo patient."))
    return played(found)


def _page(asked: Pasted, form: Mapping[str, str], room: Room) -> Page:
    client = room.clients.get(form.get("client", ""))
    if client is None:
        raise _NotAsked(say("There is no such client in the trust file."))
    what_if = _what_if(form, client, room)
    moment = _ends(own_day(asked.request), room.clock)
    hook = asked.request["hook"]
    before = evaluate(asked.body, hook, moment, client, room.bench)
    if what_if == WhatIf():
        return Page(now=before)
    moment, body = _ends(what_if.on, moment), asked.body
    by = replace(client, profile=what_if.profile or client.profile)
    if not what_if.changes_chart:
        return Page(now=evaluate(body, hook, moment, by, room.bench), before=before)
    on_the_day = replace(before.record, as_of=what_if.on or before.record.as_of)
    done = changes_of(what_if, on_the_day, room.clients[""].knowledge)
    otherwise = changed(asked.request, done)
    now = evaluate(encoded(otherwise), otherwise["hook"], moment, by, room.bench)
    return Page(now=now, before=before, not_applied=not_applied(done, before.record, now.record))


def _what_if(form: Mapping[str, str], client: Client, room: Room) -> WhatIf:
    try:
        found = read_what_if(form, room.choices, room.tell)
    except Malformed as fault:
        raise _NotAsked(fault.sentence) from None
    return replace(found, profile="") if found.profile == client.profile else found


def _ends(day: date | None, otherwise: datetime) -> datetime:
    """The last second of a day."""
    return datetime.combine(day, _DAY_ENDS) if day else otherwise
