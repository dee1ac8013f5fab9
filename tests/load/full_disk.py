"""A kind of database in, laid on a disk that fills up; what clients with tokens and the demo made of it, and what was lost, out."""

import os
from pathlib import Path

from tests.load import databases
from tests.load.databases import database_on
from tests.load.enduring import Enduring, enduring
from tests.load.open_access import Visit, visiting
from tests.load.outages import full
from tests.load.small_disk import SmallDisk, small_disk

_SIZES = {"sqlite": "16m", "postgresql": "64m"}  # SQLite's log grows to four, and an empty PostgreSQL takes forty


def lacking(kind: str) -> str | None:
    """Why no such database can be laid on a disk of its own; None where it can."""
    if kind == "sqlite":
        return None
    with small_disk("1m") as disk:
        if os.geteuid() or not isinstance(disk, SmallDisk):
            return "PostgreSQL's own files on a full disk: left out, for that takes root, and the right to mount"
    return databases.lacking(kind)


def full_disk(folder: Path, kind: str, times: int, lasts: float = 2.0) -> tuple[str, Enduring, Visit]:
    """Of what kind the disk was, and what became of both."""
    with small_disk(_SIZES[kind]) as disk, database_on(disk, kind) as database:
        served = enduring(folder, database, [full(disk, database)] * times, lasts=lasts, inside=disk.inside)
    with small_disk(_SIZES[kind]) as disk, database_on(disk, kind) as database:
        visit = visiting(folder / "demo", database.url, [full(disk, database)] * times, disk.inside)
    return disk.kind, served, visit
