"""What was seen of a workflow comes beside the rules. It holds for open items too; a restart keeps what was told."""

from __future__ import annotations

import pickle
from typing import Any

import orjson
import pytest

from tests.udfs.operators.memory import State
from tests.udfs.operators.test_bucket import MAPPING, WORKFLOW, document, frames, record, rows
from tests.udfs.operators.test_changing_rules import MINUTE, TEN
from udfs.core.spec import Spec
from udfs.core.state import NEVER
from udfs.operators.batch import RuleRecord
from udfs.operators.bucket import Bucket
from udfs.operators.engine import Engine
from udfs.packs.compile import compile_workflow
from udfs.packs.mapping import compile_mapping

STUCK: dict[str, Any] = WORKFLOW | {"deadlines": [], "stalled": {"times": 2}}


def statistics(minutes: int) -> RuleRecord:
    said = {"workflow": "trade", "statistics": {"steps": {"send": {"count": 50, "p95": minutes * MINUTE}}}}
    return RuleRecord(0, 7, 0, b"@statistics/trade", orjson.dumps(said))


def engine(definition: dict[str, Any] = STUCK) -> Engine:
    made = Engine("main", [compile_mapping(MAPPING)], ["events"], compile_workflow)
    made.put_rule(document(definition))
    return made


def spec_of(made: Engine) -> Spec:
    (spec,) = made.specs.values()
    return spec


def at(bucket: Bucket, minute: float) -> list[tuple[str, int]]:
    """What is said when time comes to a minute: kind, and the minute of the deadline."""
    outputs = bucket.on_time(int(TEN + minute * MINUTE))
    bucket.save()
    return [(row["kind"], (row["deadline_ms"] - TEN) // MINUTE) for row in rows(outputs, "F")]


def test_nothing_is_usual_before_there_are_statistics() -> None:
    bucket = State().bucket(engine())
    bucket.on_batch(frames(record("sent", 0)), -NEVER)
    assert at(bucket, 600) == []


def test_statistics_that_came_first_hold_exactly() -> None:
    made = engine()
    made.take(statistics(3))
    bucket = State().bucket(made)
    outputs = bucket.on_batch(frames(record("sent", 0)), -NEVER)
    assert at(bucket, 5.99) == []
    assert at(bucket, 6) == [("stalled", 6)]
    assert len(rows(outputs, "I")) == 1


@pytest.mark.parametrize("restart", [False, True])
def test_statistics_that_change_hold_for_an_open_item_from_the_next_look_on(restart: bool) -> None:
    made, state = engine(), State()
    bucket = state.bucket(made)
    bucket.on_batch(frames(record("sent", 0)), -NEVER)
    assert at(bucket, 10) == []
    made.take(statistics(60))
    if restart:
        bucket = state.bucket(made)
    assert at(bucket, 119) == []
    assert at(bucket, 120) == [("stalled", 120)]
    made.take(statistics(90))
    if restart:
        bucket = state.bucket(made)
    assert at(bucket, 400) == []


def test_a_version_that_comes_later_has_the_statistics_too_and_so_does_an_engine_that_was_sent_on() -> None:
    made = engine(WORKFLOW)
    made.take(statistics(3))
    assert spec_of(made).stalls == ()
    made.put_rule(document(STUCK, version=2))
    sent: Engine = pickle.loads(pickle.dumps(made))  # noqa: S301
    sent.put_rule(document(STUCK | {"remember": "2h"}, version=3))
    spec = sent.spec_at("trade", 0)
    assert spec is not None
    assert spec.stalls[0] == 6 * MINUTE
    assert made.spec_at("trade", 0) is made.specs[compile_workflow(STUCK, version=2, lane="main").hash]


def test_an_empty_record_takes_them_back_and_a_broken_one_is_refused() -> None:
    made = engine()
    made.take(statistics(3))
    made.take(RuleRecord(0, 8, 0, b"@statistics/trade", b""))
    assert spec_of(made).stalls[0] == NEVER
    with pytest.raises(ValueError, match="not a statistics document"):
        made.take(RuleRecord(0, 9, 0, b"@statistics/trade", b'{"workflow": "trade"}'))


def test_an_items_row_says_what_its_prediction_goes_by_while_the_deadline_waits() -> None:
    took = [MINUTE, 2 * MINUTE, 3 * MINUTE, 4 * MINUTE, 5 * MINUTE]
    said = {"workflow": "trade", "statistics": {"spans": {"send": {"reply": {"count": 50, "quantiles": took}}}}}
    made = engine(WORKFLOW | {"predict": {"chance": "50%"}})
    made.take(RuleRecord(0, 7, 0, b"@statistics/trade", orjson.dumps(said)))
    bucket = State().bucket(made)
    (row,) = rows(bucket.on_batch(frames(record("sent", 0)), -NEVER), "I")
    assert row["forecast"] == [{"id": "reply", "due_ms": TEN + 5 * MINUTE, "since_ms": TEN, "quantiles": took}]
    assert [kind for kind, _ in at(bucket, 4.99)] == ["predicted"]
    (row,) = rows(bucket.on_batch(frames(record("replied", 4.5)), TEN + 4 * MINUTE), "I")
    assert "forecast" not in row


def test_packs_that_ask_for_neither_have_the_rows_that_they_had() -> None:
    made = engine(WORKFLOW)
    made.take(statistics(3))
    (row,) = rows(State().bucket(made).on_batch(frames(record("sent", 0)), -NEVER), "I")
    assert "forecast" not in row
