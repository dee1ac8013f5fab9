"""A card with what it says in, the same card out with a face that tells nobody what it is about: its detail then says all."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from cds_service.languages import Voice
from cds_service.wire.lines import Card, Detail, bullets, fits, stop
from cds_service.wire.not_assessed import lacking
from hooks.advice import Suggestion
from hooks.assess import Finding
from hooks.discreet import PLAIN_DATA, label
from hooks.knowledge import Knowledge
from hooks.sentences import Sentence, capital, join, say, small, verbatim
from hooks.wording import name

SERVICE = say("Clinical decision support service")


def covered(
    card: Card, group: Sequence[Finding], suggestions: Sequence[Suggestion], knowledge: Knowledge, voice: Voice
) -> Card:
    """The card of these findings: its summary moves into the detail, and so do the names of what is offered and of its source."""
    said = [(one.rule.discreet, one.recommendation) for one in group if one.recommendation]
    lead = said[0][1].cites[0].source
    plain = [one["label"] for one in card.get("suggestions", ())]
    labels = [*_apart([label(one, knowledge) or own for one, own in zip(suggestions, plain, strict=True)])]
    told = [
        say("{shown}: {own}", shown=shown, own=own) for shown, own in zip(labels, plain, strict=True) if shown != own
    ]
    where = say("The first of the sources: {address}", address=verbatim(lead.url))
    covered = card | {
        "summary": _joined((words.face(advice) for words, advice in said), voice),
        "detail": _telling(card["detail"], stop(card["summary"]), told, where),
        "source": {
            "label": say("Clinical source, named in the detail, {year}", year=lead.date.year),
            "topic": card["source"]["topic"] | {"display": said[0][0].heading},
        },
    }
    if plain:
        covered["suggestions"] = [
            _suggestion(one, shown, own) for one, shown, own in zip(card["suggestions"], labels, plain, strict=True)
        ]
    return covered


def _telling(detail: Detail, summary: Sentence, told: Sequence[Sentence], where: Sentence) -> Detail:
    """The summary first, what the labels stand for as a list of its own, the address last."""
    paragraphs, listed = (summary, *detail.paragraphs), detail.listed
    if told:
        paragraphs, listed = (*paragraphs, bullets(listed), say("What is offered:")), (*told,)
    return Detail(paragraphs=paragraphs, listed=listed, sources=detail.sources, last=(where,))


def covered_gap(card: Card, hidden: Sequence[Finding]) -> Card:
    """The card that says what could not be assessed: by the rules' discreet titles, and by data that tell of nothing."""
    named = [one for one in hidden if one.rule.id != "scope"] or [*hidden]
    titles = [*dict.fromkeys(one.rule.discreet.heading for one in named)]
    advice = small(titles[0])
    if len(titles) > 1:
        advice = say("{advice} and {count} more", advice=advice, count=len(titles) - 1)
    data = [*dict.fromkeys(gap.datum for one in hidden for gap in one.gaps if not gap.foreseen)]
    datum = capital(name(data[0])) if data[0] in PLAIN_DATA else say("A laboratory result")
    reason = say("{datum} is missing or cannot be used", datum=datum)
    return card | {"summary": lacking(advice, reason, len(data)), "source": card["source"] | {"label": SERVICE}}


def _joined(faces: Iterable[Sentence], voice: Voice) -> Sentence:
    """Each once, as far as the line reaches."""
    first, *others = dict.fromkeys(faces)
    for one in others:
        longer = join("; ", (first, small(one)))
        first = longer if fits(longer, voice) else first
    return first


def _apart(labels: Sequence[Sentence]) -> Iterator[Sentence]:
    """The same labels, numbered where two would read alike."""
    alike, before = Counter(labels), Counter[Sentence]()
    for one in labels:
        before[one] += 1
        yield _numbered(one, before[one], alike[one]) if alike[one] > 1 else one


def _numbered(label: Sentence, place: int, count: int) -> Sentence:
    """The number goes with what is ordered, not with the verb: a client that cannot place the order names it without."""
    drug = label.parts.get("drug")
    numbered = say("{label} ({place} of {count})", label=label if drug is None else drug, place=place, count=count)
    return numbered if drug is None else say("Order {drug}", drug=numbered)


def _suggestion(one: Card, shown: Sentence, own: Sentence) -> Card:
    """Its label, and the descriptions of its actions, which some clients show in its place. The order itself names the drug."""
    if shown == own:
        return one
    several = len(one["actions"])
    parts = [
        say("{label}, part {part} of {count}", label=shown, part=part, count=several) for part in range(1, several + 1)
    ]
    described = [shown] if several == 1 else parts
    actions = [action | {"description": text} for action, text in zip(one["actions"], described, strict=True)]
    return one | {"label": shown, "actions": actions}
