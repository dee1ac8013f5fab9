"""A ledger's database and a number in; out come so many rows of issued advice in it, and of all else in proportion.

The same for the same seed. `python -m tests.ledger_rows DATABASE_URL ROWS` fills one by hand, up to this moment.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, product
from random import Random
from typing import Any

from cds_service.ledger import Database, Ledger
from cds_service.ledger.database import Tables
from cds_service.ledger.feedback import Feedback
from cds_service.ledger.issued_advice import IssuedAdvice
from cds_service.ledger.quiet_periods import QuietPeriod
from cds_service.ledger.seen_tokens import SeenToken
from cds_service.ledger.tallies import ANSWERS, LACKED, Tally
from cds_service.wire.override_reasons import OVERRIDE_REASONS
from hooks import SERVICES

UNTIL = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAYS = 365
ISSUERS = ("https://ehr.example.org", "https://other.example.org/fhir")
RULES = tuple(dict.fromkeys(rule.id for service in SERVICES for rule in service.rules))
OF_PATIENT = 40  # rows of advice: somebody seen every few weeks
SAME_DAYS = 60  # so long the facts of a patient stay what they were
REASONS = [*((one.code, one.system) for one in OVERRIDE_REASONS), (None, None), ("busy", "https://ehr.example.org/why")]
BECAME = [("recommended", ""), ("silent", ""), ("not-assessed", ""), (LACKED, "cd4"), ("held", "quiet-period"),
          ("held", "no-room")]  # fmt: skip
_AT_ONCE = 20_000
_SPREAD = 0x9E3779B97F4A7C15F39CC0605CEDC835  # numbers one after another become hashes that lie apart
_SEALED = "sealed:" + "A" * 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """How many rows were written."""

    issued: int
    feedback: int
    quiet_periods: int
    seen_tokens: int
    tallies: int


def fill(database: Database, rows: int, *, until: datetime = UNTIL, days: int = DAYS, seed: int = 1) -> Filled:
    """Writes into the empty tables of this database what so many days up to that moment might have left. Raises LedgerDown.

    Every fifth row of advice has feedback; there are a tenth as many quiet periods and used tokens, and at most half as
    many tallies.
    """
    chance = Random(seed)  # noqa: S311  (no secret)
    issued = feedback = 0
    while issued < rows:
        begins = until - timedelta(days=days * (1 - issued / rows))
        between = timedelta(days=days) / rows
        advice = list(_advice(chance, min(_AT_ONCE, rows - issued), rows // OF_PATIENT + 1, begins, between))
        said = list(_feedback(chance, advice[::5], until))
        issued += _put(database, IssuedAdvice, advice)
        feedback += _put(database, Feedback, said)
    return Filled(
        issued=issued,
        feedback=feedback,
        quiet_periods=_put(database, QuietPeriod, _quiet(rows // 10, until)),
        seen_tokens=_put(database, SeenToken, _tokens(chance, rows // 10, until)),
        tallies=_put(database, Tally, islice(_tallies(chance, until, days), rows // 2)),
    )


def _put(database: Database, table: type[Tables], rows: Iterable[Sequence[Any]]) -> int:
    """As fast as the database takes them: its driver is handed each row as it is to stand there."""
    columns = [one for one in table.__table__.columns if one.name != "id"]
    names = f"{table.__tablename__} ({', '.join(one.name for one in columns)})"
    written, left = 0, iter(rows)
    while some := list(islice(left, _AT_ONCE)):
        with database.writing(60) as connection:
            driver: Any = connection.connection.driver_connection
            keep = [one.type.dialect_impl(connection.dialect).bind_processor(connection.dialect) for one in columns]
            stored = ([write(one) if write else one for write, one in zip(keep, row, strict=True)] for row in some)
            if connection.dialect.name == "sqlite":
                driver.executemany(f"INSERT INTO {names} VALUES ({', '.join('?' * len(columns))})", stored)  # noqa: S608
            else:
                with driver.cursor().copy(f"COPY {names} FROM STDIN") as copy:
                    for row in stored:
                        copy.write_row(row)
        written += len(some)
    return written


def _advice(chance: Random, number: int, patients: int, issued: datetime, between: timedelta) -> Iterator[list[Any]]:
    """In the order of the columns and of time; on every seventh card there are two rows."""
    left = number
    while left:
        who = chance.randrange(patients)
        called = [ISSUERS[who % 2], chance.choice(SERVICES).id, _uuid(chance)]
        about = [_hash(who), _hash(chance.randrange(patients // 100 + 5))]
        first, spoken = (
            who * 5 + chance.randrange(4),
            min(left, 1 + (left % 7 == 0)),
        )  # few rules speak about one patient
        for rule in range(first, first + spoken):
            facts = f"{who:016x}{rule:08x}{issued.toordinal() // SAME_DAYS:08x}"
            ordered = issued + timedelta(minutes=5) if chance.random() < 0.1 else None
            offered = f"{_uuid(chance)} test cd4"
            yield [issued, *called, RULES[rule % len(RULES)], chance.choice(("info", "warning")), *about, facts,
                   f"cd4-count {issued.date()}", offered, chance.random() < 0.05, ordered]  # fmt: skip
        left -= spoken
        issued += spoken * between


def _feedback(chance: Random, advice: Iterable[Sequence[Any]], until: datetime) -> Iterator[list[Any]]:
    """One in fifty is about a card that nobody issued; one in fifty is a second word on the card before."""
    before: Sequence[Any] = ()
    for number, row in enumerate(advice):
        issued, *called = (before if before and number % 50 == 2 else row)[:4]
        at = min(until, issued + timedelta(minutes=chance.randrange(1, 60)))
        called[2] = called[2] if number % 50 else _uuid(chance)
        taken = chance.random() < 0.4
        code, system = (None, None) if taken else chance.choice(REASONS)
        comment = _SEALED if number % 10 == 0 else None
        yield [at, *called, "accepted" if taken else "overridden", at, _uuid(chance) if taken else "", code, system, comment,
               f"{chance.getrandbits(128):032x}"]  # fmt: skip
        before = row


def _quiet(number: int, until: datetime) -> Iterator[list[Any]]:
    for place in range(number):
        who, rule = divmod(place, 4)
        since = until - timedelta(days=place % 120)
        ends = since.date() + timedelta(days=30)
        yield [ISSUERS[who % 2], _hash(who), RULES[rule], _hash(who % 97), _hash(place), "", "not-now", since, ends]


def _tokens(chance: Random, number: int, until: datetime) -> Iterator[list[Any]]:
    now = int(until.timestamp())
    for place in range(number):
        yield [ISSUERS[place % 2], _uuid(chance), now - chance.randrange(7200) + 300]


def _tallies(chance: Random, until: datetime, days: int) -> Iterator[list[Any]]:
    """The newest day first."""
    for past in range(days):
        day = until.date() - timedelta(days=past)
        for issuer, service in product(ISSUERS, SERVICES):
            yield [day, issuer, service.id, "", ANSWERS, "", chance.randrange(100, 1000)]
            for rule, (outcome, why) in product(service.rules, BECAME):
                yield [day, issuer, service.id, rule.id, outcome, why, chance.randrange(1, 100)]


def _hash(number: int) -> str:
    return f"{(number + 1) * _SPREAD % (1 << 128):032x}"


def _uuid(chance: Random) -> str:
    digits = f"{chance.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def main() -> None:
    """Fills a database by hand."""
    url, rows = sys.argv[1:]
    ledger = Ledger(url)
    print(fill(ledger.database, int(rows), until=datetime.now(UTC)))
    ledger.database.close()


if __name__ == "__main__":
    main()
