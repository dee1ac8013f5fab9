"""What a CDS client sends, or what its FHIR server answers, in; out comes what this service can make of it and what it cannot."""
