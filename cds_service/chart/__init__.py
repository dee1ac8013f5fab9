"""FHIR in, one PatientRecord out; the only rooms that know FHIR."""
