"""Cards in; of two transactions about the same card the second goes on when the first has ended, and so sees what it wrote."""

from collections.abc import Iterable
from zlib import crc32

from sqlalchemy import Connection, text

_SPACE = 0x48495643  # of PostgreSQL's advisory locks with two numbers
_PLACES = 64  # shared by all cards: a transaction about hundreds of them holds no more locks than that
_WAIT = text("SELECT pg_advisory_xact_lock(:space, place) FROM unnest(CAST(:places AS int[])) AS place")


def take_turns(connection: Connection, cards: Iterable[str]) -> None:
    """To be called before anything else is done. SQLite lets one write at a time anyway."""
    if connection.dialect.name == "postgresql":
        places = sorted(
            {crc32(card.lower().encode()) % _PLACES for card in cards}
        )  # all in one order: nobody waits in a ring
        connection.execute(_WAIT, {"space": _SPACE, "places": places})
