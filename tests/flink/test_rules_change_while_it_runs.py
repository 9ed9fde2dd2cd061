"""Versions of a rule on a real cluster: items move, are closed, and go, while the job runs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.flink.lane import NOON, PACK, Lane
from tests.kafka_help import eventually
from udfs.packs.load import load_pack

pytestmark = pytest.mark.real
Start = Callable[..., Lane]


def put(post: Lane, version: int, since: int, **changes: Any) -> None:
    """Puts a version of the workflow in force from `since`, ms after noon, and waits until the job has it."""
    definition = load_pack(PACK).workflows[0].data | changes
    rule = {"workflow": "parcel", "version": version, "effective_from": NOON + since, "definition": definition}
    publish(post, json.dumps(rule).encode())


def publish(post: Lane, value: bytes | None) -> None:
    """What stands behind it in the topic can't be read; its dead letter says that the job has come so far."""
    known = len(post.rows("deadletters"))
    post.producer.send(f"{post.prefix}rules", value, key=b"parcel")
    post.producer.send(f"{post.prefix}rules", b"this is no rule", key=b"nobody")
    post.producer.flush()
    post.await_rows("deadletters", known + 1)


def stand(post: Lane) -> dict[str, tuple[str, int, str]]:
    """How each item stands: status, version, reason."""
    newest: dict[str, dict[str, Any]] = {}
    for row in post.rows("items"):
        if row["rev"] >= newest.get(row["key"], row)["rev"]:
            newest[row["key"]] = row
    return {key: (row["status"], row["version"], row.get("reason", "")) for key, row in newest.items()}


def await_stand(post: Lane, key: str, *wanted: object) -> None:
    eventually(lambda: stand(post).get(key) == wanted)


def ticks(post: Lane, *moments: int) -> None:
    """Time passes, seen by the job step by step, so that pulses and sweeps have their turns."""
    for at in moments:
        post.tick(at)
        post.await_time(at)


def test_open_items_move_when_the_new_version_says_so(lane: Start) -> None:
    post = lane(pulse_ms=1000, parallelism=2)
    for number in range(20):
        post.send(f"P{number}", "sent", 0)
    ticks(post, 1000)
    longer = load_pack(PACK).workflows[0].data["deadlines"][0] | {"within": "1h"}
    put(post, 2, 2000, deadlines=[longer], migrate="in_flight")
    ticks(post, 1900)
    assert {version for _, version, _ in stand(post).values()} == {1}
    ticks(post, 3000, 5000, 7000)
    eventually(lambda: set(stand(post).values()) == {("in_flight", 2, "")})
    ticks(post, 3_599_000)
    assert post.findings() == {}
    post.tick(3_601_000)
    eventually(lambda: len(post.findings()) == 20)
    assert {row["deadline_ms"] for row in post.findings().values()} == {NOON + 3_600_000}


def test_a_workflow_is_disabled_enabled_and_withdrawn_while_the_job_runs(lane: Start) -> None:
    post = lane(pulse_ms=1000)
    post.send("open", "sent", 0)
    ticks(post, 1000)
    put(post, 2, 2000, enabled=False)
    post.send("meanwhile", "sent", 2500)
    ticks(post, 3000, 5000, 7000)
    await_stand(post, "open", "closed", 2, "disabled by version 2")
    put(post, 3, 8000)
    post.send("again", "sent", 8500)
    ticks(post, 9000)
    await_stand(post, "again", "in_flight", 3, "")
    assert set(stand(post)) == {"open", "again"}

    publish(post, None)
    ticks(post, 11_000, 13_000, 15_000)
    await_stand(post, "again", "closed", 3, "deleted")
    post.cluster.stop_with_savepoint(post.job, post.name)
    post.resume()  # the pack's version is among what it is submitted with
    post.send("after", "sent", 16_000)
    ticks(post, 60_000)
    assert post.findings() == {}
    assert "after" not in stand(post)
    assert "after" in {row["key"] for row in post.rows("eventlog")}

    put(post, 4, 61_000)
    post.send("anew", "sent", 62_000)
    ticks(post, 90_000)
    assert [row["key"] for row in post.findings().values()] == ["anew"]
