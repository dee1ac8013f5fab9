"""Asking a fake FHIR server: what came is held to its deadline, and to leaving no thread behind."""

import json
import threading
from collections.abc import Iterator
from time import monotonic, sleep

import pytest

from cds_service.chart.fhir_client import FhirClient
from cds_service.chart.fhir_pages import OUTCOMES, Fetched
from cds_service.outbound.url_guard import Guard
from tests import fhir_servers as fakes

HERE = Guard(loopback_only=True)
TOKEN = "ZZCANARYTOKEN"  # noqa: S105  (invented)
SECONDS = 0.4
SLACK = 3.0  # a shared machine; the usual overrun is a few milliseconds
QUERIES = {f"key{place}": f"Observation?patient=ZZCANARYID&place={place}" for place in range(9)}
EMPTY = fakes.searchset()
PATIENT = json.dumps({"resourceType": "Patient", "id": "p"}).encode()


def threads_left(prefix: str | tuple[str, ...], seconds: float) -> list[str]:
    """Which threads have not ended by then."""
    ends = monotonic() + seconds
    while (left := [one.name for one in threading.enumerate() if one.name.startswith(prefix)]) and monotonic() < ends:
        sleep(0.002)
    return left


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    assert not threads_left(("fhir", "dns"), 2)


def fetch(
    base: str, seconds: float = SECONDS, *, client: FhirClient | None = None, guard: Guard = HERE, **queries: str
) -> dict[str, Fetched]:
    """What came, asserted to have come in time; the overrun is printed."""
    began = monotonic()
    found = (client or FhirClient()).fetch(guard, base, TOKEN, queries or QUERIES, began + seconds)
    took = monotonic() - began
    print(f"{(took - seconds) * 1000:+.1f} ms beyond the deadline" if took > seconds else f"{took * 1000:.1f} ms")
    assert took < seconds + SLACK
    assert not threads_left("fhir_", SLACK)  # though the server has not stopped yet
    assert list(found) == list(queries or QUERIES)
    return dict(found)


def fault_of(found: dict[str, Fetched]) -> str | None:
    """The one fault they all have; none of them is complete then."""
    assert {one.complete for one in found.values()} == {False}
    (fault,) = {one.fault for one in found.values()}
    assert fault in OUTCOMES
    return fault
