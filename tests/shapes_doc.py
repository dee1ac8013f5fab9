"""The presets in; out comes the table in `docs/connecting-a-client.md` of how their clients want their cards.

python -m tests.shapes_doc      writes the table anew
"""

import re
from pathlib import Path
from typing import Any

from cds_service.access.trust_file import presets

PAGE = Path(__file__).parents[1] / "docs" / "connecting-a-client.md"
COMMAND = "python -m tests.shapes_doc"
WHAT = {
    "selection": "the values of `selectionBehavior` it knows. Without `at-most-one` nothing among several is marked as recommended "
    "(some clients tick what is): the label says it, and the detail to order one drug. Without `any` the detail says that more "
    "may be taken",
    "one_action": "`true`: a suggestion has one action. A regimen of several drugs is then not offered but named in the detail, "
    "never cut up",
    "actions": "of `create`, `update`, `delete`; `create` always. Without `update` the other drug is ordered beside the draft, and "
    "the detail says to take that out",
    "override_reasons": "which of the six codes are sent, in this order",
    "leaves_out": "of `isRecommended` (the label says it), `overrideReasons`, `topic`, `evaluation`: what is sent without",
    "order_intent": "`order`, `proposal` or `plan`, of orders that are created",
    "own_doses": "`true`: it fills in doses of its own, whatever ours say; the detail warns of it",
    "order_route": "`true`: a drug's order says the route",
    "order_supply_days": "up to 90: a drug's order says how much is dispensed for so many days, without repeats; the detail too",
    "rxnorm_system": "another name of RxNorm, in a second coding",
    "item_system": "the system of `order_items`",
    "order_items": "a table of our code of a drug or test (RxNorm, LOINC) to that of its own catalogue, which then comes first",
}
_PRESETS = tuple(name for name, one in presets().items() if WHAT.keys() & one.keys())


def page() -> str:
    """The whole page, with the table as it must be."""
    mark = f"<!-- shapes: written by {COMMAND} -->"
    pattern = re.compile(rf"{re.escape(mark)}.*?<!-- /shapes -->", re.DOTALL)
    text, found = pattern.subn(lambda _: f"{mark}\n\n{table()}\n\n<!-- /shapes -->", PAGE.read_text("utf-8"))
    assert found == 1
    return text


def table() -> str:
    """A row for each line; empty where the preset says nothing, so that all of it is allowed."""
    rows = [["line", "", *(f"`{name}`" for name in _PRESETS)], ["---"] * (len(_PRESETS) + 2)]
    rows += [
        [f"`{line}`", what, *(_written(presets()[name].get(line)) for name in _PRESETS)] for line, what in WHAT.items()
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _written(value: Any) -> str:
    if value is None:
        return ""
    listed = value if isinstance(value, list) else [str(value).lower() if isinstance(value, bool) else value]
    return ", ".join(f"`{one}`" for one in listed)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    print(f"wrote {PAGE.name}")
