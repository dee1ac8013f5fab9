"""A step of the arrow in, the same step out, timed: how long each takes shows in the metrics and in the audit record."""

from collections.abc import Callable
from functools import wraps
from time import perf_counter
from typing import ParamSpec, TypeVar

from flask import g

from cds_service.web.wiring import wiring

STEPS = ("identify", "check", "gather", "read", "recall", "assess", "render", "record")
Given = ParamSpec("Given")
Made = TypeVar("Made")


def timed(step: str, work: Callable[Given, Made]) -> Callable[Given, Made]:
    """The same function; what it took is known afterwards, whether it ended well or not."""

    @wraps(work)
    def measured(*args: Given.args, **kwargs: Given.kwargs) -> Made:
        started = perf_counter()
        try:
            return work(*args, **kwargs)
        finally:
            seconds = perf_counter() - started
            g.steps[step] = g.steps.get(step, 0.0) + seconds
            wiring().metrics.steps.labels(step).observe(seconds)

    return measured
