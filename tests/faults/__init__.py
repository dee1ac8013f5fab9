"""Faults of FHIR servers against the real service: every answer in time, nobody else the worse for it."""
