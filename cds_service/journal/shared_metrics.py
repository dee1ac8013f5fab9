"""A folder in which the workers of a server count together; it must be named before anything that counts is imported."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

FOLDER = "PROMETHEUS_MULTIPROC_DIR"


@contextmanager
def shared_metrics() -> Iterator[None]:
    """Names a folder for as long as the block lasts, unless the environment names one already."""
    if FOLDER in os.environ:
        yield
        return
    owner, folder = os.getpid(), tempfile.mkdtemp(prefix="immune-status-metrics-")
    os.environ[FOLDER] = folder
    try:
        yield
    finally:
        del os.environ[FOLDER]
        if os.getpid() == owner:  # a worker that ends leaves this block too, and the others count on
            shutil.rmtree(folder, ignore_errors=True)
