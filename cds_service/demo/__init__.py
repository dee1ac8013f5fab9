"""The demo: a date comes in; invented patients as a FHIR endpoint and an EHR that plays their orders go out."""
