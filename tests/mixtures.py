"""A source of chance in; requests into which another patient's data, or nobody's, was mixed, and what must become of them, out."""

import copy
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal

from tests.charts import PATIENT, Chart
from tests.fixture_files import ANCHOR
from tests.random_charts import ALLERGIES, ART, PROBLEMS, PROPHYLAXIS, RESULTS
from tests.reference_forms import ANOTHERS, ELSEWHERE, HIS, NOBODYS, SERVER, URN

IDS = [PATIENT, "123", "0417-a.b", "eAB3mDIBBcyUKviyzrxsnAw3", "Invented_9"]
HOOKS = ("order-sign", "order-sign", "order-select", "patient-view")
Json = dict[str, Any]

NOT_READ = ("Encounter", "Procedure", "DiagnosticReport", "Immunization", "FamilyMemberHistory", "Coverage")
OWNER = {"AllergyIntolerance": "patient", "Immunization": "patient", "FamilyMemberHistory": "patient"}
OWNER |= {"Coverage": "beneficiary"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mixed:
    """One request, and what must become of it. `without`: the same before anything was mixed in."""

    request: Json
    without: Json
    expected: Literal["refused", "no part in it", "answered alike"]
    how: str = field(default="")


def mixed(chance: Random) -> Mixed:
    """One of the three kinds: mostly another patient's data, else what does not say whose it is, else all his in other forms."""
    hook, his = chance.choice(HOOKS), chance.choice(IDS)
    other = chance.choice([one for one in [*IDS, his + "1", "9" + his] if one != his])
    without = renamed(Chart(said(chance, hook), ANCHOR).request(hook), his)
    without["fhirServer"] = SERVER
    request = copy.deepcopy(without)
    kind = chance.random()
    if kind < 0.1:
        name = chance.choice(sorted(HIS))
        _spell(request, HIS[name](his, other))
        return Mixed(request=request, without=without, expected="answered alike", how=name)
    theirs = _of(chance, other)
    if kind < 0.4:
        name = chance.choice(sorted(NOBODYS))
        place = _beside(chance, request, _owned(theirs, NOBODYS[name](his, other)), with_orders=False)
        return Mixed(request=request, without=without, expected="no part in it", how=f"{name}, {place}")
    how = chance.choice(CHANGES if kind < 0.65 else [_reference])(chance, request, theirs, his, other)
    return Mixed(request=request, without=without, expected="refused", how=how)


def _reference(chance: Random, request: Json, theirs: Json, his: str, other: str) -> str:
    name = chance.choice(sorted(ANOTHERS))
    return f"{name}, {_beside(chance, request, _owned(theirs, ANOTHERS[name](his, other)))}"


def _beside(chance: Random, request: Json, one: Json, with_orders: bool = True) -> str:
    """Puts a resource somewhere among his, and says where."""
    at, key = chance.randrange(8), chance.choice([key for key in request["prefetch"] if key != "patient"])
    entry = {"resource": one, **({"fullUrl": f"{SERVER}/{one['resourceType']}/{one['id']}"} if at % 2 else {})}
    if at < 4:
        entries = request["prefetch"][key]["entry"]
        entries.insert(chance.randint(0, len(entries)), entry)
        return key
    if at == 4:
        inner = {"resourceType": "Bundle", "type": "searchset", "entry": [entry]}
        request["prefetch"][key]["entry"].append({"resource": inner})
        return f"a Bundle in {key}"
    if at == 5:
        request["prefetch"]["more"] = one
        return "alone under a key nobody asked for"
    if at == 6 or not with_orders or "draftOrders" not in request["context"]:
        request["prefetch"]["older"] = {"response": {"status": "200 OK"}, "resource": one}
        return "as before CDS Hooks 1.0"
    request["context"]["draftOrders"]["entry"].append(entry)
    return "draftOrders"


def _contained(chance: Random, request: Json, theirs: Json, _: str, other: str) -> str:
    entries = [entry for key in request["prefetch"].values() for entry in key.get("entry", ())]
    host = chance.choice(entries)["resource"] if entries else request["prefetch"]["patient"]
    host["contained"] = [_owned(theirs, {"reference": f"Patient/{other}"})]
    return "contained"


def _second_owner(chance: Random, request: Json, theirs: Json, his: str, other: str) -> str:
    whose = [{"reference": f"Patient/{his}"}, {"reference": f"Patient/{other}"}]
    if chance.random() < 0.5:
        whose.reverse()
    return f"of two patients, {_beside(chance, request, theirs | {'subject': whose[0], 'patient': whose[1]})}"


def _patient_swapped(_: Random, request: Json, __: Json, ___: str, other: str) -> str:
    request["prefetch"]["patient"]["id"] = other
    return "the Patient resource swapped"


def _patient_beside(chance: Random, request: Json, _: Json, __: str, other: str) -> str:
    one = {"resourceType": "Patient", "id": other, "birthDate": "2019-01-01"}
    return f"a second Patient, {_beside(chance, request, one)}"


def _context_swapped(_: Random, request: Json, __: Json, ___: str, other: str) -> str:
    request["context"]["patientId"] = other
    return "the patient of the context swapped"


def _lent_for(chance: Random, request: Json, _: Json, __: str, other: str) -> str:
    patient = chance.choice([other, f"Patient/{other}", f"{request['context']['patientId']} ", ""])
    request["fhirAuthorization"] = {"access_token": "invented", "token_type": "Bearer", "expires_in": 300} | {
        "patient": patient
    }
    return "the authorization for another"


def _two_servers(_: Random, request: Json, __: Json, his: str, ___: str) -> str:
    """No server is named, so that all absolute references must agree on one."""
    del request["fhirServer"]
    for key, server in (("conditions", SERVER), ("cd4", ELSEWHERE)):
        one = {"resourceType": "Encounter", "id": "e", "subject": {"reference": f"{server}/Patient/{his}"}}
        request["prefetch"][key]["entry"].append({"resource": one})
    return "one id on two servers"


def _see_also(_: Random, request: Json, theirs: Json, __: str, other: str) -> str:
    """Linked, but not merged."""
    request["prefetch"]["patient"]["link"] = [{"other": {"reference": f"Patient/{other}"}, "type": "seealso"}]
    request["prefetch"]["cd4"]["entry"].append({"resource": _owned(theirs, {"reference": f"Patient/{other}"})})
    return "a record that is linked only"


CHANGES = [_contained, _second_owner, _patient_swapped, _patient_beside]
CHANGES += [_context_swapped, _lent_for, _two_servers, _see_also]


def _owned(one: Json, reference: Any) -> Json:
    """The resource as somebody's: its subject where its kind has one, or what its kind has in its place."""
    name = OWNER.get(one["resourceType"], "subject")
    rest = {key: value for key, value in one.items() if key not in ("subject", "patient", "beneficiary")}
    return rest if reference is None else rest | {name: reference}


def _spell(request: Json, reference: Any) -> None:
    """All references to him in one other form; his own entry bears the URN."""
    request["prefetch"]["patient"] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"fullUrl": URN, "resource": request["prefetch"]["patient"]}],
    }
    orders = request["context"].get("draftOrders", {"entry": []})
    for found in (*request["prefetch"].values(), orders):
        for entry in found["entry"]:
            if {"subject", "patient"} & entry["resource"].keys():
                entry["resource"] = _owned(entry["resource"], reference)


def _of(chance: Random, other: str) -> Json:
    """One resource of the other patient's chart, with numbers that are in no chart of his; or one of a kind that is not read."""
    if chance.random() < 0.1:
        return {"resourceType": chance.choice(NOT_READ), "id": f"theirs-{other}", "status": "finished"}
    chart = Chart(said(chance, "patient-view", counts=[37, 77, 777], loads=[7773, 777777]), ANCHOR).prefetch()
    entries = [entry for key in chart.values() for entry in key.get("entry", ())]
    one: Json = chance.choice(entries)["resource"]
    return one | {"id": f"theirs-{one['id']}"}


def renamed(node: Any, his: str) -> Any:
    """A request of the invented patient as that of another id."""
    if isinstance(node, dict):
        return {name: renamed(one, his) for name, one in node.items()}
    if isinstance(node, list):
        return [renamed(one, his) for one in node]
    return {PATIENT: his, f"Patient/{PATIENT}": f"Patient/{his}"}.get(node, node) if isinstance(node, str) else node


def said(chance: Random, hook: str, counts: list[Any] | None = None, loads: list[Any] | None = None) -> Json:
    """A chart in the words of `tests.charts`."""
    counts = counts or [20, 49, 50, 80, 99, 100, 150, 199, 200, 240, 350, 600, "<200"]
    loads = loads or ["<20", 49, 120, 199, 200, 1000, 60000, 400000, "not detected"]
    days = ["1", "10", "60", "91", "100", "181", "300", "400"]
    drugs = chance.choices(ART, k=chance.randint(0, 2)) + chance.choices(PROPHYLAXIS, k=chance.randint(0, 2))
    chart = {
        "problems": ["HIV infection", *chance.sample(PROBLEMS, chance.randint(0, 3))],
        "cd4": {day: chance.choice(counts) for day in chance.sample(days, chance.randint(1, 4))},
        "cd4-percent": {day: chance.choice([8, 13.9, 20]) for day in chance.sample(days, chance.randint(0, 2))},
        "viral-load": {day: chance.choice(loads) for day in chance.sample(days, chance.randint(0, 4))},
        "medications": [{"what": one, "since": chance.choice([5, 40, 120, 400, 900])} for one in drugs],
        "allergies": chance.sample(ALLERGIES, chance.randint(0, 2)),
        "labs": {test: {"60": chance.choice(RESULTS[test])} for test in RESULTS if chance.random() < 0.4},
        "statements": chance.sample(PROPHYLAXIS, chance.randint(0, 1)),
        "orders": chance.sample(["CD4 count", "viral load"], chance.randint(0, 1)),
    }
    if hook != "patient-view":
        chart["drafts"] = chance.choices([*ART, *PROPHYLAXIS, "CD4 count"], k=chance.randint(1, 3))
    return chart
