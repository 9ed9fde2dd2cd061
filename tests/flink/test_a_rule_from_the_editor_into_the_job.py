"""Whoever changes a rule reads it, edits, simulates it on what happened, puts it; the running job follows it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.main import create_app
from api.settings import Settings
from tests.flink.lane import NOON, PACK, Lane
from tests.kafka_help import eventually

pytestmark = pytest.mark.real
URL = "/api/v1/rules/parcel"


@pytest.fixture
def post(lane: Callable[..., Lane]) -> Lane:
    return lane(pulse_ms=1000)


@pytest.fixture
def client(post: Lane, tmp_path: Path) -> Iterator[TestClient]:
    """The whole serving process, loader and outbox included, beside the running job."""
    settings = Settings(
        home=tmp_path,
        kafka=post.bootstrap,
        topic_prefix=post.prefix,
        lane=post.name,
        packs=[PACK],
        mappings=[PACK],
        sign_in="off",
        statistics_every_s=0,
        stalled_every_s=0,
    )
    with TestClient(create_app(settings), base_url="http://127.0.0.1") as running:
        yield running


def simulated(client: TestClient, text: str) -> Any:
    wanted = {"text": text, "since": NOON, "until": NOON + 20_000}
    id = client.post(f"{URL}/simulations", json=wanted).json()["id"]
    until = time.monotonic() + 60
    while time.monotonic() < until:
        one = client.get(f"{URL}/simulations/{id}").json()
        if one["state"] not in ("waiting", "running"):
            return one
        time.sleep(0.1)
    return None


def test_edit_simulate_publish_and_the_running_job_uses_it(post: Lane, client: TestClient) -> None:
    post.send("before", "sent", 0)
    post.send("before", "arrived", 14_000)
    post.tick(15_000)
    eventually(lambda: len(post.findings()) == 2, 90)  # missing, then late
    eventually(lambda: len(client.get("/api/v1/events").json()["items"]) == 2, 60)

    given = client.get(URL)
    edited = given.json()["text"].replace("within: 10s", "within: 20s")
    said = simulated(client, edited)["sentence"]
    assert said.startswith("This rule would have raised 0 findings; the one in force would have raised 2.")

    body = {"text": edited, "why": "parcels take longer in winter", "effective_from": NOON + 20_000}
    put = client.put(URL, json=body, headers={"If-Match": given.headers["ETag"]}).json()
    assert (put["outcome"], put["revision"], put["version"]) == ("sent", 1, 2)
    post.producer.send(f"{post.prefix}rules", b"this is no rule", key=b"nobody")
    post.producer.flush()
    post.await_rows("deadletters", 1)  # so the job has read the rule before it

    job = post.job
    post.send("after", "sent", 25_000)
    for at in (30_000, 44_000):
        post.tick(at)
        post.await_time(at)
    assert {row["key"] for row in post.findings().values()} == {"before"}, "10 s are no longer the limit"
    post.tick(46_000)
    eventually(lambda: len(post.findings()) == 3)
    [new] = [row for row in post.findings().values() if row["key"] == "after"]
    assert (new["kind"], new["version"], new["deadline_ms"]) == ("missing", 2, NOON + 45_000)
    assert post.cluster.job_is_alive(job), "the same job, never started again"
