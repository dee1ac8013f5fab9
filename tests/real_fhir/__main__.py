"""`python -m tests.real_fhir URL`: puts the demo patients into a FHIR R4 server, and reads them from there through the service.

The server is a test server of yours: its patients are new ones each time, and nobody deletes them.
"""

import argparse
import os
import subprocess
import sys
from typing import Any

import requests

from cds_service.app import system_clock
from cds_service.chart.templates import prefetch_templates
from cds_service.demo.ehr import plain_session
from cds_service.demo.moments import Moments
from cds_service.demo.store import Charts, open_charts
from hooks.knowledge import load
from tests.real_fhir.asking import ehr
from tests.real_fhir.charts import NotTakenError, new_id, transaction

SECONDS = 60


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0 where each answer is the same as with prefetch, 1 where one is not, 2 where nothing could be tried."""
    parser = argparse.ArgumentParser(prog="python -m tests.real_fhir", description=__doc__)
    parser.add_argument("url", metavar="URL", help="the base of a FHIR R4 server that takes transactions")
    parser.add_argument("--bearer-env", metavar="NAME", help="the environment variable that holds a token for it")
    options = parser.parse_args(arguments)
    url, bearer = options.url.rstrip("/"), os.environ[options.bearer_env] if options.bearer_env else None
    charts = open_charts(system_clock().date())
    try:
        patients = put(charts, url, bearer)
    except (NotTakenError, requests.RequestException) as fault:
        print(f"tests.real_fhir: {fault}", file=sys.stderr)
        return 2
    wrong = compare(charts, patients, url, bearer)
    check = [sys.executable, "-m", "cds_service", "check", url, "--allow-private"]
    named = [part for one in patients.values() for part in ("--patient", one)]
    token = ["--bearer-env", options.bearer_env] if options.bearer_env else []
    print(flush=True)
    return max(subprocess.run([*check, *named, *token], check=False).returncode, 1 if wrong else 0)


def put(charts: Charts, url: str, bearer: str | None) -> dict[str, str]:
    """The id there of each demo patient. Raises NotTakenError, RequestException."""
    found = {}
    headers = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
    with plain_session() as session:
        session.headers.update(headers | ({"Authorization": f"Bearer {bearer}"} if bearer else {}))
        for patient in charts.by_patient:
            sent = transaction(charts, patient)
            got = session.post(url, json=sent, timeout=SECONDS)
            answer: dict[str, Any] = got.json()
            if not got.ok:
                raise NotTakenError(f"{got.status_code}: {str(answer)[:500]}")
            found[patient] = new_id(sent, answer)
            print(f"{patient}: {len(sent['entry'])} resources, Patient/{found[patient]}")
    return found


def compare(charts: Charts, patients: dict[str, str], url: str, bearer: str | None) -> int:
    """Prints what each moment is answered; how many are not the same."""
    wrong = 0
    with ehr(url, bearer) as client:
        for moment in Moments(prefetch_templates(load())).on(charts.as_of):
            sent, read = (
                client.with_prefetch(moment),
                client.without(moment, patients[moment.request["context"]["patientId"]]),
            )
            differs = sent.differs(read)
            wrong += bool(differs)
            cards = f"{len(read.cards)} cards, {'complete' if read.complete else 'not complete'}"
            print(
                f"{moment.label}: {read.status} in {read.seconds:.2f} s, {cards}: {differs or 'the same as with prefetch'}"
            )
    return wrong


if __name__ == "__main__":
    sys.exit(main())
