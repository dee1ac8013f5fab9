"""The name of a service that has much of its own to tell at `/` in; its page there out, as a browser with a language gets it."""

from datetime import UTC, datetime
from functools import cache

from flask import Flask

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.fixture_files import app_of

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def demo() -> Flask:
    return app_of(lambda: NOW)


def a_site() -> Flask:
    return create_app(Settings(database_url="sqlite://", public_url="https://cds.example.org/hiv"), lambda: NOW)


def nowhere() -> Flask:
    """A service that does not know its own address."""
    return create_app(Settings(database_url="sqlite://"), lambda: NOW)


def much_switched() -> Flask:
    return app_of(
        lambda: NOW,
        profile="who",
        endemic=frozenset({"histoplasmosis", "talaromycosis"}),
        cotrimoxazole_for_all=True,
        shadow=frozenset({"iris-watch"}),
    )


def overdue_and_in_shadow() -> Flask:
    return app_of(lambda: NOW.replace(year=2028), shadow=frozenset({"all"}))


SITES = {one.__name__: one for one in (demo, a_site, nowhere, much_switched, overdue_and_in_shadow)}


@cache
def told(site: str, language: str) -> str:
    """The text of the page."""
    return SITES[site]().test_client().get("/", headers={"Accept-Language": language}).text
