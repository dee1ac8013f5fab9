"""The lines of one entry of the trust file in, their values out, each of its kind; what is not is refused by entry and line."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from cds_service.outbound.url_guard import AllowedServer
from cds_service.settings import SettingFault

_LONGEST_TEXT = 256
_KINDS: Mapping[type, str] = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    list: "a list",
    dict: "a table",
}


class Lines:
    """What an entry states, its preset's lines among it. Every method raises SettingFault."""

    _stated: Mapping[str, Any]

    def __init__(self, place: int, stated: Mapping[str, Any]) -> None:
        self._place, self._stated = place, stated

    def _some(self, line: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
        """Some of them, each once; all where nothing is said."""
        found = self._chosen(line, allowed) if line in self._stated else allowed
        return tuple(dict.fromkeys(found)) or tuple(self._refuse(line, "one or more are expected"))

    def _address(self, line: str) -> str:
        """The name of a code system; empty where there is none."""
        return self._text(line) if line in self._stated else ""

    def _refuse(self, line: str, expected: str) -> Any:
        named = self._stated.get("iss")
        whose = f" ({named})" if isinstance(named, str) and len(named) <= _LONGEST_TEXT else ""
        raise SettingFault(f"CDS_ISSUERS: issuer {self._place}{whose}: {line}: {expected}.")

    def _value(self, line: str, kind: type, default: Any = None) -> Any:
        found = self._stated.get(line, default)
        return found if type(found) is kind else self._refuse(line, f"{_KINDS[kind]} is expected")

    def _text(self, line: str) -> str:
        return self._short(line, self._value(line, str))

    def _short(self, line: str, text: Any) -> str:
        if not isinstance(text, str) or not 0 < len(text) <= _LONGEST_TEXT or not text.isprintable() or " " in text:
            self._refuse(line, f"text of 1 to {_LONGEST_TEXT} characters without spaces is expected")
        return str(text)

    def _texts(self, line: str) -> tuple[str, ...]:
        return tuple(self._short(line, one) for one in self._value(line, list, default=[]))

    def _whole(self, line: str, least: int, most: int) -> int:
        found: int = self._value(line, int)
        return found if least <= found <= most else int(self._refuse(line, f"{least} to {most} is expected"))

    def _one_of(self, line: str, allowed: tuple[str, ...]) -> str:
        found = self._text(line)
        return found if found in allowed else str(self._refuse(line, f"one of {', '.join(allowed)} is expected"))

    def _chosen(self, line: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
        found = self._texts(line)
        if not set(found) <= set(allowed):
            self._refuse(line, f"some of {', '.join(allowed)} are expected")
        return found

    def _server(self, line: str, url: str, private: bool) -> AllowedServer:
        try:
            found = AllowedServer.of(url, private)
        except ValueError as fault:
            return AllowedServer.of(str(self._refuse(line, str(fault))))
        if found.scheme != "https" and not private:
            self._refuse(line, "https is expected (http only to this machine, with allow_private_addresses)")
        return found

    def _origin(self, line: str, text: str) -> str:
        parts = urlsplit(text)
        if parts.scheme not in ("http", "https") or not parts.hostname or text != f"{parts.scheme}://{parts.netloc}":
            self._refuse(line, "origins such as https://ehr.example.org, without a path, are expected")
        return text
