"""CDS Hooks on the wire: discovery, request envelope, cards, feedback; their JSON Schemas stand in `schemas/`."""
