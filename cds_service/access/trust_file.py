"""The TOML file of trusted issuers in, checked issuers out; refuses to start on nonsense, naming entry and line."""

import tomllib
from collections import Counter
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cds_service.access.entry import Lines
from cds_service.access.issuers import FITS, Issuer, KeyAddress, KeyFile, Smart
from cds_service.access.key_set import KeySetFault, read_key_set
from cds_service.languages import LANGUAGES
from cds_service.outbound.url_guard import Guard
from cds_service.settings import DEADLINE_MS, PROFILES, SettingFault
from cds_service.wire import shape as shapes
from cds_service.wire.shape import Shape

_LONGEST_LIFETIME = 3600


@cache
def presets() -> Mapping[str, Mapping[str, Any]]:
    """What an entry leaves unsaid, by the name of its preset."""
    found: dict[str, dict[str, Any]] = tomllib.loads(files(__package__).joinpath("presets.toml").read_text("utf-8"))
    return found


def read_issuers(path: str, prefetch_keys: tuple[str, ...], *, discreet: bool = False) -> tuple[Issuer, ...]:
    """The issuers of a trust file. `prefetch_keys`: what `not_supplied` may name. Raises SettingFault.

    `discreet`: how the cards are where an entry does not say.
    """
    file = Path(path)
    try:
        content = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise SettingFault(f"CDS_ISSUERS: the file cannot be read as TOML ({type(fault).__name__}).") from fault
    entries = content.get("issuer")
    if not isinstance(entries, list) or not entries or set(content) != {"issuer"}:
        raise SettingFault("CDS_ISSUERS: one or more [[issuer]] tables, and nothing else, are expected.")
    issuers = tuple(
        _Entry(place, one, file.parent, prefetch_keys).read(discreet) for place, one in enumerate(entries, 1)
    )
    twice = {one.iss for one in issuers if [other.iss for other in issuers].count(one.iss) > 1}
    if twice:
        raise SettingFault(f"CDS_ISSUERS: {', '.join(sorted(twice))} stands there twice.")
    launching = Counter(server for one in issuers if one.smart for server in one.smart.servers)
    shared = sorted(server for server, times in launching.items() if times > 1)
    if shared:
        raise SettingFault(f"CDS_ISSUERS: {', '.join(shared)}: the why page can be launched for one issuer only.")
    return issuers


def shape_of(lines: Mapping[str, Any], *, discreet: bool = False) -> Shape:
    """How a client with these lines in its entry wants its cards. Raises SettingFault."""
    return _Entry(1, lines, Path(), ()).shape(discreet)


class _Entry(Lines):
    """One [[issuer]] table: its own lines over those of its preset."""

    def __init__(self, place: int, stated: Any, folder: Path, prefetch_keys: tuple[str, ...]) -> None:
        super().__init__(place, stated if isinstance(stated, dict) else {})
        self._folder, self._prefetch_keys = folder, prefetch_keys
        self._preset = self._one_of("preset", tuple(presets())) if "preset" in self._stated else "standard"
        self._stated = {**presets()[self._preset], **self._stated}
        unknown = sorted(self._stated.keys() - _LINES)
        if unknown:
            self._refuse(unknown[0], f"no such line; known are {', '.join(sorted(_LINES - {'about'}))}")

    def read(self, discreet: bool) -> Issuer:
        """Raises SettingFault."""
        private = self._value("allow_private_addresses", bool, default=False)
        algorithms = self._chosen("algorithms", tuple(FITS)) or self._refuse("algorithms", "one or more are expected")
        return Issuer(
            iss=self._text("iss"),
            keys=self._keys(private, algorithms),
            algorithms=algorithms,
            audiences=frozenset(self._texts("audiences")),
            max_lifetime_seconds=self._whole("max_lifetime_seconds", 1, _LONGEST_LIFETIME),
            tenants=frozenset(self._texts("tenants")),
            servers=Guard(tuple(self._server("fhir_servers", one, private) for one in self._texts("fhir_servers"))),
            origins=frozenset(self._origin("origins", one) for one in self._texts("origins")),
            deadline_ms=self._whole("deadline_ms", *DEADLINE_MS) if "deadline_ms" in self._stated else None,
            not_supplied=frozenset(self._chosen("not_supplied", self._prefetch_keys)),
            profile=self._one_of("profile", PROFILES) if "profile" in self._stated else None,
            codes=self._folder / self._text("codes") if "codes" in self._stated else None,
            language=self._one_of("language", LANGUAGES) if "language" in self._stated else None,
            shape=self.shape(discreet),
            shadow=self._value("shadow", bool, default=False),
            smart=self._smart(private) if _SMART & self._stated.keys() else None,
        )

    def shape(self, discreet: bool) -> Shape:
        """How this client wants its cards. Raises SettingFault."""
        item_system, items = self._address("item_system"), self._value("order_items", dict, default={})
        if items and not item_system:
            self._refuse("item_system", "the system of order_items is expected")
        return Shape(
            discreet=self._value("discreet", bool, default=discreet),
            selection=self._some("selection", shapes.BEHAVIOURS),
            one_action=self._value("one_action", bool, default=False),
            actions=("create", *(one for one in self._some("actions", shapes.ACTIONS) if one != "create")),
            override_reasons=self._some("override_reasons", shapes.REASONS),
            leaves_out=frozenset(self._chosen("leaves_out", shapes.LEFT_OUT)),
            order_intent=self._one_of("order_intent", shapes.INTENTS) if "order_intent" in self._stated else "order",
            order_route=self._value("order_route", bool, default=False),
            order_supply_days=self._whole("order_supply_days", 0, shapes.MOST_SUPPLY_DAYS)
            if "order_supply_days" in self._stated
            else 0,
            own_doses=self._value("own_doses", bool, default=False),
            rxnorm_system=self._address("rxnorm_system"),
            item_system=item_system,
            order_items={
                self._short("order_items", ours): self._short("order_items", own) for ours, own in items.items()
            },
        )

    def _keys(self, private: bool, algorithms: tuple[str, ...]) -> KeyFile | KeyAddress:
        where, jku = self._value("jwks", str), self._stated.get("jku")
        if "://" in where:
            server = self._server("jwks", where.partition("?")[0], private)  # a key set may be named by a query
            if jku not in (None, where) and "jku" not in presets()[self._preset]:
                self._refuse("jku", "it is the address under jwks; leave the line out")
            return KeyAddress(url=where, guard=Guard((server,)))
        file = self._folder / self._short("jwks", where)
        try:
            read_key_set(file.read_bytes(), algorithms)
        except (OSError, KeySetFault) as fault:
            what = str(fault) if isinstance(fault, KeySetFault) else "it cannot be read"
            self._refuse("jwks", f"the key file: {what}")
        return KeyFile(path=file, jku=self._text("jku") if jku is not None else None)

    def _smart(self, private: bool) -> Smart:
        """The lines of the why page."""
        servers = self._texts("fhir_servers") or self._refuse("fhir_servers", "the servers to launch from are expected")
        stated = self._texts("smart_authorization") or tuple(map(_origin_of, servers))
        return Smart(
            client_id=self._text("smart_client_id"),
            servers=frozenset(one.removesuffix("/") for one in servers),
            authorization=Guard(tuple(self._server("smart_authorization", one, private) for one in stated)),
            secret=self._secret() if "smart_secret_file" in self._stated else None,
            scopes=self._texts("smart_scopes"),
            frames=tuple(self._frame(one, private) for one in self._texts("smart_frames")),
        )

    def _frame(self, text: str, private: bool) -> str:
        """An origin that stands in a header of ours."""
        self._server("smart_frames", text, private)
        return self._origin("smart_frames", text)

    def _secret(self) -> str:
        file = self._folder / self._text("smart_secret_file")
        try:
            found = file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            found = ""
        return self._short("smart_secret_file", found)


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


_SMART = {"smart_client_id", "smart_secret_file", "smart_scopes", "smart_authorization", "smart_frames"}
_SHAPE_LINES = frozenset(
    """
    discreet selection one_action actions override_reasons leaves_out order_intent order_route order_supply_days own_doses
    rxnorm_system item_system order_items
    """.split()  # noqa: SIM905  (a list to be read)
)
_LINES = (
    _SMART
    | _SHAPE_LINES
    | set(
        """
    about iss preset jwks jku algorithms audiences max_lifetime_seconds tenants fhir_servers allow_private_addresses origins
    deadline_ms not_supplied profile codes language shadow
    """.split()  # noqa: SIM905
    )
)
