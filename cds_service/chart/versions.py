"""Resources that came more than once in; one of each out: the newest version of an id, never two copies of the same."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TypeVar

from cds_service.chart.elements import Known, Meta

Kind = TypeVar("Kind", bound=Known)


def newest_versions(resources: Iterable[Kind]) -> list[Kind]:
    """The newest version of each id. Where nothing tells which is newer, all of them: then each stands for itself."""
    by_id: defaultdict[str | None, list[Kind]] = defaultdict(list)
    for one in resources:
        if one not in by_id[one.id]:
            by_id[one.id].append(one)
    kept = by_id.pop(None, [])
    for versions in by_id.values():
        kept.extend(_newest(versions))
    return kept


def _newest(versions: list[Kind]) -> list[Kind]:
    if len(versions) == 1:
        return versions
    for order in (_updated, _number):
        known = [(order(one.meta), one) for one in versions]
        if all(place is not None for place, _ in known):
            last = max(place for place, _ in known if place is not None)
            newest = [one for place, one in known if place == last]
            if len(newest) == 1:
                return newest
    return versions


def _updated(meta: Meta | None) -> float | None:
    try:
        when = datetime.fromisoformat(meta.lastUpdated) if meta and meta.lastUpdated else None
    except ValueError:
        return None
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp() if when else None


def _number(meta: Meta | None) -> float | None:
    return float(meta.versionId) if meta and meta.versionId and meta.versionId.isdecimal() else None
