"""A few calls for each fault of a FHIR server: answered as it is to be, and not much later than promised, on a busy machine too."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.faults.asking import Try, ask
from tests.faults.certificates import Certificates, certificates
from tests.faults.neighbour import neighbours
from tests.faults.overload import overload
from tests.faults.servers import FAULTS, WELL, WELL_OVER_TLS, Servers, servers_here
from tests.faults.trying import TRIES_OF_ONE_ORIGIN, asking_client, tried
from tests.fuzz.line import Line
from tests.fuzz.live import Live, live
from tests.fuzz.trust import Client

pytestmark = pytest.mark.slow
DEADLINE_MS = 400
BROAD = 1.5  # seconds beyond the deadline; `make faults` holds the service to a tenth of one
Scene = tuple[Live, Client, dict[str, Servers]]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return certificates(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def scene(known: Certificates, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One service, and a server for each fault."""
    with ExitStack() as stack:
        names = (*FAULTS, WELL, WELL_OVER_TLS)
        around = {name: stack.enter_context(servers_here(name, 1, known)) for name in names}
        client = asking_client([one.bases[0] for one in around.values()], DEADLINE_MS)
        folder = tmp_path_factory.mktemp("faults")
        yield stack.enter_context(live(folder, [client], known.authority)), client, around


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_a_fhir_server_is_said_or_leaves_nothing_to_answer_from(scene: Scene, name: str) -> None:
    service, client, around = scene
    found = tried(name, around[name], TRIES_OF_ONE_ORIGIN, service, client)
    print(found)
    assert not {what: times for what, times in found.faults().items() if what != "late"}
    assert {one.status for one in found.tries} <= {200, 412}
    assert max(one.seconds for one in found.tries) < DEADLINE_MS / 1000 + BROAD


@pytest.mark.parametrize("name", [WELL, WELL_OVER_TLS])
def test_a_server_that_is_well_is_asked_for_all_that_is_lacking(scene: Scene, name: str) -> None:
    service, client, around = scene
    with Line(service.port) as line:
        found = [ask(line, client, around[name].bases[0], nothing_sent) for nothing_sent in (True, False) * 3]
    assert {one.status for one in found} <= {200, 412}  # on a busy machine some may come too late
    assert any(one.complete for one in found)


def test_a_client_whose_server_is_well_is_answered_beside_one_whose_server_hangs(known: Certificates) -> None:
    found = neighbours(1, 2.0, known)
    print(found)
    assert {one.status for one in found.well} <= {200, 412, 503}  # on a busy machine some come too late
    assert sum(one.status == 200 for one in found.well) > len(found.well) / 2
    assert {one.status for one in found.hung} <= {412, 429, 503}


def test_more_calls_than_places_are_refused_soon_and_none_is_lost(known: Certificates) -> None:
    found = overload(120, 1, DEADLINE_MS, known)
    print(found)
    assert not found.faults()
    assert len(found.answers) == 120
    assert found.refusals
    assert max(one.seconds for one in found.health) < 5


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        (Try(True, 412, 0.1), None),
        (Try(False, 412, 0.1), "status 412"),
        (Try(True, 200, 0.1, complete=False, says_so=True), None),
        (Try(True, 200, 0.1, complete=True), "it passes for complete"),
        (Try(True, 200, 0.1, complete=False), 'no card "Not assessed"'),
        (Try(True, 503, 0.1), "status 503"),
        (Try(True, 0, 0.1), "status 0"),
    ],
)
def test_what_is_wrong_with_an_answer_is_named(call: Try, fault: str | None) -> None:
    assert call.fault == fault
