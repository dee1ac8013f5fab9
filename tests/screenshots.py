"""The pages of the running demo in; out comes docs/screenshots: each by day and by night, wide and narrow, and an index.

python -m tests.screenshots      takes them anew; the clock stands still, so that they change with the pages only
"""

import struct
import tempfile
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page

from tests.browser.chromium import browser
from tests.browser.pages import PAGES, desk
from tests.browser.servers import servers

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
INDEX = FOLDER / "README.md"
COMMAND = "python -m tests.screenshots"
SHOWN = {
    "home": "What the service is, its rules with their sources, how to connect: `GET /`",
    "workbench": "A demo patient's chart on the workbench: what the service answers, and on what",
    "what-if": "The same chart, had the CD4 count been 650/µL and a severe sulfonamide reaction been on file",
    "report": "What became of the advice, for a site's team: `/report`",
    "doctor": "What can be made of a client's requests: the page that `cds-service check` writes",
}
LIGHTS = ("light", "dark")
WIDTHS = {"wide": 1280, "narrow": 360}
HIGHEST = 2000
MOST_BYTES = 3_000_000  # all together

# Of a picture 256 colours, and for every point the number of the nearest: the commonest of each kind of colour first, or a few
# red letters would be lost among the many greys at the edges of black ones.
_FEWER_COLOURS = """async (picture) => {
  const bitmap = await createImageBitmap(await (await fetch("data:image/png;base64," + picture)).blob());
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
  canvas.drawImage(bitmap, 0, 0);
  const points = canvas.getImageData(0, 0, bitmap.width, bitmap.height).data, times = new Map(), names = [];
  for (let at = 0; at < points.length; at += 4) {
    const name = points[at] << 16 | points[at + 1] << 8 | points[at + 2];
    names.push(name); times.set(name, (times.get(name) || 0) + 1);
  }
  const commonest = [...times].sort((one, other) => other[1] - one[1] || one[0] - other[0]).map((one) => one[0]);
  const kinds = new Set(), first = commonest.filter((one) => kinds.size < kinds.add(one & 0xe0e0e0).size);
  const colours = [...new Set([...first, ...commonest])].slice(0, 256);
  const far = (one, other) => [16, 8, 0].reduce((sum, by) => sum + ((one >> by & 255) - (other >> by & 255)) ** 2, 0);
  const nearest = (name) => colours.reduce((best, one, at) => far(name, one) < far(name, colours[best]) ? at : best, 0);
  const number = new Map([...times.keys()].map((name) => [name, nearest(name)]));
  const numbers = new Uint8Array(names.map((name) => number.get(name)));
  let text = "";
  for (let at = 0; at < numbers.length; at += 32768) text += String.fromCharCode(...numbers.subarray(at, at + 32768));
  return [bitmap.width, bitmap.height, colours, btoa(text)];
}"""


def name(page: str, light: str, width: str) -> str:
    """Of the file."""
    return f"{page}-{light}-{width}.png"


def index() -> str:
    """The page that shows them all."""
    parts = [
        "# Screenshots",
        "The pages of the demo, by day and by night, on a screen and on a phone; cut off below. All patients are invented.",
        f"Written by `{COMMAND}`.",
        *(_section(page, words) for page, words in SHOWN.items()),
    ]
    return "\n\n".join(parts) + "\n"


def _section(page: str, words: str) -> str:
    cells = [[f"![{page}, {light}, {width}]({name(page, light, width)})" for width in WIDTHS] for light in LIGHTS]
    rows = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([f"## {page.capitalize()}", "", f"{words}.", "", "| wide | narrow |", "|---|---|", *rows])


def png(width: int, height: int, colours: list[int], numbers: bytes) -> bytes:
    """A picture of at most 256 colours."""
    palette = b"".join(one.to_bytes(3, "big") for one in colours)
    lines = b"".join(b"\0" + numbers[at : at + width] for at in range(0, width * height, width))
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(one)) + kind + one + struct.pack(">I", zlib.crc32(kind + one)) for kind, one in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _pictures(page: Page, what: str) -> Iterator[tuple[str, bytes]]:
    for light in LIGHTS:
        for said, width in WIDTHS.items():
            page.emulate_media(color_scheme=light)
            page.set_viewport_size({"width": width, "height": 900})
            high = min(HIGHEST, page.evaluate("document.documentElement.scrollHeight"))
            clip = {"x": 0, "y": 0, "width": width, "height": high}
            yield name(what, light, said), page.screenshot(full_page=True, clip=clip, animations="disabled")


def take() -> None:
    """Writes them all."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, servers(Path(folder)) as running, browser() as chromium:
        at = desk(chromium, running)
        press = at.context.new_page()
        for what in SHOWN:
            for file, picture in _pictures(PAGES[what](at).page, what):
                *size, numbers = press.evaluate(_FEWER_COLOURS, b64encode(picture).decode())
                (FOLDER / file).write_bytes(png(*size, b64decode(numbers)))
    INDEX.write_text(index(), "utf-8")


if __name__ == "__main__":
    take()
