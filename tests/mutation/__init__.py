"""The modules of `hooks/` in, each time with one small fault put in; out comes how many of the faults the specification finds.

`python -m tests.mutation` tries a sample: every fault (a mutant) is served by a process of its own, to which the cases of
tests/spec are put until one fails. The faults are those of operators.py; documentation, annotations and words are left alone.
"""
