"""Results of one measure in, their picture over time out: SVG, a sentence for those who do not see it, and the rows of a table."""

from cds_service.plots.bands import Band, treatment
from cds_service.plots.draw import Tell, draw
from cds_service.plots.limits import Limit
from cds_service.plots.plot import Plot, cd4, span, viral_load
from cds_service.plots.say import Row, rows, told

__all__ = ["Band", "Limit", "Plot", "Row", "Tell", "cd4", "draw", "rows", "span", "told", "treatment", "viral_load"]
