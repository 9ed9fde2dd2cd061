"""The detect job between a real broker and real TaskManagers."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Callable

import pytest
from kafka import KafkaConsumer

from jobs import topics
from jobs.ticks import HEADER
from tests.flink.lane import NOON, PACK, Lane
from tests.kafka_help import eventually
from udfs.packs.load import load_pack

pytestmark = pytest.mark.real
Start = Callable[..., Lane]


def test_an_event_comes_out_as_it_went_in(lane: Start) -> None:
    post = lane()
    post.send("P1", "sent", 0, note='é\n"\\ \u2028 😀')
    post.tick(1000)
    (event,) = post.await_rows("eventlog", 1)
    assert event["data"]["note"] == 'é\n"\\ \u2028 😀'
    assert (event["key"], event["type"], event["time_ms"]) == ("P1", "sent", NOON)
    (step,) = post.await_rows("transitions", 1)
    assert (step["key"], step["step"]) == ("P1", "send")


def test_silence_is_found_by_ticks_and_by_nothing_else(lane: Start) -> None:
    post = lane()
    post.send("lost", "sent", 0)
    post.send("fine", "sent", 0)
    post.send("fine", "arrived", 9_000)
    post.send("later", "sent", 3_600_000)  # event times alone move nothing
    post.tick(10_000)
    post.await_time(10_000)
    assert post.findings() == {}
    post.tick(10_500)
    (finding,) = post.await_rows("findings", 1)
    assert (finding["kind"], finding["rule"], finding["key"]) == ("missing", "arrival", "lost")
    assert finding["deadline_ms"] == NOON + 10_000


def test_what_cannot_be_read_becomes_a_dead_letter_and_the_job_goes_on(lane: Start) -> None:
    post = lane(largest_bytes=2000)
    deep = b'{"parcel":"deep","x":' + b"[" * 900 + b"]" * 900 + b"}"
    garbage = {
        b"\xff\xfe\x00": "not_json",
        b'{"parcel": "cut': "not_json",
        b"": "not_json",
        b"[1, 2]": "not_an_object",
        b'{"what": "sent", "at": 1}': "no_key",
        b'{"parcel": "", "what": "sent", "at": 1}': "no_key",
        b'{"parcel": "p", "at": 1}': "no_type",
        b'{"parcel": "p", "what": "sent"}': "no_time",
        b'{"parcel": "p", "what": "sent", "at": "yesterday"}': "bad_time",
        b'{"parcel": "' + b"x" * 3000 + b'"}': "too_large",
        b"[" * 100_000: "too_large",
        deep: "no_type",
    }
    for value in garbage:
        post.raw(value)
    post.raw(b'{"tick": "soon"}', headers=[(HEADER, b"soon")])
    post.raw(None, key=b"a key without a value")
    post.send("good", "sent", 0)
    post.tick(20_000)
    letters = post.await_rows("deadletters", len(garbage) + 2)
    assert len(letters) == len(garbage) + 2
    told = {base64.b64decode(one["raw"]): one["reason"] for one in letters}
    assert told == garbage | {b'{"tick": "soon"}': "no_key"}
    found = sorted((row["kind"], row["key"]) for row in post.await_rows("findings", 3))
    assert found == [("invalid", "p"), ("invalid", "p"), ("missing", "good")]  # no time, and one that can't be read


def test_a_rule_changes_while_the_job_runs(lane: Start) -> None:
    post = lane()
    post.send("before", "sent", 0)
    post.tick(1)
    assert post.await_rows("items", 1)[0]["version"] == 1
    definition = load_pack(PACK).workflows[0].data
    definition["deadlines"][0]["within"] = "1h"
    rule = {"workflow": "parcel", "version": 2, "effective_from": NOON + 5_000, "definition": definition}
    post.producer.send(f"{post.prefix}rules", b"this is no rule", key=b"parcel")
    post.producer.send(f"{post.prefix}rules", json.dumps(rule).encode(), key=b"parcel")
    (refused, *_) = post.await_rows("deadletters", 1)  # the rule behind it arrives with it
    assert refused["topic"] == f"{post.prefix}rules"
    after = _first_item_of_version(post, 2)
    post.tick(60_000)
    post.await_time(60_000)
    found = {row["key"] for row in post.findings().values()}
    assert "before" in found
    assert after not in found
    post.tick(5_000_000)
    eventually(lambda: after in {row["key"] for row in post.findings().values()})
    assert post.cluster.why(post.job) == ""


def _first_item_of_version(post: Lane, version: int) -> str:
    """Send items until one starts under the version: the rule travels on its own topic, so when is not known."""
    for number in range(100):
        key = f"after-{number}"
        post.send(key, "sent", 6_000)
        post.producer.flush()
        mine = eventually(lambda key=key: [row for row in post.rows("items") if row["key"] == key])
        if mine[-1]["version"] == version:
            return key
    raise AssertionError(f"no item started under version {version}")


def test_results_written_in_transactions_are_there_after_the_checkpoint(lane: Start) -> None:
    post = lane(guarantee="exactly_once", parallelism=2)
    for number in range(50):
        post.send(f"P{number}", "sent", 0)
    post.tick(60_000)
    consumer = KafkaConsumer(
        f"{post.prefix}findings",
        bootstrap_servers=post.bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        consumer_timeout_ms=30_000,
    )
    committed = [json.loads(record.value)["key"] for record in itertools.islice(consumer, 50)]
    consumer.close()
    assert sorted(committed) == sorted(f"P{number}" for number in range(50))


def test_a_job_that_ends_leaves_its_taskmanager_alive_for_the_next(lane: Start) -> None:
    post = lane()
    for number in range(1, 4):
        post.send(f"P{number}", "sent", number)
        post.producer.flush()
        post.await_rows("transitions", number)
        post.cluster.stop_with_savepoint(post.job, post.name)
        post.resume()
    assert post.cluster.alive()


def test_a_rule_that_came_by_broadcast_is_there_after_a_restart(lane: Start) -> None:
    post = lane()
    definition = load_pack(PACK).workflows[0].data
    definition["deadlines"][0]["within"] = "1h"
    rule = {"workflow": "parcel", "version": 2, "effective_from": NOON + 5_000, "definition": definition}
    post.producer.send(f"{post.prefix}rules", json.dumps(rule).encode(), key=b"parcel")
    post.tick(1)
    _first_item_of_version(post, 2)
    post.cluster.stop_with_savepoint(post.job, post.name)
    told = json.loads(post.config.read_text())
    topics.ensure(post.bootstrap, {f"{post.prefix}norules": topics.SHARED["rules"]})
    post.config.write_text(json.dumps(told | {"rules_topic": f"{post.prefix}norules"}))
    post.resume()
    post.send("after the restart", "sent", 7_000)
    post.producer.flush()
    mine = eventually(lambda: [row for row in post.rows("items") if row["key"] == "after the restart"])
    assert mine[-1]["version"] == 2
