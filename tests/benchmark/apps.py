"""The two applications that are measured: the service in full, and the floor it is compared with."""

import orjson
from flask import Flask, Response, request

from cds_service.app import create_app
from cds_service.settings import Settings

CARD = {"cards": [{"summary": "A constant card", "indicator": "info", "source": {"label": "floor"}}]}


def service_app(database: str) -> Flask:
    """The service in full, in open access."""
    return create_app(Settings(open_access=True, explain="full", database_url=f"sqlite:///{database}"))


def floor_app() -> Flask:
    """What any service in Flask costs that parses the request and answers at all."""
    app = Flask("floor")

    @app.post("/floor")
    def answer() -> Response:
        orjson.loads(request.get_data())
        return Response(orjson.dumps(CARD), content_type="application/json")

    return app
