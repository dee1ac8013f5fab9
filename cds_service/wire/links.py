"""A service and where its reasons are shown in; out comes the link of a card to there, the same whoever the patient is."""

from cds_service import __version__
from hooks.assess import Service
from hooks.sentences import say

LABEL = say("Why am I seeing this?")  # it says nothing of anybody, wherever it is shown


def why_link(service: Service, address: str) -> dict[str, str]:
    """A SMART launch: who the patient is stays between the EHR and what it lends its token to."""
    return {"label": LABEL, "type": "smart", "url": address, "appContext": f"{service.id} {__version__}"}


def service_named(context: str) -> str:
    """What would be the id of the service whose card was followed, where the EHR hands on what the link carried."""
    return context.partition(" ")[0]
