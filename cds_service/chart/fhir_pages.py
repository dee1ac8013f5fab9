"""One FHIR read or search in; its pages out, as many as came within the limits, and whether that is all of them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args
from urllib.parse import urljoin

from cds_service.chart.decode import bundle, resource
from cds_service.chart.elements import Bundle, OperationOutcome
from cds_service.outbound.faults import Failed, Fault
from cds_service.wire.strict_json import json_fault

PageFault = Literal[
    "error-outcome",  # an OperationOutcome that says error, with status 200
    "too-many",  # pages or entries
    "loop",  # of pages
]
OUTCOMES = ("complete", *get_args(Fault), *get_args(PageFault))
MOST_PAGES, MOST_ENTRIES, MOST_BYTES = 5, 500, 4 << 20
_ERRORS = ("error", "fatal")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Unfit(Exception):
    """What came is no answer, or does not come to an end."""

    def __init__(self, fault: PageFault) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came: whole pages in their order, whether that is everything, and a word for why not."""

    pages: tuple[bytes, ...] = ()
    complete: bool = False
    fault: Fault | PageFault | None = None


@dataclass(slots=True)
class Query:
    """A read or search under way; whoever tires of waiting takes what has come so far. `continued`: from a later page on."""

    url: str
    continued: bool = False
    _pages: list[bytes] = field(default_factory=list)
    _whole: bool = False
    _fault: Fault | PageFault | None = None

    def run(self, ask: Callable[[str, int], bytes]) -> None:
        """`ask`: a URL and the most bytes it may bring in; its body out, or Failed."""
        try:
            self._follow(ask)
            self._whole = True
        except (Failed, Unfit) as failed:
            self._fault = failed.fault
        except Exception:  # a server's oddity that nobody thought of costs this answer, not all of them
            self._fault = "failed"

    def so_far(self) -> Fetched:
        """What has come; still under way means that the deadline has passed."""
        whole = self._whole  # looked at before the pages, which are there first
        return Fetched(tuple(self._pages), whole, None if whole else self._fault or "deadline")

    def _follow(self, ask: Callable[[str, int], bytes]) -> None:
        seen: set[str] = set()
        url: str | None = self.url
        left, entries = MOST_BYTES, 0
        while url:
            if url in seen:
                raise Unfit("loop")
            if len(seen) == MOST_PAGES or entries >= MOST_ENTRIES:
                raise Unfit("too-many")
            seen.add(url)
            body = ask(url, left).removeprefix(_BYTE_ORDER_MARK)
            page = _page(body, of_several=self.continued or bool(self._pages))
            self._pages.append(body)
            left -= len(body)
            entries += len(page.entry or ())
            url = next_page(page, url)


def next_page(page: Bundle, url: str) -> str | None:
    """The URL of the page after this one."""
    links = (link.url for link in page.link or () if link.relation == "next" and link.url)
    try:
        return next((urljoin(url, link) for link in links), None)
    except ValueError:
        raise Failed("not-allowed") from None


def _page(body: bytes, of_several: bool) -> Bundle:
    """Raises Failed where it is no FHIR, Unfit where it is an error with a status that says otherwise."""
    if json_fault(body):  # the decoder skips what it does not read, and would let anything pass there
        raise Failed("unreadable")
    page = bundle(body)
    if page is None or not page.resourceType or (of_several and page.resourceType != "Bundle"):
        raise Failed("unreadable")
    outcome = resource(body) if page.resourceType == "OperationOutcome" else None
    if isinstance(outcome, OperationOutcome) and any(issue.severity in _ERRORS for issue in outcome.issue):
        raise Unfit("error-outcome")
    return page
