"""Findings in plain words."""

from __future__ import annotations

from typing import Any

import pytest

from api.templating import brief
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


@pytest.mark.parametrize("kind", ["at_risk", "predicted"])
def test_what_was_at_risk_is_told_with_how_it_ended(kind: str) -> None:
    came = finding(kind, at_ms=60_000, delta_ms=-1_000)
    assert sentence(came, 0) == "files came in time after all: B1, at risk 00:00:00, came 00:01:00"
    off = finding(kind, at_ms=60_000)
    assert sentence(off, 0) == "files is not waited for any more: B1, at risk 00:00:00, called off 00:01:00"
    assert "B1, not there" in sentence(finding(kind, at_ms=None, since_ms=-60_000), 0)


@pytest.mark.parametrize(
    ("ms", "text"), [(None, "-"), (0, "0 ms"), (60_000, "1 m"), (95_000, "1m 35s"), (178_000, "2m 58s")]
)
def test_where_there_is_little_room_a_time_is_short_and_not_cut(ms: int | None, text: str) -> None:
    assert brief(ms) == text
