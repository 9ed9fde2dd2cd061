"""Sources that fall silent, at three instants each: just before, at, and just after."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.udfs.core.build import event, workflow
from udfs.core.codec import decode, encode
from udfs.core.effects import Finding
from udfs.core.event import Event
from udfs.core.machine import on_event, on_time
from udfs.core.sight import Sight, hear, look, next_seen
from udfs.core.spec import Spec
from udfs.core.state import NEVER, Item

HEARTBEAT, GRACE = 300, 60

# B and D are waited for, each for 300 ms after A; D has another source than the rest.
TWO_SOURCES = workflow("ABD", deadlines=[("A", "B", 300, None, False), ("A", "D", 300, 240, False)])


def since(sight: Sight, now: int) -> int:
    look(sight, HEARTBEAT, GRACE, now)
    return sight.since


@pytest.mark.parametrize(("now", "blind"), [(1299, False), (1300, True), (1301, True)])
def test_a_source_is_blind_from_a_heartbeat_after_it_was_last_heard_of(now: int, blind: bool) -> None:
    sight = Sight(seen=1000)
    assert since(sight, now) == (1300 if blind else NEVER)
    assert sight.is_blind == blind


@pytest.mark.parametrize(("now", "blind"), [(2059, True), (2060, False), (2061, False)])
def test_a_source_can_be_seen_again_when_the_grace_after_its_return_is_over(now: int, blind: bool) -> None:
    sight = Sight(seen=1000)
    look(sight, HEARTBEAT, GRACE, 1500)
    hear(sight, 2000)
    assert (since(sight, now) == 1300) == blind


def test_a_source_that_was_never_heard_of_is_silent_from_when_one_began_to_listen() -> None:
    sight = Sight()
    assert since(sight, 5000) == NEVER
    assert since(sight, 5299) == NEVER
    assert since(sight, 5300) == 5300


def test_a_source_that_falls_silent_again_within_its_grace_is_blind_from_its_last_word_on() -> None:
    sight = Sight(seen=1000)
    look(sight, HEARTBEAT, GRACE, 1500)
    hear(sight, 2000)
    assert since(sight, 2400) == 2300
    assert sight.back == NEVER


def test_what_a_source_says_while_it_comes_back_does_not_prolong_the_grace() -> None:
    sight = Sight(seen=1000)
    look(sight, HEARTBEAT, GRACE, 1500)
    for at in (2000, 2030, 2059):
        hear(sight, at)
        assert since(sight, at) == 1300
    assert since(sight, 2060) == NEVER


def test_at_the_end_of_time_nothing_is_waited_for() -> None:
    sight = Sight(seen=1000)
    assert since(sight, 1500) == 1300
    assert since(sight, NEVER) == NEVER


class Watched:
    """One item while the source of step D is, or isn't, blind."""

    def __init__(self, spec: Spec = TWO_SOURCES) -> None:
        self.spec = spec
        self.item: Item | None = None
        self.watermark = -NEVER
        self.said: list[Finding] = []

    def blind(self, since: int) -> Watched:
        horizons = tuple(since - 1 if step.name == "D" else NEVER for step in self.spec.steps)
        self.spec = replace(self.spec, horizons=horizons)
        return self

    def seen(self) -> Watched:
        self.spec = replace(self.spec, horizons=())
        return self.time(self.watermark)

    def see(self, *events: Event) -> Watched:
        for one in events:
            self.item, effects = on_event(self.spec, self.item, one, self.watermark)
            self.said += [e for e in effects if isinstance(e, Finding)]
        return self

    def time(self, now: int) -> Watched:
        self.watermark = now
        if self.item is not None:
            self.item, effects = on_time(self.spec, decode(encode(self.item)), now)
            self.said += [e for e in effects if isinstance(e, Finding)]
        return self

    def found(self) -> list[tuple[str, str, int]]:
        return [(f.kind, f.step, f.deadline) for f in self.said]


@pytest.mark.parametrize(("since", "held"), [(1299, True), (1300, True), (1301, False)])
def test_deadlines_from_the_first_blind_instant_on_are_held_and_those_before_are_not(since: int, held: bool) -> None:
    found = Watched(workflow("AD", deadlines=[("A", "D", 300, None, False)])).see(event("A", 1000))
    assert found.blind(since).time(5000).found() == ([] if held else [("missing", "D", 1300)])


def test_while_a_source_is_blind_deadlines_that_wait_for_another_fire_on_time() -> None:
    found = Watched().see(event("A", 1000)).blind(1100)
    assert found.time(1299).found() == []
    assert found.time(1300).found() == [("missing", "B", 1300)]
    assert found.time(9000).found() == [("missing", "B", 1300)]


def test_on_return_a_step_that_happened_in_time_but_was_reported_while_blind_is_met() -> None:
    found = Watched().see(event("A", 1000), event("B", 1100)).blind(1150).time(5000)
    assert found.see(event("D", 1240)).seen().time(9000).found() == []


def test_on_return_what_did_not_happen_is_missing_by_its_own_deadline() -> None:
    found = Watched().see(event("A", 1000), event("B", 1100)).blind(1150).time(5000)
    assert found.seen().found() == [("at_risk", "D", 1240), ("missing", "D", 1300)]


def test_on_return_what_happened_too_late_is_missing_and_then_late() -> None:
    found = Watched().see(event("A", 1000), event("B", 1100)).blind(1150).time(5000).see(event("D", 1400))
    assert found.found() == [], "an earlier one may still be on its way"
    assert found.seen().found() == [("at_risk", "D", 1240), ("missing", "D", 1300), ("late", "D", 1300)]


def test_an_event_of_another_source_does_not_judge_what_is_held() -> None:
    called = workflow("ADX", ends="X", deadlines=[("A", "D", 300, None, False)])
    found = Watched(called).see(event("A", 1000)).blind(1100).time(5000).see(event("X", 6000))
    assert found.found() == []
    assert found.seen().found() == [("missing", "D", 1300)]


def test_what_a_blind_source_reports_late_is_not_out_of_order() -> None:
    ordered = workflow("ADB", flow=["AD", "DB"], deadlines=[("A", "D", 300, None, False)])
    found = Watched(ordered).see(event("A", 1000)).blind(1100).see(event("B", 1250)).time(5000)
    assert found.see(event("D", 1200)).seen().found() == []


def test_what_a_blind_source_reports_in_disorder_is_not_out_of_order() -> None:
    ordered = workflow("ADB", flow=["AD", "DB"])
    found = Watched(ordered).see(event("A", 1000)).blind(1100).see(event("B", 1250)).time(5000)
    found.see(event("D", 1400), event("D", 1200))
    assert found.seen().found() == []
    found = Watched(ordered).see(event("A", 1000)).blind(1100).see(event("B", 1250)).time(5000).see(event("D", 1400))
    assert found.seen().found() == [("out_of_order", "D", 1250)]


def test_what_is_held_is_not_forgotten_though_the_item_would_expire() -> None:
    short = workflow("AD", deadlines=[("A", "D", 300, None, False)], expire_after=1000)
    found = Watched(short).see(event("A", 1000)).blind(1100).time(50_000)
    assert found.item is not None
    assert found.seen().found() == [("missing", "D", 1300)]


def test_an_item_that_waits_for_nothing_is_forgotten_also_while_a_source_is_blind() -> None:
    short = workflow("AD", deadlines=[("A", "D", 300, None, False)], expire_after=1000)
    found = Watched(short).see(event("A", 1000), event("D", 1050)).blind(1100).time(50_000)
    assert found.item is None


def test_the_next_look_at_an_item_leaves_out_what_is_held() -> None:
    later = workflow("ABD", deadlines=[("A", "D", 300, None, False), ("A", "B", 700, None, False)])
    found = Watched(later).see(event("A", 1000)).blind(1100).time(1500)
    assert found.item is not None
    assert next_seen(found.item, 1500) == 1700


def test_the_next_look_at_an_item_is_where_its_order_is_certain_if_that_comes_first() -> None:
    ordered = workflow("ABD", flow=["AB"], tolerance=500, deadlines=[("A", "D", 300, None, False)])
    found = Watched(ordered).see(event("B", 1000), event("A", 1600)).blind(1100).time(1400)
    assert found.item is not None
    assert next_seen(found.item, 1400) == found.item.confirm == 1500
