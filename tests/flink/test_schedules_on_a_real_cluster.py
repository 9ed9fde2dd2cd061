"""Schedules between a real broker and real TaskManagers: nothing has to arrive for them to fire."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flink.lane import NOON, Lane

pytestmark = pytest.mark.real
Start = Callable[..., Lane]

PACK = Path(__file__).parent / "scheduled"
KEYS = {f"GW{n}" for n in range(1, 9)}


def told(here: Lane) -> set[tuple[str, str, int]]:
    return {(row["kind"], row["key"], row["deadline_ms"] - NOON) for row in here.findings().values()}


def test_a_silent_stream_is_found_silent_also_after_a_restart_and_once_only(lane: Start) -> None:
    here = lane(packs=[str(PACK)], parallelism=2)
    here.tick(5_000)
    here.await_time(5_000)
    here.tick(11_000)
    here.await_time(11_000)
    assert told(here) == set(), "exactly up to the limit it may still come"
    here.tick(11_200)
    here.await_rows("findings", len(KEYS))
    assert told(here) == {("missing", key, 10_000) for key in KEYS}
    savepoint = here.cluster.stop_with_savepoint(here.job, here.name)
    here.start(savepoint)
    here.send("GW1", "beat", 15_000)
    here.send("GW2", "beat", 21_001)
    here.tick(21_200)
    here.await_rows("findings", 2 * len(KEYS) - 1)
    here.tick(22_000)
    here.await_time(22_000)
    second = {("missing", key, 20_000) for key in KEYS - {"GW1"}}
    assert told(here) == {("missing", key, 10_000) for key in KEYS} | second
    assert len(here.findings()) == 2 * len(KEYS) - 1, "the same fact has the same id"
    assert here.rows("deadletters") == []
