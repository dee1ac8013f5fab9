"""A document and a random source in, the document with some places put differently out: what JSON allows and FHIR does not."""

import copy
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from random import Random
from typing import Any

from tests.fuzz.words import NAMES, TEXTS, fitting, nested, odd

Place = tuple[Any, Any]  # an object or array, and the name or number of a member
_MOST_PLACES = 4000


def put_differently(rng: Random, document: dict[str, Any], changes: int | None = None) -> dict[str, Any]:
    """A few changes to the document itself, each somewhere."""
    places = list(_places(document))
    for _ in range((changes or rng.choice((1, 1, 1, 2, 3, 6, 20))) if places else 0):
        container, name = _chosen(rng, places)
        with suppress(KeyError, IndexError):  # an earlier change took it away
            rng.choices(_CHANGES, _WEIGHTS)[0](rng, container, name)
    return document


def _places(value: Any, found: int = 0) -> Iterator[Place]:
    """Every member of every object and array, those further up first."""
    waiting = deque([value])
    while waiting and found < _MOST_PLACES:
        one = waiting.popleft()
        for name in list(one) if isinstance(one, dict) else range(min(len(one), 50)):
            found += 1
            yield one, name
            if isinstance(one[name], dict | list):
                waiting.append(one[name])


def _chosen(rng: Random, places: list[Place]) -> Place:
    """Mostly anywhere, sometimes near the top: a big chart has few members there and they matter most."""
    return places[rng.randrange(min(len(places), 25))] if rng.random() < 0.3 else rng.choice(places)


def _drop(_: Random, container: Any, name: Any) -> None:
    del container[name]


def _fit(rng: Random, container: Any, name: Any) -> None:
    container[name] = fitting(rng, str(name), container[name])


def _odd(rng: Random, container: Any, name: Any) -> None:
    container[name] = odd(rng)


def _retype(rng: Random, container: Any, name: Any) -> None:
    value = container[name]
    container[name] = rng.choice((str(value)[:500], [value], {"value": value}, {"coding": [value]}, bool(value)))


def _repeat(rng: Random, container: Any, name: Any) -> None:
    value = container[name]
    if isinstance(value, list) and value:
        container[name] = (value * rng.choice((2, 10, 400)))[:2000]
    else:
        container[name] = [value] * rng.choice((2, 50))


def _empty(_: Random, container: Any, name: Any) -> None:
    container[name] = type(container[name])() if container[name] is not None else None


def _swap(rng: Random, container: Any, name: Any) -> None:
    other = rng.choice(list(container) if isinstance(container, dict) else range(len(container)))
    container[name], container[other] = container[other], container[name]


def _rename(rng: Random, container: Any, name: Any) -> None:
    if isinstance(container, dict):
        container[rng.choice((*NAMES, str(name).upper(), f"{name} ", f"_{name}"))] = container.pop(name)


def _add(rng: Random, container: Any, name: Any) -> None:
    value = copy.deepcopy(container[name]) if rng.random() < 0.5 else odd(rng)
    if isinstance(container, dict):
        container[rng.choice((*NAMES, rng.choice(TEXTS)))] = value
    else:
        container.insert(rng.randrange(len(container) + 1), value)


def _deepen(rng: Random, container: Any, name: Any) -> None:
    container[name] = nested(rng, rng.choice((3, 60, 180)))


def _lead_on(rng: Random, container: Any, name: Any) -> None:
    """A Bundle that goes on elsewhere."""
    if isinstance(container[name], dict):
        url = rng.choice(("http://127.0.0.1:9/x", "https://evil.example/", "//evil.example", "?page=2", "::", *TEXTS))
        container[name]["link"] = [{"relation": "next", "url": url}]


def _borrow(rng: Random, container: Any, name: Any) -> None:
    """What stands in one place of the same object stands in another as well."""
    other = rng.choice(list(container) if isinstance(container, dict) else range(len(container)))
    container[name] = copy.deepcopy(container[other])


_CHANGES: tuple[Callable[[Random, Any, Any], None], ...] = (
    _drop,
    _fit,
    _odd,
    _retype,
    _repeat,
    _empty,
    _swap,
    _rename,
    _add,
    _deepen,
    _lead_on,
    _borrow,
)
_WEIGHTS = (12, 35, 8, 8, 6, 4, 5, 6, 8, 2, 4, 4)
