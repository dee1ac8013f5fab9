"""The demo charts in; transactions that put them into any FHIR R4 server out, and which id each patient has got there."""

from collections.abc import Iterable
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cds_service.demo.store import Charts, Resource


class NotTakenError(Exception):
    """The server did not take a transaction; in a sentence."""


def transaction(charts: Charts, patient: str) -> Resource:
    """Everything about one patient, as new resources: the server gives the ids, and puts them into the references."""
    resources = (*charts.clinic, *charts.by_patient[patient])
    names = {f"{one['resourceType']}/{one['id']}": f"urn:uuid:{uuid5(NAMESPACE_URL, one['id'])}" for one in resources}
    entries = [
        {
            "fullUrl": names[f"{one['resourceType']}/{one['id']}"],
            "resource": renamed({key: value for key, value in one.items() if key != "id"}, names),
            "request": {"method": "POST", "url": one["resourceType"]},
        }
        for one in resources
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def renamed(value: Any, names: dict[str, str]) -> Any:
    """The same with its references renamed."""
    if isinstance(value, list):
        return [renamed(one, names) for one in value]
    if isinstance(value, dict):
        return {key: names.get(one, one) if key == "reference" else renamed(one, names) for key, one in value.items()}
    return value


def new_id(sent: Resource, answer: Resource) -> str:
    """The id that the Patient of a transaction has got. Raises NotTakenError."""
    entries = answer.get("entry", ())
    refused = [one for one in entries if not str(one.get("response", {}).get("status", "")).startswith("2")]
    if refused or len(entries) != len(sent["entry"]):
        raise NotTakenError(f"the transaction was not taken whole: {_said(refused or [answer])}")
    kinds = [one["resource"]["resourceType"] for one in sent["entry"]]
    given: Resource = entries[kinds.index("Patient")]
    if "resource" in given:
        return str(given["resource"]["id"])
    return str(given["response"]["location"]).partition("Patient/")[2].partition("/")[0]


def _said(parts: Iterable[Any]) -> str:
    return "; ".join(str(one)[:300] for one in list(parts)[:3])
