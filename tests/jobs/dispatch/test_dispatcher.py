"""The dispatcher on a real broker: killed at every step, restarted, raced, and with channels that are down."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest

from api.stack import ports
from api.stack.kafka import KafkaBroker
from jobs.dispatch import log as notifications
from jobs.dispatch import turn
from jobs.dispatch.log import NotificationLog
from jobs.dispatch.queues import SIDE_BY_SIDE
from jobs.dispatch.tryout import try_channel
from tests.jobs.dispatch.victim import STEPS
from tests.jobs.dispatch.world import World
from tests.jobs.receivers import Answer, HttpReceiver, Request, http_receiver
from tests.kafka_help import eventually
from udfs.alerting.external import GIVEN_UP

pytestmark = pytest.mark.real


@pytest.fixture
def world(broker: KafkaBroker, tmp_path: Path) -> Iterator[World]:
    one = World(broker.bootstrap, tmp_path)
    yield one
    one.producer.close(timeout=2)


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as running:
        yield running


def scraped(world: World) -> str:
    return httpx.get(f"http://127.0.0.1:{world.metrics}/metrics").text


def webhook(receiver: HttpReceiver) -> dict[str, str]:
    return {"type": "webhook", "url": receiver.url}


def test_a_thousand_arrive_and_none_that_is_recorded_comes_again_though_it_is_killed_at_every_step(
    world: World, receiver: HttpReceiver
) -> None:
    world.put("web", webhook(receiver))
    ids = {f"n{n}" for n in range(1000)}
    for id in ids:
        world.notify(id)
    world.flush()
    recorded: set[str] = set()
    for step, (_, times) in STEPS.items():
        before = len(receiver.requests)
        with world.victim(step, times) as victim:
            assert victim.wait(60) == -signal.SIGKILL, (world.home / f"victim-{step}.log").read_text()
        assert not recorded.intersection(receiver.keys()[before:]), f"{step}: what is recorded isn't sent again"
        recorded = {id for id, outcome in world.outcomes().items() if outcome == "sent"}
        assert recorded <= set(receiver.keys()), f"{step}: what is recorded has been sent"
        assert len(set(receiver.keys()) - recorded) <= SIDE_BY_SIDE, f"{step}: only those under way are in doubt"
    assert len(recorded) < 1000, "there was something left to be done at each step"
    with world.dispatcher():
        eventually(lambda: world.outcomes() == dict.fromkeys(ids, "sent"))
    times = Counter(receiver.keys())
    assert set(times) == ids
    assert sum(times.values()) <= 1000 + SIDE_BY_SIDE * len(STEPS)


def test_killed_while_the_receiver_thinks_it_comes_again_with_the_same_key(
    world: World, receiver: HttpReceiver
) -> None:
    arrived = threading.Event()

    def think(_: Request) -> Answer:
        first = not arrived.is_set()
        arrived.set()
        return Answer(after=2 if first else 0)

    receiver.answer = think
    world.put("web", webhook(receiver))
    world.notify("n0")
    world.flush()
    with world.victim():
        assert arrived.wait(30)
    with world.dispatcher():
        world.await_outcomes({"n0": "sent"})
    assert receiver.keys() == ["n0", "n0"]


def test_a_second_one_stands_by_and_sends_when_the_first_has_ended(world: World, receiver: HttpReceiver) -> None:
    world.put("web", webhook(receiver))
    with world.dispatcher("first"):
        world.notify("n0")
        world.flush()
        world.await_outcomes({"n0": "sent"})
        with world.dispatcher("second"):
            for n in range(1, 200):
                world.notify(f"n{n}")
            world.flush()
            eventually(lambda: len(world.outcomes()) == 200)
        assert max(Counter(receiver.keys()).values()) == 1, "only one of the two sends"
    with world.dispatcher("second"):
        world.notify("later")
        world.flush()
        eventually(lambda: world.outcomes().get("later") == "sent")


def test_when_a_second_one_takes_over_the_first_sends_no_more(
    world: World, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "SILENCE_MS", 1_000)  # the first one lives, but is taken to be gone
    receiver.answer = lambda _: Answer(after=0.02)
    world.put("web", webhook(receiver))
    ids = {f"n{n}" for n in range(500)}
    for id in ids:
        world.notify(id)
    world.flush()
    with world.victim() as first:
        eventually(lambda: len(receiver.requests) >= 50)
        with world.dispatcher("second"):
            assert first.wait(30) == 0, "it has seen that it has lost its turn"
            assert len(receiver.requests) < 450
            eventually(lambda: world.outcomes() == dict.fromkeys(ids, "sent"))
    assert len(receiver.requests) <= 500 + SIDE_BY_SIDE, "only what was under way comes again, with the same key"
    begun = [one["run"] for one in world.said() if one["what"] == "begins"]
    assert len(begun) == 2


def test_a_channel_that_is_down_delays_only_itself_and_gets_everything_when_it_is_back(
    world: World, receiver: HttpReceiver
) -> None:
    world.put("web", webhook(receiver))
    world.put("pager", {"type": "webhook", "url": f"http://127.0.0.1:{ports.free()}/"})
    world.metrics = str(ports.free())
    for n in range(20):
        world.notify(f"down{n}", "pager")
        world.notify(f"up{n}", "web")
    world.flush()
    with world.dispatcher():
        eventually(lambda: list(world.outcomes().values()).count("sent") == 20)
        assert sorted(receiver.keys()) == sorted(f"up{n}" for n in range(20))
        eventually(lambda: {row.outcome for row in world.rows() if row.channel == "pager"} == {"retry"})
        eventually(lambda: 'daymark_channel_breaker{channel="pager",state="closed"} 0.0' in scraped(world))
        assert 'daymark_channel_waiting{channel="pager"} 20.0' in scraped(world)
        assert 'daymark_deliveries_total{channel="web",outcome="sent"} 20.0' in scraped(world)
        assert "daymark_dispatcher_sending 1.0" in scraped(world)
        world.put("pager", webhook(receiver))  # its new settings are tried at once
        eventually(lambda: set(world.outcomes().values()) == {"sent"})
    assert max(Counter(receiver.keys()).values()) == 1


def test_when_an_action_is_applied_no_further_send_starts_though_it_races(world: World, receiver: HttpReceiver) -> None:
    receiver.answer = lambda _: Answer(after=0.02)
    world.put("web", webhook(receiver))
    ids = [f"n{n}" for n in range(400)]
    for id in ids:
        world.notify(id)
    world.flush()
    halt = {f"alert-{id}": 1 for id in ids}
    with world.dispatcher():
        eventually(lambda: len(receiver.requests) >= 50)
        world.write({"type": "applied", "action": "a", "outcome": "applied", "halt": halt, "at_ms": 0}).get(timeout=10)
        started = len(receiver.requests)
        eventually(lambda: len(world.outcomes()) == 400)
    assert len(receiver.requests) <= started + SIDE_BY_SIDE, "only those that were under way"
    assert Counter(world.outcomes().values()) == {
        "sent": len(receiver.requests),
        "called_off": 400 - len(receiver.requests),
    }


def test_what_was_halted_while_nobody_ran_is_never_sent(world: World, receiver: HttpReceiver) -> None:
    world.put("web", webhook(receiver))
    world.notify("halted")
    world.notify("fine")
    world.write({"type": "halt", "halt": {"alert-halted": 1}, "at_ms": 0})
    world.flush()
    with world.dispatcher():
        world.await_outcomes({"halted": "called_off", "fine": "sent"})
    assert receiver.keys() == ["fine"]


def test_a_dead_letter_is_sent_when_somebody_asks_even_after_a_restart(world: World, receiver: HttpReceiver) -> None:
    receiver.answer = lambda _: Answer(400)
    world.put("web", webhook(receiver))
    world.notify("n", lane="main")
    world.flush()
    with world.dispatcher():
        world.await_outcomes({"n": "dead"})
        found = eventually(world.findings)
    assert [(row["lane"], row["rule"], row["key"]) for row in found] == [("main", GIVEN_UP, "channel=web")]
    receiver.answer = lambda _: Answer()
    world.write({"type": "retry", "id": "n", "who": "anna", "at_ms": 0})
    world.write({"type": "retry", "id": "unknown", "who": "anna", "at_ms": 0})
    world.flush()
    with world.dispatcher():
        world.await_outcomes({"n": "sent", "unknown": "refused"})
    assert [row.attempt for row in world.rows() if row.id == "n"] == [1, 2]
    [refused] = [row for row in world.rows() if row.id == "unknown"]
    assert "has none with this id" in refused.detail


def test_a_dead_letter_that_was_acknowledged_long_ago_is_not_sent_when_somebody_asks(
    world: World, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOOK_BACK_MS", "SKEW_MS"):
        monkeypatch.setattr(notifications, name, 0)  # a start looks no further back than it must
    receiver.answer = lambda _: Answer(400)
    world.put("web", webhook(receiver))
    world.notify("n")
    world.flush()
    with world.dispatcher():
        world.await_outcomes({"n": "dead"})
        world.write({"type": "halt", "halt": {"alert-n": 2}, "at_ms": 0})
        world.flush()
    world.write({"type": "retry", "id": "n", "who": "anna", "at_ms": 0})
    world.flush()
    with world.dispatcher():
        world.await_outcomes({"n": "called_off"})
    assert len(receiver.requests) == 1


def test_the_log_is_read_while_all_other_threads_wait_for_names() -> None:
    async def ask() -> None:
        waiting = threading.Event()
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        hangs = loop.run_in_executor(None, waiting.wait)
        try:
            log = NotificationLog("127.0.0.1:1", "", lambda entries: None)
            with patch.object(log, "_end", lambda: 0):
                await asyncio.wait_for(log.caught_up(), 20)
        finally:
            waiting.set()
            await hangs

    asyncio.run(ask())


def test_without_a_broker_nothing_is_sent_and_nothing_is_lost(tmp_path: Path, receiver: HttpReceiver) -> None:
    broker = KafkaBroker(tmp_path / "kafka", ports.free())
    broker.start()
    try:
        world = World(broker.wait().bootstrap, tmp_path)
        world.put("web", webhook(receiver))
        world.notify("before")
        world.flush()
        with world.dispatcher():
            world.await_outcomes({"before": "sent"})
            broker.kill()
            broker.start()
            broker.wait()
            world.notify("after")
            world.flush()
            world.await_outcomes({"before": "sent", "after": "sent"})
        assert receiver.keys() == ["before", "after"]
        world.producer.close(timeout=1)
    finally:
        broker.stop()


def test_garbage_in_the_log_stops_nothing(world: World, receiver: HttpReceiver) -> None:
    world.put("web", webhook(receiver))
    world.put("bad", None)
    for garbage in (b"", b"\xff", b"[]", b'{"type": "notify"}', b'{"type": "surprise", "id": "x"}', b'{"halt": 3}'):
        world.write(garbage)
    world.notify("n", alerts=[{"id": 7, "groups": "none", "breach_ms": 10**30}], count=-3)
    world.flush()
    with world.dispatcher():
        world.await_outcomes({"n": "sent"})


def test_a_channel_can_be_tried_and_what_comes_of_it_is_said(
    world: World, receiver: HttpReceiver, capsys: pytest.CaptureFixture[str]
) -> None:
    world.put("web", webhook(receiver))
    world.put("broken", {"type": "slack", "url": {"env": "NOT_SET"}})
    with world.dispatcher():
        eventually(lambda: try_channel(world.bootstrap, world.prefix, "web", "") == 0)
        assert capsys.readouterr().out.startswith("sent after")
        assert try_channel(world.bootstrap, world.prefix, "broken", "") == 1
        assert "environment has no NOT_SET" in capsys.readouterr().out
    assert len(receiver.requests) == 1
    assert [row.reason for row in world.rows()] == ["test", "test"]
