"""A kind of database in, laid on a disk that fills up; what became of its service, and what was lost, out."""

import os
from pathlib import Path

from tests.load import databases
from tests.load.databases import database_on
from tests.load.enduring import Enduring, enduring
from tests.load.open_access import Visit, visiting
from tests.load.outages import full
from tests.load.small_disk import SmallDisk, small_disk

# What clients with tokens see, and the demo's; and where PostgreSQL cannot write its log alone, which makes it end itself.
SERVED, DEMO, LOG = "served", "demo", "log"
PARTS = {"sqlite": (SERVED, DEMO), "postgresql": (SERVED, DEMO, LOG)}
_OF_ITS_LOG = "32m"
_SIZES = {"sqlite": "16m", "postgresql": "64m"}  # SQLite's log grows to four, and an empty PostgreSQL takes forty


def lacking(kind: str) -> str | None:
    """Why no such database can be laid on a disk of its own; None where it can."""
    if kind == "sqlite":
        return None
    with small_disk("1m") as disk:
        if os.geteuid() or not isinstance(disk, SmallDisk):
            return "PostgreSQL's own files on a full disk: left out, for that takes root, and the right to mount"
    return databases.lacking(kind)


def full_disk(folder: Path, kind: str, part: str, times: int, lasts: float = 2.0) -> tuple[str, Enduring | Visit]:
    """Of what kind the disk was, and what became of one of `PARTS`."""
    size = _OF_ITS_LOG if part == LOG else _SIZES[kind]
    with small_disk(size) as disk, database_on(disk, kind, log_alone=part == LOG) as database:
        outages = [full(disk, database)] * times
        if part == DEMO:
            return disk.kind, visiting(folder, database.url, outages, disk.inside)
        return disk.kind, enduring(folder, database, outages, lasts=lasts, inside=disk.inside)
