"""A FHIR server that somebody runs in; out comes whether the service reads from it what it reads from prefetch."""
