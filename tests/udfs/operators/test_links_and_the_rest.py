"""What comes by links goes through the same gates as what bears its item's key: versions, schedules, blind sources,
clocks that can't be right, and the pulse."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import orjson
import pytest

from tests.udfs.operators.memory import State
from tests.udfs.operators.test_bucket import document, rows
from udfs.core.links import scheme_of
from udfs.core.state import NEVER
from udfs.operators.batch import PULSE, Frame, RuleRecord, decode, encode
from udfs.operators.bucket import Bucket
from udfs.operators.engine import Engine
from udfs.operators.linkbucket import LinkBucket
from udfs.operators.routed import Routed, pack
from udfs.packs.compile import compile_workflow
from udfs.packs.mapping import compile_mapping

S, M, HOUR = 1_000, 60_000, 3_600_000
MONDAY = 1_772_409_600_000
"""2026-03-02T00:00Z; the instants below are ms after it."""

SOURCE: dict[str, Any] = {
    "format": "json",
    "id": "id",
    "type": "type",
    "time": {"path": "at", "format": "epoch_ms", "future": "5m"},
    "keys": {"order": "order", "execution": "execution"},
}
DESK = SOURCE | {"source": "desk"}
EXCHANGE = SOURCE | {"source": "exchange", "keys": {"execution": "execution"}, "types": ["filled"]}
WORKFLOW: dict[str, Any] = {
    "workflow": "orders",
    "key": ["order", "execution"],
    "correlate": {"hold": "1h"},
    "steps": {"place": {"on": "placed", "start": True}, "fill": {"on": "filled", "end": "completed"}},
    "deadlines": [{"id": "fill", "after": "place", "expect": "fill", "within": "5m"}],
}
DAILY = {"id": "daily", "expect": "fill", "key": "O1", "by": "08:00"}
SCHEME = scheme_of(("order", "execution"))


def engine(live: bool = False, desk: dict[str, Any] | None = None, **changes: Any) -> Engine:
    mappings = [compile_mapping(DESK | (desk or {})), compile_mapping(EXCHANGE)]
    made = Engine("main", mappings, ["desk", "exchange"], compile_workflow, granularity=1, live=live)
    made.put_rule(document(WORKFLOW | changes))
    return made


def take(made: Engine, offset: int, definition: dict[str, Any] | None, since: int = 0) -> None:
    value = b""
    if definition is not None:
        value = document(definition, version=offset + 2, effective_from=MONDAY + since)
    made.take(RuleRecord(0, offset, 0, b"orders", value))


def placed(at: int) -> bytes:
    said = {"id": f"placed {at}", "type": "placed", "at": MONDAY + at, "order": "O1"}
    return encode([Frame(0, 0, 0, at, MONDAY + at, orjson.dumps(said))])


def filled(at: int, known: int = -NEVER) -> bytes:
    """As it comes from a stage: it bears the execution, which leads to O1 since the instant `known`."""
    said = {"id": f"filled {at}", "type": "filled", "at": MONDAY + at, "execution": "E1"}
    frame = Frame(1, 0, 0, at, MONDAY + at, orjson.dumps(said))
    return pack(Routed(frame, SCHEME, 0, "O1", 0, known if known == -NEVER else MONDAY + known))


def pulse(at: int, **heard: int) -> bytes:
    topics = {topic: MONDAY + stamp for topic, stamp in heard.items()}
    said = {"readers": 1, "bucket": 0, "buckets": 1, "watermark": MONDAY + at, "topics": topics}
    return encode([Frame(PULSE, 0, 0, 0, 0, orjson.dumps(said))])


def come(bucket: Bucket, batch: bytes, watermark: int | None = None) -> list[dict[str, Any]]:
    """Findings of a batch that comes while time stands at `watermark`."""
    outputs = bucket.on_batch(batch, -NEVER if watermark is None else MONDAY + watermark)
    bucket.save()
    assert rows(outputs, "D") == []
    return rows(outputs, "F")


def time(bucket: Bucket, at: int) -> list[tuple[str, str]]:
    """Findings when time comes to an instant, if a timer is set for it."""
    due = bucket.next_timer()
    found = rows(bucket.on_time(MONDAY + at), "F") if due is not None and due <= MONDAY + at else []
    bucket.save()
    return [(one["kind"], one["rule"]) for one in found]


def test_a_pulse_waits_for_what_is_on_its_way_through_stages() -> None:
    deadlines = [WORKFLOW["deadlines"][0] | {"within": "12m30s"}]
    bucket = State().bucket(engine(live=True, desk={"heartbeat": "3m", "grace": "1s"}, deadlines=deadlines))
    come(bucket, pulse(0, desk=0) + placed(0))
    assert time(bucket, 0) == []
    come(bucket, pulse(3 * M), 3 * M - 1)
    assert time(bucket, 3 * M) == [("blind", "heartbeat")], "the desk may show links"
    assert come(bucket, pulse(13 * M, desk=11 * M), 12 * M) == []
    come(bucket, filled(12 * M + 29 * S), 12 * M)
    back = [("blind", "heartbeat")]
    assert time(bucket, 13 * M) == back, "the fill came behind the pulse, but before the watermark: it isn't missing"


def test_the_last_pulse_waits_for_an_instant_for_which_flink_can_set_a_timer() -> None:
    made = engine()
    made.granularity = 100
    bucket = State().bucket(made)
    come(bucket, pulse((1 << 63) - 2 - MONDAY), 0)
    timer = bucket.next_timer()
    assert timer is not None
    assert timer < (1 << 63) - 2


def test_without_stages_a_pulse_is_heard_at_once() -> None:
    bucket = State().bucket(engine(key="order", correlate=None, schedules=[DAILY]))
    come(bucket, pulse(7 * HOUR))
    assert bucket.next_timer() == MONDAY + 8 * HOUR


def test_a_pulse_that_waits_is_heard_before_what_is_due_at_its_instant() -> None:
    bucket = State().bucket(engine(schedules=[DAILY]))
    come(bucket, pulse(7 * HOUR))
    assert bucket.next_timer() == MONDAY + 7 * HOUR
    assert time(bucket, 8 * HOUR) == [("missing", "daily")]


@pytest.mark.parametrize(("at", "said"), [(8 * HOUR - 1, []), (8 * HOUR, []), (8 * HOUR + 1, [("missing", "daily")])])
def test_what_a_schedule_expects_may_come_by_links(at: int, said: list[tuple[str, str]]) -> None:
    bucket = State().bucket(engine(schedules=[DAILY]))
    come(bucket, pulse(7 * HOUR))
    assert time(bucket, 7 * HOUR) == []
    come(bucket, filled(at), 7 * HOUR)
    assert time(bucket, 8 * HOUR) == said


def test_what_was_expected_and_whose_place_was_known_too_late_is_reported_late() -> None:
    bucket = State().bucket(engine(schedules=[DAILY]))
    come(bucket, pulse(7 * HOUR))
    time(bucket, 7 * HOUR)
    come(bucket, filled(7 * HOUR + M, known=9 * HOUR), 7 * HOUR)
    assert time(bucket, 9 * HOUR) == [("missing", "daily"), ("reported_late", "daily")]


def test_what_comes_by_links_finds_the_items_of_a_workflow_that_was_withdrawn_and_put_again() -> None:
    made = engine()
    bucket = State().bucket(made)
    come(bucket, placed(0))
    take(made, 0, None)
    take(made, 1, WORKFLOW)
    come(bucket, placed(1) + filled(2))
    outputs = bucket.on_batch(b"", -NEVER) + bucket.on_time(NEVER)
    assert rows(outputs, "F") == []


def test_what_comes_by_links_in_a_time_that_is_closed_belongs_to_nothing() -> None:
    made = engine()
    bucket = State().bucket(made)
    take(made, 0, WORKFLOW | {"enabled": False}, since=M)
    outputs = bucket.on_batch(filled(2 * M), MONDAY + 2 * M - 1)
    assert rows(outputs, "I") == []


def test_an_item_moves_before_it_takes_what_comes_by_links() -> None:
    made = engine()
    bucket = State().bucket(made)
    come(bucket, placed(0))
    longer = WORKFLOW | {"deadlines": [WORKFLOW["deadlines"][0] | {"within": "15m"}]}
    take(made, 0, longer | {"migrate": "in_flight"}, since=M)
    come(bucket, filled(2 * M), 2 * M - 1)
    (item,) = rows(bucket.on_time(MONDAY + 2 * M) + bucket.on_batch(placed(0), MONDAY + 2 * M), "I")[-1:]
    assert item["version"] == 2


@pytest.mark.parametrize("silent", ["desk", "exchange"])
def test_a_source_that_bears_only_a_further_key_and_one_that_shows_links_can_be_blind(silent: str) -> None:
    made = Engine(
        "main",
        [compile_mapping(one | {"heartbeat": "3m"} if one["source"] == silent else one) for one in (DESK, EXCHANGE)],
        ["desk", "exchange"],
        compile_workflow,
        granularity=1,
        live=True,
    )
    made.put_rule(document(WORKFLOW))
    bucket = State().bucket(made)
    come(bucket, pulse(0, desk=0, exchange=0) + placed(0))
    time(bucket, 0)
    come(bucket, pulse(3 * M), 0)
    assert time(bucket, 3 * M) == [("blind", "heartbeat")]
    assert time(bucket, 6 * M) == [], "the fill is not known to be missing"


@pytest.mark.parametrize(("ahead", "teaches"), [(5 * M - 1, True), (5 * M, True), (5 * M + 1, False)])
def test_a_record_whose_time_cannot_be_right_teaches_no_link(ahead: int, teaches: bool) -> None:
    state = State()
    stage = LinkBucket(engine(live=True), 1, state.items, state.index)
    said = {"id": "link", "type": "routed", "at": MONDAY + ahead, "order": "O1", "execution": "E1"}
    stage.on_batch(encode([Frame(0, 1, 0, 0, MONDAY, orjson.dumps(said))]), -NEVER)
    stage.save()
    assert bool(state.items.entries) == teaches


def test_an_engine_goes_to_workers_with_all_that_it_knows() -> None:
    made = engine(live=True, desk={"heartbeat": "10m"}, schedules=[DAILY])
    take(made, 0, None)
    take(made, 1, WORKFLOW | {"enabled": False}, since=M)
    made.build_for()
    for same in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):  # noqa: S301
        assert (same.live, same.scheduled, len(same.watched)) == (True, True, 1)
        assert same.planned(MONDAY + M) == made.planned(MONDAY + M) != {}
        assert same.correlations() == made.correlations() != {}
        with pytest.raises(ValueError, match="not started for the keys order, settlement"):
            take(same, 2, WORKFLOW | {"key": ["order", "settlement"]})


def test_frames_of_several_kinds_share_a_batch() -> None:
    kinds = [(frame.mapping, frame.key) for frame in decode(pulse(0) + filled(0) + placed(0))]
    assert kinds == [(254, 0), (1, 253), (0, 0)]
