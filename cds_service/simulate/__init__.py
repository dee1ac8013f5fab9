"""The simulator: the address of any CDS Hooks service comes in; an EHR that calls it, and what its answers are worth, go out."""
