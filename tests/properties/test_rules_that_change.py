"""However a bucket comes to look at its items after the rules have changed (by events, deadlines, pulses, in slices,
with restarts in between), it says what a host says that brings up all of them at every step of time, without state."""

from __future__ import annotations

import random
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.effort import examples
from tests.properties.test_what_is_cached_changes_nothing import (
    BEGIN,
    HOUR,
    MAPPING,
    SECOND,
    SPANS,
    Action,
    in_time,
    lines,
    records,
    times,
    workflows,
)
from tests.udfs.operators.memory import State
from udfs.core.effects import Effect, Finding
from udfs.core.event import Event
from udfs.core.machine import next_deadline, on_event, on_time
from udfs.core.migrate import migrate
from udfs.core.state import NEVER, Item
from udfs.core.upkeep import begins, bring_up
from udfs.core.versions import Plan
from udfs.operators import sweep
from udfs.operators.batch import PULSE, Frame, RuleRecord, encode
from udfs.operators.engine import Engine
from udfs.packs.compile import compile_workflow

Versions = list[tuple[int, dict[str, Any]]]


@st.composite
def versions(draw: st.DrawFn) -> Versions:
    """A workflow, and up to three changes of it, each from an instant on."""
    first = draw(workflows())
    made: Versions = [(0, first)]
    for _ in range(draw(st.integers(1, 3))):
        since = BEGIN + draw(st.sampled_from([0, SECOND, 20 * SECOND, HOUR, 25 * HOUR]))
        spans = [rule | {"within": draw(SPANS)} for rule in first["deadlines"]]
        how = draw(st.sampled_from([{}, {"migrate": "in_flight"}, {"migrate": "in_flight"}, {"enabled": False}]))
        made.append((since, first | {"deadlines": spans} | how))
    return made


class Host:
    """The items of a workflow, each looked at whenever time moves."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.plan: Plan | None = engine.plans.get("w")
        self.items: dict[str, Item] = {}
        self.said: set[str] = set()
        self.now = -NEVER

    def event(self, event: Event) -> None:
        item = self._look(event.key)
        if self.plan and self.plan.closes(event.time, max(event.time, self.now)):
            return
        if item is not None and event.time < begins(item):
            item = self._begun_at(item, event.time)
        spec = self.engine.specs[item.spec] if item else self.engine.spec_at("w", event.time)
        if spec is None:
            return
        self._keep(event.key, *on_event(spec, item, event, self.now))
        self._look(event.key)

    def time(self, now: int) -> None:
        self.now = now
        for key in [*self.items]:
            while (item := self._look(key)) is not None and (next_deadline(item) or 0) <= now:
                self._keep(key, *on_time(self.engine.specs[item.spec], item, now))

    def _look(self, key: str) -> Item | None:
        """The item, brought up to the rules. One that was forgotten meanwhile is gone before its next event."""
        while (item := self.items.get(key)) is not None and self.plan is not None:
            change = bring_up(self.engine.specs, self.plan, True, item, self.now)
            if change is None:
                break
            if change.closing is not None and item.trace and not item.ended:
                self.said.add(f"{key} {item.run} {change.closing.reason}")
            self._keep(key, change.after, change.effects + change.more)
        return item

    def _begun_at(self, item: Item, time: int) -> Item | None:
        chosen, fit = [self.engine.spec_at("w", at) for at in (begins(item), time)]
        if chosen and fit and item.ruled < 0 and chosen.hash == item.spec != fit.hash:
            self._keep(item.key, *migrate(chosen, fit, item, self.now))
        return self.items.get(item.key)

    def _keep(self, key: str, item: Item | None, effects: list[Effect]) -> None:
        self.said |= {one.id for one in effects if isinstance(one, Finding)}
        if item is not None and not item.trace:  # the next run, under the version of the run before
            fit = self.engine.spec_at("w", begins(item))
            if fit is not None and fit.hash != item.spec:
                item = migrate(self.engine.specs[item.spec], fit, item, self.now)[0]
        if item is None:
            self.items.pop(key, None)
        else:
            self.items[key] = item


def engine(changes: Versions) -> Engine:
    made = Engine("main", [MAPPING], ["events"], compile_workflow, granularity=1)
    for offset, (since, definition) in enumerate(changes):
        rule = {"workflow": "w", "version": offset + 1, "effective_from": since, "definition": definition}
        made.take(RuleRecord(0, offset, 0, b"w", orjson.dumps(rule)))
    return made


def by_host(changes: Versions, history: list[Action]) -> set[str]:
    host = Host(engine(changes))
    for time, record in records(history):
        if record is None:
            for since in sorted({since for since, _ in changes if host.now < since < time}):
                host.time(since)  # exactly when a version comes into force
            host.time(time)
        else:
            host.event(MAPPING.event(MAPPING.parse(record), "key", "", 0))
    assert host.items == {}
    return host.said


def by_bucket(changes: Versions, history: list[Action], luck: random.Random) -> set[str]:
    state, watermark = State(), -NEVER
    bucket = state.bucket(engine(changes))
    outputs: list[bytes] = []
    for time, record in records(history):
        if record is not None:
            outputs += bucket.on_batch(encode([Frame(0, 0, 0, 0, 0, record)]), watermark)
        else:
            watermark = time
            if (bucket.next_timer() or 0) <= time:
                outputs += bucket.on_time(time)
            if luck.random() < 0.5:
                said = {"readers": 1, "bucket": 0, "buckets": 1, "watermark": time, "topics": {}}
                outputs += bucket.on_batch(encode([Frame(PULSE, 0, 0, 0, 0, orjson.dumps(said))]), time)
        bucket.save()
        bucket.shrink(1)
        if luck.random() < 0.2:
            bucket = state.bucket(engine(changes))
    assert state.items.entries == {}
    told = [(tag, orjson.loads(line)) for tag, line in lines(outputs)]
    found = {row["id"] for tag, row in told if tag == "F"}
    return found | {
        f"{row['key']} {row['run_ms']} {row['reason']}" for tag, row in told if tag == "I" and row["status"] == "closed"
    }


@settings(
    max_examples=examples(400),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(versions(), st.lists(st.one_of(in_time, in_time, times), max_size=25), st.randoms())
def test_when_a_bucket_looks_at_its_items_makes_no_difference(
    monkeypatch: pytest.MonkeyPatch, changes: Versions, history: list[Action], luck: random.Random
) -> None:
    monkeypatch.setattr(sweep, "SLICE", 1)
    assert by_bucket(changes, history, luck) == by_host(changes, history)
