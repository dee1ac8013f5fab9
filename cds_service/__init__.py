"""The shell: carries the core over HTTP, reads FHIR, remembers feedback, knows the clock."""

__version__ = "0.1.0"
