"""How long items are known, what moves are told of them, and what is stored."""

from __future__ import annotations

import msgspec
import pytest

from tests.udfs.core.build import Follower, event, workflow
from udfs.core.codec import UnknownFormat, decode, encode
from udfs.core.machine import next_deadline
from udfs.core.state import NEVER, Held, Item, Occurrence, Slot

SHORT = workflow("ABX", ends="X", starts="A", remember=100, expire_after=1000, deadlines=[("A", "B", 300, None, False)])


@pytest.mark.parametrize(("watermark", "known"), [(1399, True), (1400, False), (1401, False)])
def test_an_ended_item_is_remembered_for_a_while_after_its_last_deadline(watermark: int, known: bool) -> None:
    follower = Follower(SHORT).see(event("A", 1000), event("X", 1100)).time(watermark)
    assert (follower.item is not None) == known


def test_an_item_that_never_ends_expires() -> None:
    follower = Follower(SHORT).see(event("A", 1000))
    assert follower.time(2299).item is not None
    assert follower.time(2300).item is None


def test_an_event_behind_the_expiry_begins_a_new_run_even_if_time_has_not_moved() -> None:
    follower = Follower(SHORT).see(event("A", 1000), event("A", 5000)).time(5300)
    assert [(f.kind, f.deadline) for f in follower.said] == [("missing", 1300), ("missing", 5300)]


def test_an_event_held_for_the_next_run_stays_in_this_one_when_an_earlier_one_prolongs_it() -> None:
    follower = Follower(SHORT).see(event("A", 1000), event("B", 2400), event("A", 1450)).time(9000)
    assert follower.kinds() == ["missing", "late"]
    assert set(follower.moves) == {"A@1000", "A@1450", "B@2400"}
    assert follower.moves["B@2400"].previous_at == 1450


def test_held_events_are_judged_as_of_their_own_time_however_far_time_has_come() -> None:
    spec = workflow("AB", deadlines=[("A", "B", 10, None, True)], remember=100, expire_after=100)
    events = [event("A", 0), event("B", 5), event("A", 1000), event("B", 1009)]
    assert Follower(spec).see(*events).time(9000).kinds() == []


def test_what_answered_too_late_is_not_told_again_when_it_has_left_a_very_long_trace() -> None:
    spec = workflow("ABX", deadlines=[("A", "B", 10, None, False)], expire_after=10**6, order="ignore")
    follower = Follower(spec).see(event("B", -5), event("A", 0)).time(20).see(event("B", 30)).time(31)
    for n in range(300):
        follower.see(event("X", 100 + n)).time(100 + n)
    follower.see(event("B", 1001), event("X", 1000))
    assert [(f.kind, f.at) for f in follower.said] == [("missing", None), ("late", 30)]


def test_a_trimmed_trace_does_not_unsay_that_a_deadline_was_met() -> None:
    spec = workflow("ABC", flow=["AB", "BA"], deadlines=[("A", "B", 10, None, True)], expire_after=10**6)
    follower = Follower(spec).see(event("A", 0, id="a"), event("B", 1), event("B", 2))
    for n in range(3, 600):
        follower.time(n - 1).see(event("C", n))
    follower.see(event("C", 601), event("C", 600, id="squeezed in"))
    assert follower.time(9000).kinds() == []


def test_copies_are_remembered_only_as_long_as_what_they_copy() -> None:
    spec = workflow("A", expire_after=10**6)
    follower = Follower(spec)
    for n in range(2000):
        follower.time(n - 1).see(event("A", n), event("A", n))
    assert follower.item is not None
    assert len(follower.item.copies) <= 256
    assert follower.item.copied == 2000


def test_a_start_behind_the_end_reopens_the_item() -> None:
    follower = Follower(SHORT).see(event("A", 1000), event("X", 1050), event("A", 1080))
    assert follower.item is not None
    assert follower.item.ended == ""


def test_a_transition_tells_how_long_the_item_queued_and_was_worked_on() -> None:
    follower = Follower(SHORT).see(event("A", 1000), event("B", 1300, started=1250))
    move = follower.moves["B@1300"]
    assert (move.previous, move.step, move.duration, move.queue, move.work) == ("A", "B", 300, 250, 50)
    assert (follower.moves["A@1000"].previous, follower.moves["A@1000"].duration) == ("", None)


def test_an_event_squeezed_in_tells_the_move_behind_it_anew() -> None:
    follower = Follower(SHORT).see(event("A", 1000), event("X", 1100), event("B", 1040))
    assert follower.moves["X@1100"].previous == "B"
    assert follower.moves["X@1100"].duration == 60


def test_an_event_that_matches_no_step_makes_no_item() -> None:
    assert Follower(SHORT).see(event("Z", 1)).item is None


def test_the_trace_of_an_endless_item_stays_bounded_and_its_verdicts_right() -> None:
    spec = workflow("AB", deadlines=[("A", "B", 10_000, None, False)], expire_after=10**6)
    follower = Follower(spec).see(event("A", 0))
    for n in range(1, 5000):
        follower.time(n - 1).see(event("A", n))
    assert follower.item is not None
    assert len(follower.item.trace) <= 256
    assert follower.time(10_000).kinds() == ["missing"]


def test_the_next_deadline_is_never_later_than_what_is_due() -> None:
    item = Follower(SHORT).see(event("A", 1000)).item
    assert item is not None
    assert next_deadline(item) == 1300


def full() -> Item:
    item = Item("0123456789abcdef", "K")
    item.trace = [Occurrence(1000, 0, 0, "e1", "s", None, 7)]
    item.slots = [Slot(0, 1000, 0, 1300, 1, 0)]
    item.seen = 1
    item.groups = {"market": (1000, "EU")}
    item.amount = (1000, 2.5)
    item.copies = {"s e1": 1}
    item.misplaced = {1: 5}
    return item


STORED_BY_FORMAT_1 = bytes.fromhex(
    "dc001101b030313233343536373839616263646566a14b9197cd03e80000a26531a173c007810095cd03e800cd0514010001"
    "a00000cf4000000000000000cf4000000000000000cf400000000000000081a66d61726b657492cd03e8a2455592cd03e8cb"
    "400400000000000081a4732065310181010590"
)


def test_what_is_stored_comes_back() -> None:
    item = full()
    item.held = [Held(2000, 1, "e2", "s", 1900, 8, (("market", "US"),), 1.0)]
    back = decode(encode(item))
    assert encode(back) == encode(item)
    assert (back.key, back.groups, back.amount, back.due) == ("K", {"market": (1000, "EU")}, (1000, 2.5), NEVER)
    assert (back.trace[0].id, back.slots[0].wake, back.copies, back.misplaced) == ("e1", 1300, {"s e1": 1}, {1: 5})
    assert back.held is not None
    assert (back.held[0].groups, back.held[0].amount, back.held[0].started) == ((("market", "US"),), 1.0, 1900)


def test_bytes_stored_by_format_1_stay_readable() -> None:
    item = full()
    item.due = item.expires = item.confirm = 1 << 62  # what NEVER was
    assert encode(decode(STORED_BY_FORMAT_1)) == encode(item)


def test_bytes_of_a_newer_format_are_refused_with_what_to_do() -> None:
    fields = msgspec.msgpack.decode(encode(full()))
    with pytest.raises(UnknownFormat, match="use a newer Daymark"):
        decode(msgspec.msgpack.encode([99, *fields[1:], "more"]))
