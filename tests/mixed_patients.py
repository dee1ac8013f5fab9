"""Requests with mixed data in; how many the service refused and answered, and every one that it answered wrongly, out.

Where anything is another patient's nothing is answered; what does not say whose it is has no part in any card.
`python -m tests.mixed_patients --bundles 20000 --seed 1` says so in figures, and ends with 1 where it is not so.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from flask.testing import FlaskClient

from tests.fixture_files import EVALUATION, Clock, app_of, ask
from tests.mixtures import Mixed, mixed

Json = dict[str, Any]
_THEIRS = re.compile(r"\b(37|77|777|7,?773|777,?777)\b|theirs-")


@dataclass(slots=True)
class Tally:
    """What became of them."""

    refused: int = 0
    answered: int = 0
    cards: int = 0
    wrong: list[str] = field(default_factory=list)
    tried: Counter[str] = field(default_factory=Counter)


def run(bundles: int, seed: int) -> Tally:
    """Puts so many requests to the service, the same for the same seed."""
    chance, tally = Random(seed), Tally()  # noqa: S311  (no secret)
    client = FlaskClient(app_of(Clock()))
    for number in range(bundles):
        one = mixed(chance)
        tally.tried[one.how] += 1
        tally.wrong += [f"{number}: {one.how}: {fault}" for fault in _put(one, client, tally)]
    return tally


def _put(one: Mixed, client: FlaskClient, tally: Tally) -> Iterator[str]:
    answer = ask(client, one.request)
    body = answer.get_json(force=True)
    if one.expected == "refused":
        tally.refused += answer.status_code == 422
        if answer.status_code != 422 or "cards" in body:
            yield f"another patient's data is in it, and the status is {answer.status_code}"
        return
    tally.answered += answer.status_code == 200
    if answer.status_code != 200:
        yield f"nothing contradicts, and the status is {answer.status_code}"
        return
    tally.cards += len(body["cards"])
    alone = ask(client, one.without).get_json()
    if one.expected == "answered alike" and _told(body) != _told(alone):
        yield "his own data in another form gets another answer"
    if one.expected == "no part in it":
        yield from _parts(body, alone)


def _parts(body: Json, alone: Json) -> Iterator[str]:
    """What cards say that they would not say without it. That something is not assessed is no part of it."""
    if _THEIRS.search(json.dumps(body["cards"])) and not _THEIRS.search(json.dumps(alone["cards"])):
        yield "a number of theirs is on a card"
    before = _findings(alone)
    for rule, told in _findings(body).items():
        if told["outcome"] == "recommended" and before[rule]["outcome"] not in ("recommended", "held"):
            yield f"{rule} speaks, and without it is {before[rule]['outcome']}"
        if told["outcome"] == "silent" and before[rule]["outcome"] not in ("silent", "not-assessed"):
            yield f"{rule} is silent, and without it {before[rule]['outcome']}"
        if told.get("indicator") and told.get("indicator") != before[rule].get("indicator"):
            yield f"{rule} is {told['indicator']}, and without it {before[rule].get('indicator')}"


def _findings(body: Json) -> dict[str, Json]:
    return {one["rule"]: one for one in body["extension"][EVALUATION]["findings"]}


def _told(body: Json) -> Any:
    """Cards and findings, less the resources that are handed back in the client's own form."""
    cards = [{name: one for name, one in card.items() if name != "suggestions"} for card in body["cards"]]
    return cards, body["extension"]


def main() -> int:
    """The command."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--bundles", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    tally = run(chosen.bundles, chosen.seed)
    for wrong in tally.wrong:
        sys.stdout.write(f"{wrong}\n")
    sys.stdout.write(
        f"{chosen.bundles} bundles (seed {chosen.seed}, {len(tally.tried)} ways of mixing): {tally.refused} refused, "
        f"{tally.answered} answered with {tally.cards} cards; {len(tally.wrong)} wrong-patient cards or answers\n"
    )
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
