"""Real parts for tests, started once a session on free ports and stopped by process id; how hard the tests try."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from api.stack import ports
from api.stack.kafka import KafkaBroker
from tests import effort

settings.register_profile("ci", derandomize=True, database=None)
settings.register_profile("random", derandomize=False)
settings.load_profile("ci" if effort.CI else "random")  # Hypothesis itself goes by CI, too, but not by DAYMARK_THOROUGH

os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
"""Brokers and clusters here live for a minute: the second compiler would take a third of the processors to no use."""

LONGEST_FIRST = ("real", "cli", "flink", "stack")
"""Folders in the order in which real tests begin, so that processes that share them end at about the same time."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: _turn(item.path.parent.name))
    if not effort.THOROUGH:
        skip = pytest.mark.skip(reason="for `make test-all`")
        for item in items:
            if item.get_closest_marker("thorough"):
                item.add_marker(skip)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says at the end, in red, that the screens were not tested: among a thousand dots nobody sees it."""
    if count := without_a_browser(terminalreporter.stats.get("skipped", [])):
        terminalreporter.section("THE SCREENS WERE NOT TESTED", red=True, bold=True)
        terminalreporter.line(f"{count} skipped: no Chromium. `make browser` installs it; see above for what it said.")


def without_a_browser(skipped: list[pytest.TestReport]) -> int:
    """How many tests, or whole files of them, were skipped because there is no browser."""
    return sum("make browser" in str(report.longrepr) for report in skipped)


def _turn(folder: str) -> int:
    return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A Kafka broker for the whole session; tests keep apart by the names of their topics and groups."""
    home: Path = tmp_path_factory.mktemp("broker")
    running = KafkaBroker(home, ports.free())
    running.start()
    try:
        yield running.wait()
    finally:
        running.stop()
