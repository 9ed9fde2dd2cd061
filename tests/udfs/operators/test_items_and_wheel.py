"""What a bucket reads and writes: items one by one, a wheel instead of all items, and nothing that grows with them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.udfs.operators.memory import Memory, State
from tests.udfs.operators.test_bucket import WORKFLOW, engine, frames, record, rows
from udfs.core.codec import encode
from udfs.core.state import NEVER, Item
from udfs.operators.bucket import Bucket
from udfs.operators.cache import Items
from udfs.operators.wheel import Wheel

TEN = 1_772_445_600_000
"""10:00, the minute 0 of `record`."""
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def items(count: int) -> Items:
    """Items T0, T1, … in the store only."""
    store = Memory({f"T{n}": encode(begun(f"T{n}")) for n in range(count)})
    return Items(store, count)


def begun(key: str) -> Item:
    return Item("hash", key)


def test_the_items_used_last_stay_decoded() -> None:
    kept = items(10)
    for used in ("T0", "T1", "T2", "T1"):
        kept.get(used)
        kept.shrink(2)
    assert len(kept) <= 3
    store = kept._store
    assert isinstance(store, Memory)
    before = store.reads
    assert kept.get("T1") is not None
    assert store.reads == before
    assert kept.get("T0") is not None
    assert store.reads == before + 1


def test_a_key_that_was_never_seen_costs_no_read_while_all_items_are_decoded() -> None:
    kept = items(2)
    store = kept._store
    assert isinstance(store, Memory)
    for used in ("T0", "T1"):
        kept.get(used)
    before = store.reads
    assert kept.get("new") is None
    assert store.reads == before
    kept.shrink(1)
    kept.shrink(1)
    kept.get("T0")
    kept.shrink(1)
    kept.get("new")
    assert store.reads > before


def test_an_item_that_was_removed_is_not_read_again_before_the_save() -> None:
    kept = items(3)
    kept.get("T0")
    kept.remove("T0")
    assert kept.get("T0") is None
    kept.keep("T0", begun("T0"))
    assert kept.count == 3
    assert kept.get("T0") is not None


def woken(wheel: Wheel, now: int) -> list[str]:
    wheel.advance(now)
    names = []
    while (name := wheel.pop()) is not None:
        names.append(name)
    wheel.close()
    return names


def save(wheel: Wheel, store: Memory) -> None:
    puts: dict[str, bytes] = {}
    for name in wheel.save(puts):
        store.remove(name)
    store.put_all(puts)


def reread(store: Memory) -> Wheel:
    wheel = Wheel(store)
    for name in store.entries:
        wheel.found(name)
    return wheel


def unchanged(wheel: Wheel, store: Memory) -> Wheel:
    return wheel


def restarted(wheel: Wheel, store: Memory) -> Wheel:
    save(wheel, store)
    return reread(store)


@pytest.mark.parametrize("then", [unchanged, restarted])
@pytest.mark.parametrize("ahead", [1, 5 * MINUTE, 3 * HOUR, 40 * DAY, 4000 * DAY])
def test_the_wheel_wakes_at_the_instant_and_not_before(ahead: int, then: Callable[[Wheel, Memory], Wheel]) -> None:
    store = Memory()
    wheel = Wheel(store)
    wheel.advance(TEN)
    wheel.file(TEN + ahead, "K")
    wheel = then(wheel, store)
    for at in (TEN, TEN + ahead // 2, TEN + ahead - 1):
        assert woken(wheel, at) == []
        wheel = then(wheel, store)
        assert (wheel.earliest() or 0) <= TEN + ahead
    assert woken(wheel, TEN + ahead) == ["K"]
    woken(wheel, NEVER)
    save(wheel, store)
    assert store.entries == {}


def test_many_entries_of_one_slot_are_cut_into_pieces_and_all_come_back() -> None:
    store = Memory()
    wheel = Wheel(store)
    wheel.advance(TEN)
    for n in range(1000):
        wheel.file(TEN + 5 * MINUTE, f"a key that is rather long, as keys go {n}")
        if n % 10 == 0:
            save(wheel, store)
    save(wheel, store)
    assert len(store.entries) > 3
    assert max(map(len, store.entries.values())) < 6000
    assert len(set(woken(reread(store), TEN + 5 * MINUTE))) == 1000


def test_the_wheel_writes_what_is_new_and_not_what_it_holds() -> None:
    store = Memory()
    wheel = Wheel(store)
    for n in range(5000):
        wheel.file(TEN + n * MINUTE, f"K{n}")
    save(wheel, store)
    before = store.reads, store.writes
    wheel.file(TEN + 7, "one more")
    save(wheel, store)
    assert (store.reads - before[0], store.writes - before[1]) <= (1, 1)


def test_an_item_that_ends_is_soon_off_the_wheel_though_it_might_have_stayed_for_months() -> None:
    made = engine(deadlines=[], expire_after="90d", remember="10m")
    state = State()
    bucket = state.bucket(made)
    bucket.on_batch(frames(record("sent", 0), record("settled", 1)), TEN - 1)
    bucket.on_time(TEN + 12 * MINUTE)
    bucket.on_time(TEN + 2 * HOUR)
    bucket.save()
    assert state.items.entries == {}
    assert {name for name in state.index.entries if not name.startswith("\x1f")} == {"items"}


def test_a_deadline_that_starts_after_an_early_look_and_a_restart_is_found_in_time() -> None:
    steps = WORKFLOW["steps"] | {"check": {"on": "checked"}, "book": {"on": "booked"}}
    deadlines = [*WORKFLOW["deadlines"], {"id": "book", "after": "check", "expect": "book", "within": "10m"}]
    made = engine(steps=steps, deadlines=deadlines, flow=["send -> reply -> check -> book -> settle"])
    state = State()
    bucket = state.bucket(made)
    bucket.on_batch(frames(record("sent", 0), record("replied", 1)), TEN - 1)
    bucket.save()
    assert bucket.on_time(TEN + 6 * MINUTE) == []
    bucket.save()
    bucket = state.bucket(made)
    bucket.on_batch(frames(record("checked", 7)), TEN + 6 * MINUTE)
    bucket.save()
    due = bucket.next_timer()
    assert due is not None
    assert due <= TEN + 17 * MINUTE + 99
    assert [f["rule"] for f in rows(bucket.on_time(TEN + 17 * MINUTE + 99), "F")] == ["book"]


def opened(count: int) -> tuple[State, Bucket]:
    """A bucket with so many open items, after a restart, of which it keeps next to none decoded."""
    state = State()
    bucket = state.bucket(engine())
    bucket.on_batch(frames(*[record("sent", 30, key=f"old{n}") for n in range(count)]), TEN - 1)
    bucket.save()
    state.items.reads = state.items.writes = state.index.reads = state.index.writes = 0
    return state, state.bucket(engine())


def test_a_restart_reads_no_item() -> None:
    state, bucket = opened(500)
    assert state.items.reads == 0
    assert len(bucket) == 0
    assert state.index.reads < 10
    assert bucket.next_timer() is not None


def cost(count: int) -> tuple[int, int, int]:
    """What 40 new items, each with two events and one of them late, cost a bucket with so many open ones: reads and
    writes of items, and reads and writes of the index."""
    state, bucket = opened(count)
    for n in range(40):
        bucket.on_batch(frames(record("sent", n / 4, key=f"T{n}")), TEN + n * 15_000 - 1)
        bucket.save()
        bucket.shrink(1)
        if n % 2:
            bucket.on_batch(frames(record("replied", n / 4 + 1, key=f"T{n}")), TEN + n * 15_000 - 1)
            bucket.save()
            bucket.shrink(1)
        bucket.on_time(TEN + n * 15_000)
        bucket.save()
    return state.items.reads, state.items.writes, state.index.reads + state.index.writes


def test_what_an_event_costs_does_not_grow_with_the_open_items() -> None:
    few, many = cost(10), cost(2000)
    assert 40 < few[0] < 200
    assert few[:2] == many[:2]
    assert many[2] <= few[2] + 40, "the wheel of many has more pieces, each of which is read once"
