"""`daymark up`, as a person uses it: real Kafka, Flink, ClickHouse and API, started, asked, killed, stopped."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest
from kafka import KafkaAdminClient

from api.stack.detection import ALERTS
from api.stack.flink import ENDED
from jobs.ticks import last_tick
from tests.cli.stack import Stack, stack
from tests.cli.test_commands import event
from tests.kafka_help import eventually, records

pytestmark = pytest.mark.real

PACK = Path(__file__).parents[2] / "rules" / "trade_lifecycle"
PARTS = {"kafka", "flink", "serving", "dispatcher", "ticker"}


def topics(up: Stack) -> set[str]:
    admin = KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{up.kafka_port}")
    try:
        return set(admin.list_topics())
    finally:
        admin.close()


def lane_runs(up: Stack, lane: str) -> bool:
    jobs = httpx.get(f"http://127.0.0.1:{up.flink_port}/jobs/overview").json()["jobs"]
    return any(job["name"].endswith(f" {lane}") and job["state"] == "RUNNING" for job in jobs)


def lane_state(up: Stack, lane: str) -> str:
    jobs = httpx.get(f"http://127.0.0.1:{up.flink_port}/jobs/overview").json()["jobs"]
    return str(next(job["state"] for job in jobs if job["name"].endswith(f" {lane}")))


def alert_states(up: Stack, key: str) -> list[str]:
    """Through which states the alert about a key has gone."""
    found = records(f"127.0.0.1:{up.kafka_port}", "daymark.alerts").values()
    rows = [json.loads(record.value) for part in found for record in part]
    return [row["state"] for row in rows if row["key"] == key]


def words_of(processes: list[psutil.Process]) -> set[str]:
    """What the processes were started with; one that has just ended says nothing."""
    words: set[str] = set()
    for process in processes:
        with suppress(psutil.Error):
            words.update(process.cmdline())
    return words


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """In a home whose name Java and Flink have to be told with care."""
    with stack(tmp_path_factory.mktemp("up") / "hö me €") as running:
        own = running.home.path.with_name("own-topic.yaml")
        own.write_text("source: s\ntopic: shop.orders\nkeys: {trade_id: data.trade_id}\n")
        running.start("up", "--pack", PACK, "--mapping", PACK / "mapping.yaml", "--mapping", own)
        yield running


def test_status_names_every_part_and_says_that_it_works(up: Stack) -> None:
    done = up.run("status", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 0, document
    assert set(document["parts"]) == PARTS
    assert (document["job"], document["alert_job"]) == ("RUNNING", "RUNNING")
    assert document["clock"] in ("live", "behind", "unknown")
    assert all(part["running"] and part["pids"] for part in document["parts"].values())
    assert httpx.get(document["url"]).status_code == httpx.codes.OK


def test_a_topic_that_a_mapping_names_is_made_and_the_clock_ticks_in_it(up: Stack) -> None:
    assert "shop.orders" in topics(up)
    assert eventually(lambda: last_tick(f"127.0.0.1:{up.kafka_port}", "shop.orders"))


def test_silence_is_found_by_the_clock_alone(up: Stack) -> None:
    """A trade was ingested three minutes ago and nothing came after it: no further event is needed to notice."""
    ago = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 180))
    posted = httpx.post(
        f"http://127.0.0.1:{up.http_port}/api/v1/events",
        content=event("T-silent", "ingested", ago),
        headers={"Content-Type": "application/cloudevents+json"},
    )
    assert posted.status_code == 202, posted.text
    found = eventually(lambda: [f for f in up.findings("main") if f["key"] == "T-silent"], 60)
    assert {(f["kind"], f["rule"]) for f in found} == {("missing", "verify")}
    eventually(lambda: "open" in alert_states(up, "T-silent"))


def test_a_second_stack_in_the_same_home_is_refused(up: Stack) -> None:
    done = up.run("up", "--pack", PACK)
    assert done.returncode == 4
    assert "already runs in" in done.stderr
    assert "daymark stop" in done.stderr


def test_a_replay_finds_what_simulate_finds_and_leaves_nothing_behind(up: Stack, tmp_path: Path) -> None:
    log = tmp_path / "log.ndjson"
    lines = [
        event("R-1", "ingested", "2026-03-02T10:00:00Z"),
        event("R-2", "verified", "2026-03-02T10:03:00Z"),
        "no json",
        event("R-2", "ingested", "2026-03-02T10:00:00Z"),
        event("R-3", "ingested", "2026-03-02T11:00:00Z"),
        event("R-3", "verified", "2026-03-02T11:01:00Z"),
        event("R-3", "sent", "2026-03-02T11:02:00Z"),
        event("R-3", "sent", "2026-03-02T11:02:00Z"),
        event("R-4", "ingested", "2026-03-02T11:00:00Z"),
    ]
    log.write_text("\n".join(lines))
    before = {process.pid for process in up.processes()}
    done = up.run("replay", log, "--pack", PACK, "--lane", "replay-small", "--parallelism", 2, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    findings = tmp_path / "findings.ndjson"
    simulated = json.loads(
        up.run("simulate", PACK, log, "--lane", "replay-small", "--findings", findings, "--json").stdout
    )
    expected = {json.loads(line)["id"] for line in findings.read_text().splitlines()}
    assert {finding["id"] for finding in up.findings("replay-small")} == expected
    assert document["records"] == len(lines)
    assert document["unreadable"] == 1
    assert document["items"] == simulated["items"] == 4
    assert document["other"] == simulated["other"] == {"duplicate": 1, "out_of_order": 0}
    assert len(up.api("/api/v1/dead-letters", lane="replay-small")["items"]) == 1
    assert {process.pid for process in up.processes()} == before
    assert not (up.home.path / "flink" / "checkpoints" / "replay-small").exists()


@pytest.mark.parametrize(("lane", "why"), [("main", "is the live one"), ("replay-small", "has been used")])
def test_a_replay_into_a_lane_that_is_in_use_is_refused_and_takes_nothing_from_it(
    up: Stack, tmp_path: Path, lane: str, why: str
) -> None:
    """replay-small has results of the test before this one."""
    log = tmp_path / "log.ndjson"
    log.write_text(event("R-1", "ingested", "2026-03-02T10:00:00Z"))
    topics_before, findings_before = topics(up), up.findings(lane)
    done = up.run("replay", log, "--pack", PACK, "--lane", lane)
    assert done.returncode == 2
    assert why in done.stderr
    assert topics(up) == topics_before
    assert up.findings(lane) == findings_before
    assert lane_runs(up, "main")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_replay_that_is_interrupted_leaves_nothing_behind_either(up: Stack, tmp_path: Path, number: int) -> None:
    log = tmp_path / "log.ndjson"
    log.write_text(
        f"{event('S-1', 'ingested', '2026-03-02T10:00:00Z')}\n{event('S-2', 'ingested', '2026-03-02T12:00:00Z')}"
    )
    before = {process.pid for process in up.processes()}
    command = up.command("replay", log, "--pack", PACK, "--lane", "replay-cut", "--speed", "1x")
    # As a shell has it for what it puts in the background.
    before_it = signal.signal(signal.SIGINT, signal.SIG_IGN)
    replaying = subprocess.Popen(command, env=up.env, stderr=subprocess.PIPE, start_new_session=True)
    signal.signal(signal.SIGINT, before_it)
    eventually(lambda: "daymark.events.replay-cut" in topics(up) and lane_runs(up, "replay-cut"), 60)
    os.killpg(replaying.pid, number)
    _, said = replaying.communicate(timeout=60)
    assert replaying.returncode == 130, said
    assert b"Traceback" not in said
    assert {process.pid for process in up.processes()} == before
    assert "daymark.events.replay-cut" not in topics(up)
    assert not lane_runs(up, "replay-cut")


def test_a_replay_that_is_killed_leaves_no_sender_and_the_stack_removes_its_job_and_its_topic(
    up: Stack, tmp_path: Path
) -> None:
    log = tmp_path / "log.ndjson"
    log.write_text("\n".join(event(f"S-{n}", "ingested", f"2026-03-02T1{n}:00:00Z") for n in (0, 2)))
    command = up.command("replay", log, "--mapping", PACK / "mapping.yaml", "--lane", "replay-killed", "--speed", "1x")
    replaying = subprocess.Popen(command, env=up.env)
    below = psutil.Process(replaying.pid)
    eventually(lambda: "jobs.replay" in words_of(below.children(recursive=True)), 90)
    children = below.children(recursive=True)
    replaying.kill()
    replaying.wait()
    assert not psutil.wait_procs(children, timeout=5)[1]
    eventually(lambda: lane_state(up, "replay-killed") in ENDED, 40)
    eventually(lambda: "daymark.events.replay-killed" not in topics(up), 30)


def test_a_part_that_is_killed_is_started_again(up: Stack) -> None:
    state = up.home.running()
    assert state is not None
    (ticker,) = state.parts["ticker"]
    os.kill(ticker.pid, signal.SIGKILL)

    def replaced() -> bool:
        now = up.home.running()
        return now is not None and now.parts["ticker"][0].pid != ticker.pid and now.parts["ticker"][0].alive()

    eventually(replaced, 30)
    assert "ticker ended and is being started again" in up.output.read_text()


def test_after_a_kill_of_the_supervisor_nothing_runs_on_and_the_next_start_goes_on_from_a_checkpoint(
    up: Stack,
) -> None:
    checkpoints = up.home.path / "flink" / "checkpoints" / "main"
    eventually(lambda: list(checkpoints.rglob("_metadata")), 60)
    children = up.processes()
    assert len(children) >= len(PARTS)
    assert up.process is not None
    up.process.kill()
    up.process.wait()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive
    up.start("up", "--pack", PACK)
    assert up.output.read_text().count("resumed from chk-") == 2
    assert [f["kind"] for f in up.findings("main") if f["key"] == "T-silent"] == ["missing"]


def test_stop_takes_a_savepoint_and_leaves_no_process(up: Stack) -> None:
    children = up.processes()
    done = up.run("stop")
    assert done.returncode == 0, done.stderr
    assert up.process is not None
    assert up.process.wait(10) == 0
    assert not psutil.wait_procs(children, timeout=5)[1]
    for name in ("main", ALERTS):
        assert list((up.home.path / "flink" / "checkpoints" / name).rglob("savepoint-*/_metadata"))
    assert up.run("stop").returncode == 3
