"""A client of the trust file in; by what its charts are read and judged out."""

from cds_service.access import Issuer
from cds_service.reasons.evaluated import Client
from cds_service.web.wiring import Wiring


def client_of(parts: Wiring, issuer: Issuer) -> Client:
    """The codes, the templates and the guideline that hold for it."""
    return Client(
        knowledge=parts.knowledge_for(issuer),
        templates=parts.templates_for(issuer),
        profile=parts.profile_for(issuer).name,
        not_supplied=issuer.not_supplied,
        iss=issuer.iss,
    )
