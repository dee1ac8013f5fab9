"""Settings in; out comes a ledger whose tables are made or migrated, that has lost what is too old, or all about one patient."""

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from typing import TextIO

from cds_service.ledger import Database, Ledger, LedgerDown
from cds_service.ledger.retention import forget, purge
from cds_service.ledger.schema import HEAD, Move
from cds_service.settings import SettingFault, Settings


def migrate(settings: Settings, out: TextIO) -> int:
    """Makes the tables of the ledger, or brings them up to date; the exit status. Raises SettingFault where it cannot be done."""
    try:
        out.write(f"The tables of the ledger {_what_became(prepare(settings.database_url))}.\n")
    except LedgerDown as fault:
        raise _cannot("opened or migrated", fault) from None
    return 0


def prepare(url: str) -> Move:
    """Opens the database once, and closes it. Raises LedgerAway, LedgerDown."""
    with closing(Database(url)) as database:
        move = database.prepare()
        if not database.reachable():
            raise LedgerDown("NoTables")
        return move


def purge_all(settings: Settings, now: datetime, out: TextIO) -> int:
    """Takes out everything that is older than the site keeps it; the exit status. Raises SettingFault."""
    gone: Counter[str] = Counter()
    with closing(_ledger(settings).database) as database:
        finished = False
        while not finished:
            try:
                some = purge(database, now, settings.retention_days, settings.comment_days)
            except LedgerDown as fault:
                raise _cannot("written", fault) from None
            gone.update(some.rows)
            finished = some.finished
    _tell(gone, out)
    return 0


def forget_patient(settings: Settings, issuer: str, patient: str, out: TextIO) -> int:
    """Takes out all about one patient, by the id that this client sends; the exit status. Raises SettingFault."""
    ledger = _ledger(settings)
    with closing(ledger.database):
        try:
            gone = forget(ledger.database, ledger.pseudonyms, issuer, patient)
        except LedgerDown as fault:
            raise _cannot("written", fault) from None
    _tell(gone, out)
    return 0


def _ledger(settings: Settings) -> Ledger:
    try:
        return Ledger(settings.database_url, settings.patient_key_file)
    except LedgerDown as fault:
        raise _cannot("opened", fault) from None


def _cannot(what: str, fault: LedgerDown) -> SettingFault:
    return SettingFault(f"CDS_DATABASE_URL: the database cannot be {what} ({fault}).")


def _what_became(move: Move) -> str:
    if move.before is None:
        return f"were made, at {move.after}"
    if move.before != move.after:
        return f"went from {move.before} to {move.after}"
    if move.after != HEAD:
        return f"are at {move.after}, of a newer version than this one ({HEAD}), and were let be"
    return f"are at {move.after}; nothing was to be done"


def _tell(gone: Mapping[str, int], out: TextIO) -> None:
    for name, rows in gone.items():
        out.write(f"{name} {rows}\n")
