"""A kind of database in, taken away again and again; what clients with tokens and the demo made of it, and what was lost, out."""

from pathlib import Path

from tests.load.databases import database
from tests.load.enduring import Enduring, enduring
from tests.load.open_access import Visit, visiting
from tests.load.outages import outages


def database_restart(folder: Path, kind: str, times: int, lasts: float = 2.0) -> tuple[Enduring, Visit]:
    """Each way to take it away so many times."""
    with database(kind, folder / "served") as found:
        served = enduring(folder, found, outages(found) * times, lasts=lasts)
    with database(kind, folder / "other") as found:
        return served, visiting(folder / "demo", found.url, outages(found) * times)
