"""Some invented captured requests in; the example report `docs/doctor-example.html` out.

python -m tests.doctor_example      writes the page anew
"""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cds_service.doctor.captured import captured
from cds_service.doctor.examine import Site, examine
from cds_service.doctor.findings import Report
from cds_service.doctor.page import page
from hooks.knowledge import load, load_profiles
from tests.fixture_files import REQUESTS

PAGE = Path(__file__).parents[1] / "docs" / "doctor-example.html"
COMMAND = "python -m tests.doctor_example"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FILES = (
    Path(__file__).parent / "data" / "doctor" / "local-codes.json",
    REQUESTS / "order-sign" / "epic-shapes.json",
    REQUESTS / "order-sign" / "sandbox-shapes.json",
    REQUESTS / "patient-view" / "results-that-cannot-be-read.json",
    REQUESTS / "refused" / "draft-orders-missing.json",
)


def report() -> Report:
    """What is found in them."""
    knowledge = load()
    site = Site(knowledge=knowledge, profile=load_profiles(knowledge)["dhhs"], now=NOW, issuer="an invented client")
    found = examine([captured(one.name, one.read_bytes()) for one in FILES], site)
    return replace(found, version="0")  # or each release would change the page


def text() -> str:
    """The page as it is committed."""
    return f"{page(report())}\n"


if __name__ == "__main__":
    PAGE.write_text(text(), "utf-8")
