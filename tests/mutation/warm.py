"""Imported once by the process that all trials are forked from, so that none of them has to load what is not under test."""

from contextlib import suppress

with suppress(Exception):  # where the project does not start, the trial without a fault says so
    from tests.cases import CASES, check

    check(CASES[0])
