"""A report in; one HTML file out that needs nothing besides itself: no script, no address; light, dark and on paper."""

from jinja2 import Environment, PackageLoader, StrictUndefined

from cds_service.doctor import words
from cds_service.doctor.findings import Report
from cds_service.doctor.tables import CODED, sections


def page(report: Report) -> str:
    """The whole page; whatever came from a client is escaped."""
    shapes = Environment(
        loader=PackageLoader("cds_service.doctor"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return shapes.get_template("report.html").render(
        title=words.title(report),
        made=words.made(report),
        summary=words.summary(report),
        sections=sections(report),
        coded=CODED,
        lines=report.lines,
        notes=words.NOTES,
    )
