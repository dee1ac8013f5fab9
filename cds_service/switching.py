"""A rule and a state in, switched for every process of the site; without them, how things stand and who did what, out."""

import getpass
import os
from collections.abc import Iterable
from datetime import datetime
from typing import TextIO

from cds_service.ledger import ALL, Ledger, LedgerDown
from cds_service.ledger.switches import LIVE, OFF, SHADOW, Switch
from cds_service.settings import SettingFault, Settings
from hooks import SERVICES

_GATE = "scope"  # without it rules would speak of people whom they are not for
_NO_DATABASE = "CDS_DATABASE_URL: the database does not answer"


class CannotSwitch(Exception):
    """There is no such rule, or it cannot be put into that state: which, and what can be."""


def turn(settings: Settings, rule: str, state: str, out: TextIO, *, because: str, now: datetime) -> int:
    """Puts a rule, or `all`, into a state; the exit status. Raises CannotSwitch, SettingFault."""
    known = sorted({one.id for service in SERVICES for one in service.rules})
    if rule not in (*known, ALL):
        raise CannotSwitch(f"no rule {rule!r}; known are {ALL}, {', '.join(known)}")
    if state == OFF and rule in (ALL, _GATE):
        raise CannotSwitch(f"{rule} cannot be off; {SHADOW} shows nothing of it, and goes on recording")
    try:
        _ledger(settings).switches.turn(rule, state, who=_who(), because=because, at=now)
    except LedgerDown as fault:
        raise SettingFault(f"{_NO_DATABASE} ({fault}).") from None
    out.write(f"{rule} is {_SAID[state]}; every process goes by it within a minute.\n")
    return 0


def show(settings: Settings, out: TextIO) -> int:
    """How every rule stands that was ever switched, and the turns that led there. Raises SettingFault."""
    try:
        turns = list(_ledger(settings).switches.history())
    except LedgerDown as fault:
        raise SettingFault(f"{_NO_DATABASE} ({fault}).") from None
    for line in _lines(settings, turns):
        out.write(f"{line}\n")
    return 0


def _lines(settings: Settings, turns: Iterable[Switch]) -> Iterable[str]:
    if settings.shadow:
        yield f"By CDS_SHADOW nothing is shown of: {', '.join(sorted(settings.shadow))}."
    states = {one.rule: one.state for one in turns}
    for state in (SHADOW, OFF):
        rules = sorted(rule for rule, known in states.items() if known == state)
        yield f"{_SAID[state].capitalize()}: {', '.join(rules) or 'none'}."
    for one in turns:
        yield f"{one.at:%Y-%m-%d %H:%M} UTC  {one.rule} {one.state}  by {one.who}  {one.because}".rstrip()


def _ledger(settings: Settings) -> Ledger:
    return Ledger(settings.database_url, settings.patient_key_file)


def _who() -> str:
    """Whoever is logged in, not the account he became."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in a container
        return f"uid {os.getuid()}"


_SAID = {LIVE: "live", SHADOW: "in the shadow: judged and recorded, shown to nobody", OFF: "off: not judged"}
