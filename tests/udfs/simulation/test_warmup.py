"""What has to be played before a span: as long as the longest deadline may have run when the span begins."""

from __future__ import annotations

from typing import Any

import pytest

from udfs.core.zone import DAY
from udfs.packs.compile import compile_workflow
from udfs.simulation.warmup import LONGEST_MS, longest_wait

MONDAY = 1_768_780_800_000
"""2026-01-19, 00:00 UTC."""


@pytest.mark.parametrize(
    ("more", "days"),
    [
        ({"within": "5m"}, 1),
        ({"within": "47h"}, 2),
        ({"within": "16h", "calendar": "office"}, 4),
        ({"by": "18:00"}, 1),
        ({"by": "18:00", "days": 1, "calendar": "office"}, 4),
        ({"within": "400d"}, LONGEST_MS // DAY),
    ],
    ids=lambda value: str(value),
)
def test_the_longest_deadline_tells_how_far_back_to_look(more: dict[str, Any], days: int) -> None:
    rule = {
        "workflow": "w",
        "key": "id",
        "calendars": {"office": {"weekend": ["sat", "sun"], "hours": "09:00-17:00"}},
        "steps": {"a": {"on": "a", "start": True}, "b": {"on": "b"}},
        "deadlines": [{"id": "b", "after": "a", "expect": "b", **more}],
    }
    assert longest_wait(compile_workflow(rule, version=1, lane=""), MONDAY) == days * DAY
