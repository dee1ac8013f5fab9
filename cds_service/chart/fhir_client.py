"""FHIR queries and a deadline in; out comes what the client's FHIR server answered by then. The only door to that server.

All queries go out at once. Every URL, a page's `next` link included, passes the guard, and the token is put on in one place,
for the server it was lent for. Nothing of a URL, a token or an exception's text is logged.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing
from dataclasses import dataclass, field
from time import monotonic, sleep

from requests import PreparedRequest, Request

from cds_service.chart.fhir_pages import Fetched, Query
from cds_service.outbound.breaker import Breakers, Verdict, verdict
from cds_service.outbound.connection import Line, permitted, trusting
from cds_service.outbound.exchange import HEADERS, Allowance, Exchange
from cds_service.outbound.faults import Failed
from cds_service.outbound.url_guard import Address, Guard

MOST_AT_ONCE = 16
MOST_BYTES_IN_ALL = 12 << 20
NO_SOONER = 0.03  # seconds until told that a server rests: who calls again at once then takes no time from others
_TOKEN = re.compile(r"[!-~]+")
_HEADERS = HEADERS | {"Accept": "application/fhir+json, application/json"}


class FhirClient:
    """Asks the FHIR servers that a caller's guard admits. `count` is told the outcome of each query, a word of `OUTCOMES`."""

    def __init__(
        self,
        count: Callable[[str], object] | None = None,
        authorities: str | None = None,
        breakers: Breakers | None = None,
    ) -> None:
        self._count = count
        self._breakers = Breakers() if breakers is None else breakers
        self._context = trusting(authorities)

    def fetch(
        self, guard: Guard, base_url: str, token: str | None, queries: Mapping[str, str], deadline: float
    ) -> Mapping[str, Fetched]:
        """Of each key what came by the deadline (`time.monotonic`). A query is relative, or the absolute URL of a page."""
        try:
            found = self._fetch(guard, base_url, token or None, queries, deadline)
        except Failed as failed:
            if failed.fault in ("resting", "busy"):
                sleep(max(0.0, min(NO_SOONER, deadline - monotonic())))
            found = _nothing(queries, failed)
        if self._count:
            for one in found.values():
                self._count(one.fault or "complete")
        return found

    def _fetch(
        self, guard: Guard, base_url: str, token: str | None, queries: Mapping[str, str], deadline: float
    ) -> dict[str, Fetched]:
        base = guard.admitted(base_url)
        if base is None or "?" in base_url or (token and not _TOKEN.fullmatch(token)):
            raise Failed("not-allowed")
        asked = {key: _query(base_url, query) for key, query in queries.items()}
        with self._breakers.permit(base.origin) as permit:
            seconds = deadline - monotonic()
            try:
                found = self._ask(guard, base, token, asked, deadline)
            except Failed as failed:
                found = _nothing(queries, failed)
            permit.verdict = _verdict(found.values(), seconds)
            return found

    def _ask(
        self, guard: Guard, base: Address, token: str | None, asked: Mapping[str, Query], deadline: float
    ) -> dict[str, Fetched]:
        ips = permitted(guard, base, deadline)
        with closing(Line(base, ips, deadline, self._context, MOST_AT_ONCE)) as line:
            errand = _Errand(guard, base, token, Exchange(line, deadline, Allowance(MOST_BYTES_IN_ALL)))
            pool = ThreadPoolExecutor(min(len(asked), MOST_AT_ONCE) or 1, thread_name_prefix="fhir")
            under_way = [pool.submit(one.run, errand.ask) for one in asked.values()]
            wait(under_way, timeout=max(0.0, deadline - monotonic()))
            pool.shutdown(wait=False, cancel_futures=True)
            return {key: one.so_far() for key, one in asked.items()}


def _nothing(keys: Iterable[str], failed: Failed) -> dict[str, Fetched]:
    return {key: Fetched(fault=failed.fault) for key in keys}


def _verdict(found: Collection[Fetched], seconds: float) -> Verdict:
    return verdict(any(one.pages for one in found), {one.fault for one in found if one.fault}, seconds)


def _query(base_url: str, query: str) -> Query:
    if query.startswith(("https://", "http://")):
        return Query(query, continued=True)
    kind, mark, search = query.partition("?")
    kept = search.replace("/", "%2F")  # proxies make one slash of two, and `http:/loinc.org` is found nowhere
    return Query(f"{base_url.rstrip('/')}/{kind}{mark}{kept}")


@dataclass(frozen=True, slots=True)
class _Errand:
    """What the queries of one fetch share. Never shown: it holds the token."""

    guard: Guard
    base: Address
    token: str | None = field(repr=False)
    exchange: Exchange

    def ask(self, url: str, most: int) -> bytes:
        """The body at a URL. Raises Failed."""
        return self.exchange.body(self._request(url), most)

    def _request(self, url: str) -> PreparedRequest:
        """The one place where the token is put on: for an admitted URL at or below the base it was lent for."""
        lent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        request = Request("GET", url, headers=_HEADERS | lent).prepare()
        address = self.guard.admitted(request.url or "")  # as it will be sent, after its quoting was put right
        if not self.guard.admits(url) or address is None or not self.base.covers(address):
            raise Failed("not-allowed")
        return request
