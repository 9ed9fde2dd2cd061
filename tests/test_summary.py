"""What is said at the end of all tests."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import pytest_terminal_summary


class Terminal:
    """In place of pytest's: with what was skipped, each by its reason."""

    def __init__(self, *reasons: str) -> None:
        self.stats = {"skipped": [SimpleNamespace(longrepr=("file", 1, f"Skipped: {reason}")) for reason in reasons]}
        self.said: list[str] = []

    def section(self, title: str, **_: Any) -> None:
        self.said.append(title)

    def line(self, text: str) -> None:
        self.said.append(text)


def test_where_there_is_no_chromium_the_end_says_that_the_screens_were_not_tested() -> None:
    terminal = Terminal("no chromium on this machine: `make browser` installs it", "for `make test-all`")
    pytest_terminal_summary(terminal)  # type: ignore[arg-type]
    assert terminal.said[0] == "THE SCREENS WERE NOT TESTED"
    assert terminal.said[1].startswith("1 skipped: no Chromium")


@pytest.mark.parametrize("reasons", [(), ("for `make test-all`",)])
def test_what_is_skipped_for_another_reason_is_no_reason_to_say_so(reasons: tuple[str, ...]) -> None:
    terminal = Terminal(*reasons)
    pytest_terminal_summary(terminal)  # type: ignore[arg-type]
    assert terminal.said == []
