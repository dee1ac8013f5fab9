"""The cases of tests/spec that a canary patient was made of, by rule, in; the files of `cds_service/canary/patients` out.

python -m tests.canary_files      writes them anew; read what changed
"""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec

from cds_service.canary.canaries import FOLDER, Canary
from cds_service.canary.evaluation import answers
from hooks.knowledge import load, load_profiles
from tests.cases import AS_OF, CASES, Case
from tests.charts import PATIENT
from tests.fixture_files import pretty

COMMAND = "python -m tests.canary_files"
NOON = datetime.combine(AS_OF, time(12), UTC)
KNOWLEDGE = load()
PROFILES = load_profiles(KNOWLEDGE)

# Of each rule a case in which, under every profile that has it, it speaks and little else does; where there is one, on a boundary.
SAYS = {
    "scope": "A child of nine with CD4 50 and no ART gets the one scope card and no adult advice",
    "hepatitis-b-flare": "HBsAg positive, a switch takes tenofovir away: critical, its removal is offered",
    "art-timing": "Cryptococcal meningitis, day 27 of treatment: critical",
    "prophylaxis-agent": "TMP-SMX ordered after Stevens-Johnson syndrome to a sulfonamide: critical, another agent in its place",
    "didanosine-tenofovir": "Didanosine is being ordered, tenofovir disoproxil is taken: critical, its removal is offered",
    "cryptococcal-screen": "CD4 99 before ART: a warning",
    "pneumocystis-start": "CD4 199 a week ago and nothing taken: prophylaxis is due",
    "toxoplasma-start": "IgG positive, CD4 99: due, on the card of Pneumocystis, which one order answers too",
    "iris-counselling": "A start at CD4 420: counselling, level base",
    "virologic-failure": "WHO, 1001 and 1001, 90 days apart, after 180 days: confirmed failure",
    "immunologic-non-response": "CD4 300: review",
    "art-start": "Viral load 200 and no ART on record: ART is recommended",
    "tuberculosis-prevention": "A positive test and no preventive treatment: exclude active tuberculosis, then treat",
    "mac-start": "CD4 49, not on ART: starting ART leads, prophylaxis may be considered",
    "tb-iris-prednisone": "CD4 100 at the start",
    "cmv-eye-exam": "CD4 99 at the start",
    "immune-therapy": "Aldesleukin is ordered: not supported, its removal is offered",
    "iris-watch": "Viral load down by exactly 1 log10: said",
    "viremia-recheck": "200 after suppression: recheck",
    "monitoring-due": "WHO, started 210 days ago without a viral load since: due, by six months",
    "toxoplasma-test": "On ART, CD4 199, no IgG on file: the test is due",
    "histoplasmosis-start": "CD4 149",
    "coccidioidomycosis-start": "A positive serology at CD4 249",
    "talaromycosis-start": "CD4 99",
    "zidovudine-cotrimoxazole": "TMP-SMX is being ordered, zidovudine is taken: check the blood count",
    "pneumocystis-stop": "WHO: CD4 351 twice over 90 days: co-trimoxazole may be stopped",
    "toxoplasma-stop": "CD4 201 twice over 91 days: it can be stopped, with that of Pneumocystis on one card",
    "mac-stop": "CD4 101 twice over 90 days and one suppressed viral load: it can be stopped",
}


def files() -> dict[str, str]:
    """The content of every file by its name."""
    return {f"{rule}.json": pretty(content(rule)) + "\n" for rule in SAYS}


def content(rule: str) -> dict[str, Any]:
    """The canary of a rule as its file has it, with what the service answers to it now."""
    (case,) = (one for one in CASES if (one.rule, one.said["says"]) == (rule, SAYS[rule]))
    whole = {
        "rule": rule,
        "says": SAYS[rule],
        "day": AS_OF,
        "endemic": list(filter(None, case.said.get("endemic", "").split(","))),
        "expected": {},
        "request": request(case),
    }
    asked = [profile for profile in PROFILES.values() if rule not in profile.left_out]
    answered = answers(msgspec.convert(whole, Canary), NOON, KNOWLEDGE, asked)
    return plain(whole | {"expected": answered})


def request(case: Case) -> dict[str, Any]:
    """The request of the case under a name of its own, so that nobody takes it for a patient's."""
    own = {"hookInstance": str(uuid5(NAMESPACE_URL, f"https://immune-status-cds.org/canary/{case.rule}"))}
    text = msgspec.json.encode(case.chart().request(case.hook) | own).decode()
    found: dict[str, Any] = msgspec.json.decode(text.replace(PATIENT, f"canary-{case.rule}"))
    return found


def plain(whole: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(whole))
    return found


if __name__ == "__main__":
    for old in FOLDER.glob("*.json"):
        old.unlink()
    for name, text in files().items():
        (FOLDER / name).write_text(text, "utf-8")
    print(f"wrote {len(SAYS)} files to {FOLDER.name}")
