"""Each status at each address in the published document, brought about; the answer is the one the document promises."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from cds_service.web import workbench
from cds_service.web.admission import Admission
from cds_service.web.wiring import KEY
from tests.clients import CdsClient
from tests.fixture_files import app_of, legal
from tests.openapi_document import Published
from tests.test_access import CLOCK, JSON, NOW, ONE, OVERRIDDEN, PASSWORD, Site

CALL, FEEDBACK = "/cds-services/immune-status-order-sign", "/cds-services/immune-status-order-sign/feedback"
REQUEST = legal("cd4-120-starting-art")
GOOD = {CALL: REQUEST, FEEDBACK: OVERRIDDEN}
POSTS = [CALL, FEEDBACK]
PAGES = ["/cds-services", "/healthz", "/readyz", "/metrics", "/", "/static/style.css", "/openapi.json"]
SHEET = "/static/style.css"
REPORT, BENCH = "/report", "/workbench"


class Slow:
    """A body that does not come."""

    def read(self, _: int) -> bytes:
        raise TimeoutError


def post(site: Site, path: str, **changes: Any) -> TestResponse:
    """A call that is good but for what is changed."""
    usual = {"data": json.dumps(GOOD[path]), "headers": JSON | ONE.authorization(path, NOW)}
    return site.client.post(path, **(usual | changes))


def full(site: Site, path: str) -> TestResponse:
    object.__setattr__(site.app.extensions[KEY], "admission", Admission(at_work=0, waiting=0))
    return post(site, path)


def crowded(site: Site, path: str) -> TestResponse:
    object.__setattr__(site.app.extensions[KEY], "admission", Admission(of_one_issuer=0))
    return post(site, path)


def without_ledger(site: Site, path: str) -> TestResponse:
    with closing(sqlite3.connect(site.database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        answer = post(site, path)
        other.execute("ROLLBACK")
    return answer


def unready(site: Site, path: str) -> TestResponse:
    for file in site.database.parent.glob("ledger*"):
        file.unlink()
    return site.client.get(path)


def slow(site: Site, path: str) -> TestResponse:
    as_gunicorn_has_it = {"wsgi.input": Slow(), "wsgi.input_terminated": True, "CONTENT_LENGTH": "1"}
    return post(site, path, environ_overrides=as_gunicorn_has_it)


def unmodified(site: Site, path: str) -> TestResponse:
    with closing(site.client.get(path)) as first:
        return site.client.get(path, headers={"If-None-Match": first.headers["ETag"]})


def report(site: Site, query: str = "", said: str = PASSWORD) -> TestResponse:
    return site.client.get(f"{REPORT}{query}", auth=("anybody", said))


def guessed(site: Site, _: str) -> TestResponse:
    return [report(site, said=f"guess {number}") for number in range(20)][-1]


def report_without_ledger(site: Site, _: str) -> TestResponse:
    for file in site.database.parent.glob("ledger*"):
        file.unlink()
    return report(site)


def bench(site: Site, said: str = PASSWORD, **changes: Any) -> TestResponse:
    """What the form of the workbench sends."""
    return site.client.post(BENCH, auth=("anybody", said), **({"data": {"cd4": "90"}} | changes))


def bench_slow(site: Site, _: str) -> TestResponse:
    form = {"CONTENT_TYPE": "application/x-www-form-urlencoded"}
    as_gunicorn_has_it = {"wsgi.input": Slow(), "wsgi.input_terminated": True, "CONTENT_LENGTH": "1"}
    return bench(site, data=None, environ_overrides=as_gunicorn_has_it | form)


def bench_taken(site: Site, _: str) -> TestResponse:
    with workbench._turn:
        return bench(site)


def bench_guessed(site: Site, _: str) -> TestResponse:
    return [bench(site, f"guess {number}") for number in range(20)][-1]


def report_elsewhere(_: Site, path: str) -> TestResponse:
    return app_of(CLOCK).test_client().get(path, environ_overrides={"REMOTE_ADDR": "192.0.2.7"})


ANSWERS: list[tuple[str, int, str, Callable[[Site, str], TestResponse]]] = [
    *[("good", 200, path, post) for path in POSTS],
    *[("no token", 401, path, lambda site, path: post(site, path, headers=JSON)) for path in POSTS],
    *[("no such service", 404, path, lambda site, path: site.client.post(path.replace("order", "no"))) for path in POSTS],
    *[("slow", 408, path, slow) for path in POSTS],
    *[("too large", 413, path, lambda site, path: post(site, path, data=b" " * (5 << 20))) for path in POSTS],
    *[("no JSON type", 415, path, lambda site, path: post(
        site, path, headers=ONE.authorization(path, NOW) | {"Content-Type": "text/plain"})) for path in POSTS],
    *[("no JSON", 400, path, lambda site, path: post(site, path, data="{")) for path in POSTS],
    *[("crowded", 429, path, crowded) for path in POSTS],
    *[("full", 503, path, full) for path in POSTS],
    *[("no ledger", 503, path, without_ledger) for path in POSTS],
    ("not ready", 503, "/readyz", unready),
    ("a stranger", 401, CALL, lambda site, path: post(
        site, path, headers=JSON | CdsClient(iss="https://stranger.example.org").authorization(path, NOW))),
    ("another hook", 422, CALL, lambda site, path: post(site, path, json=REQUEST | {"hook": "patient-view"}, data=None)),
    ("no data", 412, CALL, lambda site, path: post(site, path, json=REQUEST | {"prefetch": {}}, data=None)),
    ("metrics elsewhere", 403, "/metrics", lambda site, path: site.client.get(
        path, environ_overrides={"REMOTE_ADDR": "192.0.2.7"})),
    *[("read", 200, path, lambda site, path: site.client.get(path)) for path in PAGES],
    *[("head", 200, path, lambda site, path: site.client.head(path)) for path in PAGES],
    ("no such file", 404, SHEET, lambda site, _: site.client.get("/static/none.css")),
    ("no such file, head", 404, SHEET, lambda site, _: site.client.head("/static/none.css")),
    ("a part", 206, SHEET, lambda site, path: site.client.get(path, headers={"Range": "bytes=0-3"})),
    ("no part", 400, SHEET, lambda site, path: site.client.get(path, headers={"Range": "bytes=900000-"})),
    ("unmodified", 304, SHEET, unmodified),
    ("page", 200, REPORT, lambda site, _: report(site)),
    ("page, head", 200, REPORT, lambda site, path: site.client.head(path, auth=("", PASSWORD))),
    *[(form, 200, REPORT, lambda site, _, form=form: report(site, f"?format={form}&by=week")) for form in ("csv", "json")],
    ("no form", 400, REPORT, lambda site, _: report(site, "?format=pdf")),
    ("no day", 400, REPORT, lambda site, _: report(site, "?from=yesterday")),
    ("no password", 401, REPORT, lambda site, path: site.client.get(path)),
    ("a token", 401, REPORT, lambda site, path: site.client.get(path, headers=ONE.authorization(path, NOW))),
    ("wrong password", 401, REPORT, lambda site, _: report(site, said="guess")),
    ("many passwords", 429, REPORT, guessed),
    ("bench", 200, BENCH, lambda site, _: bench(site)),
    ("bench, read", 200, BENCH, lambda site, path: site.client.get(path, auth=("", PASSWORD))),
    ("bench, head", 200, BENCH, lambda site, path: site.client.head(path, auth=("", PASSWORD))),
    ("bench, no password", 401, BENCH, lambda site, path: site.client.post(path)),
    ("bench, many passwords", 429, BENCH, bench_guessed),
    ("bench, elsewhere", 404, BENCH, report_elsewhere),
    ("bench, slow", 408, BENCH, bench_slow),
    ("bench, no form", 415, BENCH, lambda site, _: bench(site, data="{}", content_type="application/json")),
    ("bench, many fields", 400, BENCH, lambda site, _: bench(site, data={f"field-{one}": "x" for one in range(50)})),
    ("bench, another at work", 503, BENCH, bench_taken),
    ("no report", 404, REPORT, report_elsewhere),
    ("no ledger to report on", 503, REPORT, report_without_ledger),
    *[("options", 204, path, lambda site, path: site.client.options(path)) for path in [*POSTS, *PAGES, REPORT, BENCH]],
    *[("preflight", 204, path, lambda site, path: site.client.options(path, headers={
        "Origin": "https://ehr.example.org", "Access-Control-Request-Method": "POST"}))
        for path in [*POSTS, *PAGES, REPORT, BENCH]],
    *[("another method", 405, path, lambda site, path: site.client.delete(path)) for path in [*POSTS, *PAGES, REPORT, BENCH]],
]  # fmt: skip


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, 'origins = ["https://ehr.example.org"]')


def published(site: Site) -> Published:
    return Published(site.client.get("/openapi.json").get_json())


def named(case: Any) -> str:
    return case if isinstance(case, str) else ""


@pytest.mark.parametrize(("says", "status", "path", "make"), ANSWERS, ids=named)
def test_an_answer_is_the_one_that_is_published(
    site: Site, says: str, status: int, path: str, make: Callable[[Site, str], TestResponse]
) -> None:
    document = published(site)
    with closing(make(site, path)) as answer:
        assert answer.status_code == status, says
        method = "POST" if path in POSTS else "GET"
        asked = method if status == 405 else answer.request.method  # a method that is refused is not in the document
        headers = dict(answer.headers)
        assert not document.faults(asked, answer.request.path, status, headers, answer.data)


@pytest.mark.parametrize("path", [*POSTS, *PAGES, REPORT, BENCH])
def test_a_bug_is_answered_as_published(site: Site, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    document = published(site)
    for name in site.app.view_functions:
        monkeypatch.setitem(site.app.view_functions, name, lambda **_: 1 / 0)
    answer = post(site, path) if path in POSTS else site.client.get(path)
    assert answer.status_code == 500
    assert not document.faults_of(answer)


def test_each_status_in_the_document_is_brought_about(site: Site) -> None:
    document = published(site)
    anywhere = {"400", "405", "414", "417", "431", "500", "501"}
    promised = {
        (address, status)
        for address, path in document.document["paths"].items()
        for method, operation in path.items()
        if method in ("get", "post")
        for status in operation["responses"]
    }
    reached = {(document.address(path), str(status)) for _, status, path, _ in ANSWERS}
    assert {one for one in promised - reached if one[1] not in anywhere} == set()
    assert reached - promised <= {(address, "204") for address, _ in promised}


def test_the_check_sees_what_is_not_promised(site: Site) -> None:
    document, answer = published(site), site.client.get("/healthz")
    headers = dict(answer.headers)
    assert document.faults("GET", "/healthz", 200, headers, answer.data) == []
    for method, path, status, changed, body in (
        ("GET", "/nowhere", 200, {}, answer.data),
        ("PUT", "/healthz", 200, {}, answer.data),
        ("GET", "/healthz", 202, {}, answer.data),
        ("GET", "/healthz", 200, {"X-Powered-By": "x"}, answer.data),
        ("GET", "/healthz", 200, {"Cache-Control": "private"}, answer.data),
        ("GET", "/healthz", 200, {"Content-Type": "text/html"}, answer.data),
        ("GET", "/healthz", 200, {}, b'{"status": "well"}'),
        ("HEAD", "/healthz", 200, {}, answer.data),
    ):
        assert document.faults(method, path, status, headers | changed, body)
    del headers["X-Knowledge-Version"]
    assert document.faults("GET", "/healthz", 200, headers, answer.data)
