"""Findings in plain words."""

from __future__ import annotations

from typing import Any

import pytest

from api.words import sentence


def finding(kind: str, **more: Any) -> dict[str, Any]:
    row = {"kind": kind, "key": "B1", "groups": {}, "step": "files", "because": "announce", "occurrence": "0"}
    return row | {"deadline_ms": 0, "at_ms": 0, "delta_ms": None, "since_ms": None} | more


@pytest.mark.parametrize(
    ("because", "says"),
    [
        ("approve, reject", "files came instead of approve, reject: B1"),
        ("", "files came unexpectedly: B1"),
        ("4 of 3", "files came once too often, 4 of 3: B1"),
    ],
)
def test_an_unexpected_step_is_told_with_what_could_have_come(because: str, says: str) -> None:
    assert sentence(finding("unexpected", because=because), 0).startswith(says)


def test_a_step_that_waits_for_children_says_how_many_came() -> None:
    assert sentence(finding("missing", occurrence="2 of 3"), 0).endswith(", 2 of 3 came")
    assert "came" not in sentence(finding("missing"), 0)


def test_a_step_that_stands_still_is_told_with_what_waits_and_until_when() -> None:
    told = finding("stalled", step="send", because="214 items wait", occurrence="step", since_ms=-600_000, at_ms=None)
    assert sentence(told, 0) == "nothing has left send for 10 m: 214 items wait"
    assert sentence(told | {"at_ms": 60_000}, 0) == "nothing has left send for 10 m: 214 items wait, until 00:01:00"
