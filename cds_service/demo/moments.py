"""A day and the prefetch templates in; out come the demo patients' moments as the requests that an EHR would send then."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl
from uuid import NAMESPACE_URL, uuid5

from cds_service.demo.ehr import context_of, filled
from cds_service.demo.search import found, understand
from cds_service.demo.store import Charts, Resource, Story, open_charts
from cds_service.workbench.pasted import Played


class Moments:
    """Made once for each day that is asked for."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        self._templates = templates
        self._on = lru_cache(maxsize=2)(self._made)

    def on(self, day: date) -> tuple[Played, ...]:
        """Every moment of every patient, in the order they are played."""
        return self._on(day)

    def _made(self, day: date) -> tuple[Played, ...]:
        charts = open_charts(day)
        return tuple(one for story in charts.stories for one in self._of(story, charts))

    def _of(self, story: Story, charts: Charts) -> Iterator[Played]:
        for play in story.plays:
            context = context_of(play, story.patient_id, charts.as_of)
            key = f"{story.patient_id}:{play.hook}"
            request = {
                "hook": play.hook,
                "hookInstance": str(uuid5(NAMESPACE_URL, key)),
                "context": context,
                "prefetch": {name: _answered(one, context, charts) for name, one in self._templates.items()},
            }
            yield Played(key, f"{story.title} · {play.hook}", request)


def _answered(template: str, context: Mapping[str, Any], charts: Charts) -> Resource | None:
    """What the demo's FHIR endpoint would answer."""
    kind, _, query = (filled(template, context) or "").partition("?")
    if not query:
        return charts.find(*kind.split("/", 1))
    held = found(charts.every(kind), understand(kind, parse_qsl(query)))
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(held),
        "entry": [{"resource": one} for one in held],
    }
