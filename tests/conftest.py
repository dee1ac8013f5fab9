"""The suite as it was started in; out comes one that can be interrupted, and that counts lines where that tells something."""

import signal

import pytest

# A shell's background job ignores interrupts, and what it starts inherits that: a test that presses Ctrl-C would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# What holds hooks/ to its last line and branch. Counting them makes a test take twice as long, so the rest goes uncounted.
COUNTED = frozenset(
    f"tests.test_{name}"
    for name in (
        "discreet", "grouping", "holding", "home", "journal", "knowledge", "knowledge_report", "knowledge_words",
        "local_codes", "profiles", "quiet_periods", "sentences", "spec", "value_sets",
    )
)  # fmt: skip


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """In each process beside the first pytest-cov counts twice, once as if it were the first: that one stops."""
    plugin = session.config.pluginmanager.get_plugin("_cov")
    if plugin and plugin.cov_controller and hasattr(session.config, "workerinput"):
        plugin.cov_controller.cov.stop()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks what is not counted, where the rules alone are."""
    if config.getoption("cov_source", None) == ["hooks"]:
        for item in items:
            if item.nodeid.partition("::")[0].removesuffix(".py").replace("/", ".") not in COUNTED:
                item.add_marker("no_cover")
