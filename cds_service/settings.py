"""The environment and a settings file in, typed settings out; refuses to start on nonsense, naming the setting."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from cds_service.outbound.url_guard import address_of
from hooks.knowledge.load import FOLDER
from hooks.knowledge.words import REGIONS

PREFIX = "CDS_"
LEAST_KEY_BYTES = 32
DEADLINE_MS = (200, 8000)  # of one answer: the least and the most
MOST_DRAIN_SECONDS = 60
MOST_DAYS_KEPT = 3660
LEAST_PASSWORD = 20  # characters
PROFILES = tuple(path.stem for path in sorted((FOLDER / "profiles").glob("*.toml")))
Network = IPv4Network | IPv6Network


class SettingFault(Exception):
    """A setting is wrong or missing: which one, and what is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set. `open_access` is never read from the environment: only the demo sets it."""

    profile: str = "dhhs"
    explain: str = "summary"
    max_body_bytes: int = 4 << 20
    deadline_ms: int = 2000
    drain_seconds: int = 5
    database_url: str = "sqlite:///immune-status.sqlite3"
    metrics_allow: tuple[Network, ...] = ()
    iu_per_copy: Decimal | None = None
    endemic: frozenset[str] = frozenset()
    cotrimoxazole_for_all: bool = False
    public_url: str | None = None
    issuers: str | None = None
    log_level: str = "info"
    audit: str = "off"
    patient_key_file: str | None = None
    quiet_per: str = "patient"
    client: str = "standard"
    discreet: bool = False
    shadow: frozenset[str] = frozenset()
    retention_days: int = 730
    comment_days: int = 90
    report_password_file: str | None = None
    workbench: str = "off"
    open_access: bool = False


def read_settings(environment: Mapping[str, str] | None = None, **fixed: Any) -> Settings:
    """Settings from CDS_… variables, then from the TOML file named by CDS_SETTINGS, then the defaults.

    `fixed` overrides both. Raises SettingFault.
    """
    environment = os.environ if environment is None else environment
    given = {name.removeprefix(PREFIX).lower(): value for name, value in environment.items() if name.startswith(PREFIX)}
    stated = _file(given.pop("settings", None)) | {name: value for name, value in given.items() if value != ""}
    read = {name: parse(name, stated[name]) for name, parse in _PARSERS.items() if name in stated}
    return Settings(**(read | fixed))


def _file(path: str | None) -> dict[str, Any]:
    if not path:
        return {}
    try:
        content = tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise SettingFault(
            f"CDS_SETTINGS: the file it names cannot be read as TOML ({type(fault).__name__})."
        ) from fault
    found = {name.removeprefix(PREFIX).lower(): value for name, value in content.items()}
    unknown = sorted(found.keys() - _PARSERS.keys())
    if unknown:
        raise SettingFault(
            f"CDS_SETTINGS: {', '.join(unknown)} is no setting; known are {', '.join(sorted(_PARSERS))}."
        )
    return found


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise SettingFault(f"{PREFIX}{name.upper()}: text is expected.")
    return value.strip()


def _address(name: str, value: Any) -> str:
    """The base address that clients call, without a slash at its end; plain http for this machine only."""
    text = _text(name, value).removesuffix("/")
    found = address_of(text)
    if found is None or "?" in text:
        raise SettingFault(f"{PREFIX}{name.upper()}: the https address that clients call is expected, without a query.")
    return text


def _key_file(name: str, value: Any) -> str:
    """A file with a secret key."""
    text = _text(name, value)
    try:
        size = len(Path(text).read_bytes())
    except OSError:
        size = 0
    if size < LEAST_KEY_BYTES:
        raise SettingFault(
            f"{PREFIX}{name.upper()}: a readable file of {LEAST_KEY_BYTES} random bytes or more is expected."
        )
    return text


def _one_of(*allowed: str) -> Any:
    def parse(name: str, value: Any) -> str:
        if value not in allowed:
            raise SettingFault(f"{PREFIX}{name.upper()}: one of {', '.join(allowed)} is expected.")
        return str(value)

    return parse


def _bytes(name: str, value: Any) -> int:
    if not str(value).isdecimal() or not 1024 <= int(value) <= 1 << 28:
        raise SettingFault(f"{PREFIX}{name.upper()}: a whole number of bytes from 1024 to {1 << 28} is expected.")
    return int(value)


def _milliseconds(name: str, value: Any) -> int:
    least, most = DEADLINE_MS
    if not re.fullmatch("[0-9]{3,4}", str(value)) or not least <= int(value) <= most:
        raise SettingFault(
            f"{PREFIX}{name.upper()}: milliseconds for one answer, from {least} to {most}, are expected."
        )
    return int(value)


def _seconds(name: str, value: Any) -> int:
    if not re.fullmatch("[0-9]{1,2}", str(value)) or int(value) > MOST_DRAIN_SECONDS:
        raise SettingFault(f"{PREFIX}{name.upper()}: whole seconds from 0 to {MOST_DRAIN_SECONDS} are expected.")
    return int(value)


def _days(name: str, value: Any) -> int:
    if not re.fullmatch("[0-9]{1,4}", str(value)) or not 1 <= int(value) <= MOST_DAYS_KEPT:
        raise SettingFault(f"{PREFIX}{name.upper()}: whole days from 1 to {MOST_DAYS_KEPT} are expected.")
    return int(value)


def _words(_: str, value: Any) -> frozenset[str]:
    """A comma list of words; which there are is known to who uses them."""
    parts = value if isinstance(value, list) else str(value).split(",")
    return frozenset(str(part).strip().casefold() for part in parts if str(part).strip())


def _password_file(name: str, value: Any) -> str:
    """A file with a password."""
    text = _text(name, value)
    try:
        found = Path(text).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        found = ""
    if len(found) < LEAST_PASSWORD or not found.isprintable():
        raise SettingFault(
            f"{PREFIX}{name.upper()}: a readable file with a password of {LEAST_PASSWORD} characters or more is expected."
        )
    return text


def _factor(name: str, value: Any) -> Decimal:
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        found = Decimal(0)
    if not found.is_finite() or not Decimal("0.1") <= found <= 10:
        raise SettingFault(f"{PREFIX}{name.upper()}: IU for one copy in your assay, from 0.1 to 10, is expected.")
    return found


def _networks(name: str, value: Any) -> tuple[Network, ...]:
    parts = value if isinstance(value, list) else str(value).split(",")
    try:
        return tuple(ip_network(str(part).strip()) for part in parts if str(part).strip())
    except ValueError:
        raise SettingFault(
            f"{PREFIX}{name.upper()}: addresses or networks, separated by commas, are expected."
        ) from None


def _regions(name: str, value: Any) -> frozenset[str]:
    parts = value if isinstance(value, list) else str(value).split(",")
    found = frozenset(str(part).strip().casefold() for part in parts if str(part).strip())
    if found - REGIONS:
        raise SettingFault(f"{PREFIX}{name.upper()}: a comma list of {', '.join(sorted(REGIONS))} is expected.")
    return found


def _yes_or_no(name: str, value: Any) -> bool:
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    found = words.get(str(value).strip().casefold())
    if found is None:
        raise SettingFault(f"{PREFIX}{name.upper()}: true or false is expected.")
    return found


_PARSERS: dict[str, Any] = {
    "profile": _one_of(*PROFILES),
    "explain": _one_of("full", "summary", "off"),
    "max_body_bytes": _bytes,
    "deadline_ms": _milliseconds,
    "drain_seconds": _seconds,
    "database_url": _text,
    "metrics_allow": _networks,
    "iu_per_copy": _factor,
    "endemic": _regions,
    "cotrimoxazole_for_all": _yes_or_no,
    "public_url": _address,
    "issuers": _text,
    "log_level": _one_of("debug", "info", "warning", "error"),
    "audit": _text,
    "patient_key_file": _key_file,
    "quiet_per": _one_of("patient", "clinician"),
    "client": _text,
    "discreet": _yes_or_no,
    "shadow": _words,
    "retention_days": _days,
    "comment_days": _days,
    "report_password_file": _password_file,
    "workbench": _one_of("on", "off"),
}
