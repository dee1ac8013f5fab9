"""Ids of a patient and of another in; references to him, to another and to nobody out, in the forms that clients write."""

from collections.abc import Callable
from typing import Any

SERVER, ELSEWHERE = "https://ehr.example.org/fhir", "https://other.example.org/fhir"
URN = "urn:uuid:3a3f0a0e-6f0e-4e2f-9a5b-1f0e2d3c4b5a"
OTHER_URN = "urn:uuid:00000000-0000-4000-8000-000000000000"
Form = Callable[[str, str], Any]  # his id and the other's in, a reference out

ANOTHERS: dict[str, Form] = {
    "relative": lambda _, other: {"reference": f"Patient/{other}"},
    "versioned": lambda _, other: {"reference": f"Patient/{other}/_history/2"},
    "absolute, same server": lambda _, other: {"reference": f"{SERVER}/Patient/{other}"},
    "absolute, other server": lambda _, other: {"reference": f"{ELSEWHERE}/Patient/{other}"},
    "his id on another server": lambda his, _: {"reference": f"{ELSEWHERE}/Patient/{his}"},
    "his id on another port": lambda his, _: {"reference": f"https://ehr.example.org:8443/fhir/Patient/{his}"},
    "his id on another path": lambda his, _: {"reference": f"https://ehr.example.org/Patient/{his}"},
    "a urn nobody has": lambda _, __: {"reference": OTHER_URN},
    "case changed": lambda his, _: {"reference": f"Patient/{his.swapcase() if his.swapcase() != his else 'a' + his}"},
    "zero before it": lambda his, _: {"reference": f"Patient/0{his}"},
    "zero behind it": lambda his, _: {"reference": f"Patient/{his}0"},
    "with a display": lambda _, other: {"reference": f"Patient/{other}", "display": "Invented, Ann", "type": "Patient"},
    "with his identifier": lambda his, other: {"reference": f"Patient/{other}", "identifier": {"value": his}},
    "with a display that is none": lambda _, other: {"reference": f"Patient/{other}", "display": 5},
    "in a list": lambda his, other: [{"reference": f"Patient/{his}"}, {"reference": f"Patient/{other}"}],
}
NOBODYS: dict[str, Form] = {
    "identifier": lambda his, _: {"identifier": {"system": "urn:oid:1.2.36", "value": his}},
    "display": lambda _, __: {"display": "Invented, Ann"},
    "missing": lambda _, __: None,
    "empty": lambda _, __: {},
    "empty reference": lambda _, __: {"reference": ""},
    "blank behind it": lambda his, _: {"reference": f"Patient/{his} "},
    "blank before it": lambda _, other: {"reference": f" Patient/{other}"},
    "type in small letters": lambda his, _: {"reference": f"patient/{his}"},
    "id alone": lambda his, _: {"reference": his},
    "a search": lambda his, _: {"reference": f"Patient?_id={his}"},
    "a group": lambda his, _: {"reference": f"Group/{his}"},
    "within the resource": lambda _, __: {"reference": "#patient"},
    "a number": lambda _, __: 123,
    "text": lambda his, _: f"Patient/{his}",
}
HIS: dict[str, Form] = {
    "relative": lambda his, _: {"reference": f"Patient/{his}"},
    "versioned": lambda his, _: {"reference": f"Patient/{his}/_history/7"},
    "absolute": lambda his, _: {"reference": f"{SERVER}/Patient/{his}"},
    "absolute with a port": lambda his, _: {"reference": f"https://EHR.example.org:443/fhir/Patient/{his}"},
    "the urn of his entry": lambda _, __: {"reference": URN},
}
