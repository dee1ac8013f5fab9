"""The text of a card in, markup out; on a page of another language the titles of its sources are marked as English."""

from collections.abc import Callable, Iterable

from markupsafe import Markup

from cds_service.languages import ENGLISH, Voice
from cds_service.reasons import markdown
from cds_service.reasons.evaluated import Evaluated
from cds_service.web.spoken import in_english


def rendering(made: Iterable[Evaluated], voice: Voice) -> Callable[[str], Markup]:
    """For the cards of these evaluations."""
    if voice.language == ENGLISH.language:
        return markdown.rendered
    said = [one.recommendation for each in made for one in each.assessment.findings if one.recommendation]
    titles = {str(cite) for one in said for cite in one.cites}
    return lambda text: in_english(markdown.rendered(text), titles)
