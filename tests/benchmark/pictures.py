"""A number of results in; how long both pictures, and the whole page, take out (`python -m tests.benchmark.pictures`)."""

import argparse
import statistics
from collections.abc import Callable
from datetime import timedelta
from time import perf_counter

from cds_service import plots
from hooks.knowledge import load, load_profiles
from tests.benchmark.bodies import body
from tests.fixture_files import Clock, app_of
from tests.test_plots import TODAY, count, load_of, record

ROUNDS = 7


def measured(doing: Callable[[], object]) -> str:
    """Milliseconds: the median of some rounds and the slowest."""
    taken = []
    for _ in range(ROUNDS):
        began = perf_counter()
        doing()
        taken.append(1000 * (perf_counter() - began))
    return f"{statistics.median(taken):.1f} ms, the slowest of {ROUNDS} {max(taken):.1f} ms"


def main() -> None:
    """Prints both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=int, default=500, help="of each measure")
    number = parser.parse_args().results
    days = [TODAY - timedelta(20 * place) for place in range(number)]
    chart = record(
        [count(100 + place % 900, when) for place, when in enumerate(days)],
        [load_of(10 + place * 37 % 90000, when, "<" if place % 3 else "") for place, when in enumerate(days)],
    )
    profile = load_profiles(load())["dhhs"]

    def draw() -> None:
        for make in (plots.cd4, plots.viral_load):
            plots.draw(make(chart, profile, (), chart.cd4_counts[:2]))

    print(f"both pictures, {number} results each: {measured(draw)}")
    client = app_of(Clock()).test_client()
    pasted = body(2 * number, 5, 5, TODAY).decode()
    print(
        f"the whole page, {2 * number} Observations pasted: {measured(lambda: client.post('/workbench', data={'pasted': pasted}))}"
    )


if __name__ == "__main__":
    main()
