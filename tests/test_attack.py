"""Attacks on the service as it runs in production: each row of tests/attack/tables between two good requests."""

import json
import re
import subprocess
from collections.abc import Iterator
from types import SimpleNamespace

import jwt
import pytest

from cds_service.journal.fields import WITHHELD
from cds_service.server.unreadable_requests import Worker
from cds_service.web.wiring import KEY
from tests.attack import golden
from tests.attack.asking import Asking, audience
from tests.attack.attacking import GOOD, attack, good
from tests.attack.invariants import hold_alike, hold_crowd, hold_row
from tests.attack.keys import key
from tests.attack.server import WORKERS, Target, under_attack
from tests.attack.tables import Case, read_cases
from tests.attack.tokens import token_of
from tests.journal_lines import journal

CASES = read_cases()
GROWTH = 24 << 10  # kilobytes a worker may have grown by when all is over


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with under_attack(CASES, tmp_path_factory.mktemp("attack")) as found:
        for _ in range(8):
            good(found)
        yield found


@pytest.fixture(scope="module")
def sizes(target: Target) -> dict[int, int]:
    """Kilobytes in memory of each worker before the attacks."""
    return {pid: size_of(pid) for pid in target.workers()}


def size_of(pid: int) -> int:
    return int(subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], check=True, capture_output=True).stdout)


def good_before(target: Target) -> object:
    """The good answer that ended the case before this one; asked for anew where there is none."""
    found, target.good = target.good, None
    return found or good(target)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.table}: {case.says}")
def test_the_attack_gets_what_the_table_says_and_changes_nothing(
    target: Target, sizes: dict[int, int], case: Case
) -> None:
    before = good_before(target)
    target.forget_feedback()
    rows, lent = target.feedback_rows(), len(target.friend_of(case).tokens())
    assert target.new_deeds().connections == 0, "a good request asks nobody, nor does anything that was left running"
    answers = attack(target, case)
    deeds = target.new_deeds(case.connections)
    for one, method, answer in answers:
        hold_row(one, method, answer)
        hold_alike(method, answer)
    hold_crowd(case, [answer.status for _, _, answer in answers])
    assert (deeds.connections, deeds.lookups, deeds.others) == (case.connections, case.lookups, ())
    assert sum(deeds.arrived.values()) == case.connections, "the fakes count what the hook counts"
    assert deeds.arrived["stranger"] == 0
    assert target.friend_of(case).tokens()[lent:] == [f"Bearer {golden.LENT}"] * case.lent
    assert target.feedback_rows() - rows == case.stored
    assert good(target) == before
    assert target.workers() == list(sizes), "a worker died"
    target.good = before


def test_no_worker_has_grown_by_much(sizes: dict[int, int]) -> None:
    assert len(sizes) == WORKERS
    assert not {pid: size_of(pid) - before for pid, before in sizes.items() if size_of(pid) - before > GROWTH}


def test_nothing_of_a_patient_or_a_token_is_left_behind(target: Target) -> None:
    """Not in what the server says on its way, not in its metrics, its database, nor any file of the folder it runs in."""
    written = {f"/metrics {number}": metrics_of(target) for number in range(8)}  # of both workers, most likely
    written |= {
        str(one.relative_to(target.folder)): one.read_bytes() for one in target.folder.rglob("*") if one.is_file()
    }
    assert {"stdout", "stderr", "ledger.sqlite3"} <= written.keys()
    sought = [one.encode() for one in golden.CANARIES] + pieces(target.sent)
    assert not [(name, one) for name, text in written.items() for one in sought if one in text]


def metrics_of(target: Target) -> bytes:
    with target.line() as line:
        return line.ask(Asking(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "GET", hang_up=False))[0].body


def pieces(tokens: list[str]) -> list[bytes]:
    """What would give a token away: its claims, and its signature."""
    found = {part.encode("utf-8", "replace") for token in tokens for part in token.split(".")[1:3] if len(part) > 40}
    return sorted(found)


def test_the_server_wrote_no_trace_of_a_fault(target: Target) -> None:
    lines = [json.loads(line) for line in (target.folder / "stderr").read_text("utf-8").splitlines()]
    assert {"server", "refused"} <= {one["event"] for one in lines}
    assert not [one for one in lines if one["level"] == "error" and one["event"] != "database-down"]
    assert not [one for one in lines if WITHHELD in one.values()]
    assert (target.folder / "stdout").read_text("utf-8") == ""


def test_a_fault_of_the_server_itself_tells_its_kind_to_the_log_and_a_number_to_the_client() -> None:
    sent: list[bytes] = []
    app = SimpleNamespace(extensions={KEY: SimpleNamespace(knowledge=SimpleNamespace(version="2026.11.0"))})
    worker = SimpleNamespace(wsgi=app)
    with journal() as lines:
        Worker.handle_error(worker, None, SimpleNamespace(sendall=sent.append), None, ValueError(golden.NAME))
    head, _, body = sent[0].partition(b"\r\n\r\n")
    number = re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", json.loads(body)["issue"][0]["diagnostics"])
    assert head.startswith(b"HTTP/1.1 500 ")
    assert number
    (said,) = lines.fields
    assert (said["event"], said["correlation"], said["fault"]) == ("fault", number[0], "ValueError")
    assert golden.NAME not in lines.text


def test_a_good_token_is_one_to_a_library_too() -> None:
    token = token_of(GOOD, {"iss": "https://ehr.example.org", "aud": audience(GOOD)})
    found = jwt.decode(token, key("hospital").private.public_key(), ["ES384"], audience=audience(GOOD))
    assert found["iss"] == "https://ehr.example.org"


def test_there_are_many_cases_and_each_has_its_own_sentence() -> None:
    assert len(CASES) >= 250
    assert len({case.says for case in CASES}) == len(CASES)
