"""Sentences in, the same in the language of whoever reads them out: whole cards, from catalogues read when the service starts."""

from cds_service.languages.catalogue import LANGUAGES, load
from cds_service.languages.voice import ENGLISH, Untranslated, Voice

__all__ = ["ENGLISH", "LANGUAGES", "Untranslated", "Voice", "load"]
