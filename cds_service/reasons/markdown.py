"""The Markdown of a card in, HTML out: paragraphs, lists, emphasis and links with https; all else is text, whatever it says."""

import re
from collections.abc import Iterator
from itertools import groupby

from markupsafe import Markup, escape

_LINK = re.compile(r"\[([^\[\]]+)\]\((https://[^\s()<>]+)\)")
_STRONG = re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*")
_EMPHASIS = re.compile(r"\*(?=[^\s*])(.+?)(?<=[^\s*])\*")
_ITEM = re.compile(r"\s*[-*+] +")


def rendered(text: str) -> Markup:
    """Safe to stand in a page."""
    blocks = re.split(r"\n\s*\n", text.strip())
    return Markup("\n".join(part for block in blocks for part in _block(block.splitlines())))  # noqa: S704  (escaped below)


def _block(lines: list[str]) -> Iterator[str]:
    for is_list, found in groupby(lines, key=lambda line: bool(_ITEM.match(line))):
        if is_list:
            items = "".join(f"<li>{_inline(_ITEM.sub('', line, count=1))}</li>" for line in found)
            yield f"<ul>{items}</ul>"
        elif words := " ".join(line.strip() for line in found):
            yield f"<p>{_inline(words)}</p>"


def _inline(text: str) -> str:
    """Escaped first: what is added afterwards is all the markup there is."""
    parts = _LINK.split(str(escape(text)))
    said = [_emphasised(parts[0])]
    for label, address, after in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        said += [f'<a href="{address}" rel="noreferrer">{_emphasised(label)}</a>', _emphasised(after)]
    return "".join(said)


def _emphasised(text: str) -> str:
    return _EMPHASIS.sub(r"<em>\1</em>", _STRONG.sub(r"<strong>\1</strong>", text))
