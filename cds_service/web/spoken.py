"""A caller and what its request asks for in, the voice of the answer out; and on the answer, which languages it is in."""

from flask import Response, request

from cds_service.access import Issuer
from cds_service.languages import ENGLISH, LANGUAGES, Voice, load


def voice_for(issuer: Issuer) -> Voice:
    """In the language of the client's entry; else in that which the request accepts, if we have it; else in English."""
    english = ENGLISH.language
    wanted = issuer.language or request.accept_languages.best_match(LANGUAGES, english)
    return Voice(load(wanted)) if wanted and wanted != english else Voice()


def marked(response: Response, voice: Voice) -> Response:
    """The same response, with what tells its language, and that the request decides on it."""
    response.headers["Content-Language"] = voice.spoken
    response.vary.add("Accept-Language")
    return response
