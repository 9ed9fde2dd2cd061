"""Statistics come to a running job beside the rules, and a restart doesn't lose them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.flink.lane import NOON, Lane
from tests.flink.test_rules_change_while_it_runs import publish, put, ticks
from tests.kafka_help import eventually

pytestmark = pytest.mark.real
Start = Callable[..., Lane]

TOOK = [1000, 2000, 3000, 4000, 20_000]
"""Half of the parcels arrive within 1 s, 95 in 100 within 4 s: who still waits then will hardly be in time."""


def told(post: Lane) -> list[tuple[Any, ...]]:
    return sorted((row["key"], row["kind"], row["deadline_ms"] - NOON) for row in post.findings().values())


def test_a_breach_is_predicted_from_statistics_that_came_while_the_job_ran_and_after_a_restart(lane: Start) -> None:
    post = lane(parallelism=2)
    put(post, 2, 0, predict={"chance": "50%"})
    said = {"spans": {"send": {"arrive": {"count": 50, "quantiles": TOOK}}}}
    document = json.dumps({"workflow": "parcel", "statistics": said}).encode()
    post.producer.send(f"{post.prefix}rules", document, key=b"@statistics/parcel")
    publish(post, b"this is no rule, and so is counted when all before it is known")
    post.send("slow", "sent", 1000)
    ticks(post, 1500, 9000)
    eventually(lambda: told(post))
    [(key, kind, since)] = told(post)
    assert (key, kind) == ("slow", "predicted")
    assert 1000 < since < 9000

    post.cluster.stop_with_savepoint(post.job, post.name)
    post.resume()
    post.send("next", "sent", 20_000)
    ticks(post, 21_000, 29_000)
    eventually(lambda: ("next", "predicted", since + 19_000) in told(post))
    [row] = [row for row in post.rows("items") if row["key"] == "next" and "forecast" in row][-1:]
    assert row["forecast"][0]["quantiles"] == TOOK
