"""Whose is a resource? A subject reference in; "his", "another's" or "cannot tell" out."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from cds_service.chart.elements import Patient
from cds_service.errors import Contradiction

_RELATIVE = re.compile(r"Patient/([A-Za-z0-9\-._]{1,64})(?:/_history/[A-Za-z0-9\-._]{1,64})?")
_ABSOLUTE = re.compile(r"(https?://[^\s#?]+)/" + _RELATIVE.pattern)
_MERGED = ("replaces", "replaced-by")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Subject:
    """The patient of the request, by all the names the request itself gives him."""

    patient_id: str
    server: str | None
    also: frozenset[str] = field(default=frozenset())  # ids merged into his
    urns: frozenset[str] = field(default=frozenset())
    _judged: dict[str, bool | None] = field(default_factory=dict, compare=False)  # a chart repeats the same reference

    def owns(self, reference: str | None) -> bool | None:
        """True: his. False: another patient's. None: the reference does not say (missing, logical, contained, a group)."""
        if not reference:
            return None
        if reference not in self._judged:
            self._judged[reference] = self._judge(reference)
        return self._judged[reference]

    def _judge(self, reference: str) -> bool | None:
        if reference.startswith("urn:uuid:"):
            return reference in self.urns or reference[9:] == self.patient_id
        absolute = _ABSOLUTE.fullmatch(reference)
        if absolute:
            same = self.server is None or _address(absolute[1]) == _address(self.server)
            return same and self._is(absolute[2])
        relative = _RELATIVE.fullmatch(reference)
        return self._is(relative[1]) if relative else None

    def _is(self, patient_id: str) -> bool:
        return patient_id == self.patient_id or patient_id in self.also


def identify_subject(
    patient_id: str, server: str | None, patients: Iterable[tuple[Patient, str | None]], references: Iterable[str]
) -> Subject:
    """The patient with the ids merged into his own. Without a known FHIR server all absolute references must agree on one.

    Raises Contradiction where they do not, or where a Patient of another id came.
    """
    patients = list(patients)
    own = [(one, url) for one, url in patients if one.id == patient_id]
    links = [link.other.reference for one, _ in own for link in one.link or () if link.other and link.type in _MERGED]
    server = server or _only_server(references)
    merged = frozenset(found for text in links if (found := _id_here(text, server)))
    urns = frozenset(url for _, url in own if url and url.startswith("urn:uuid:"))
    if any(one.id is not None and one.id != patient_id and one.id not in merged for one, _ in patients):
        raise Contradiction("A Patient resource is not the patient of the context. Send one patient's data only.")
    return Subject(patient_id, server, merged, urns)


def _id_here(reference: str | None, server: str | None) -> str | None:
    """The id that a reference names on this server; the same id on another server is another patient."""
    absolute = _ABSOLUTE.fullmatch(reference or "")
    if absolute:
        return absolute[2] if server and _address(absolute[1]) == _address(server) else None
    relative = _RELATIVE.fullmatch(reference or "")
    return relative[1] if relative else None


def _only_server(references: Iterable[str]) -> str | None:
    found = {_address(match[1]): match[1] for text in references if (match := _ABSOLUTE.fullmatch(text))}
    if len(found) > 1:
        raise Contradiction("Patients of more than one FHIR server are referred to. Send one patient's data only.")
    return next(iter(found.values()), None)


def _address(base: str) -> tuple[str, str | None, int | None, str]:
    """Scheme, host, port and path of a base address, so that :443 and a trailing slash make no difference."""
    try:
        parts = urlsplit(base)
        return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme), parts.path.rstrip("/")
    except ValueError:
        return "", None, None, base
