"""The text of the page at `/` in; its elements as a tree out, so that a test can ask what stands where."""

from html.parser import HTMLParser
from xml.etree.ElementTree import Element, TreeBuilder

VOID = ("meta", "link")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.made = TreeBuilder()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.made.start(tag, {name: said or "" for name, said in attrs})
        if tag in VOID:
            self.made.end(tag)
        else:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"{tag} closes another element"
        self.made.end(tag)

    def handle_data(self, data: str) -> None:
        if self.open:
            self.made.data(data)


def read(text: str) -> Element:
    """Every element is closed where it was opened, or this fails."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader.made.close()


def words(found: Element) -> str:
    """All that is written in an element, with single spaces."""
    return " ".join("".join(found.itertext()).split())


def by_id(page: Element, name: str) -> Element:
    (found,) = [one for one in page.iter() if one.get("id") == name]
    return found


def rows(found: Element) -> list[list[str]]:
    """The cells of every row of the tables in an element."""
    return [[words(cell) for cell in row] for row in found.iter("tr")]
