"""Whatever fails, halts and dies, in whatever order: nothing is lost, nothing halted sent, no record repeated."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.dispatch.outcomes import Result
from jobs.dispatch.plan import Plan
from jobs.dispatch.queues import Pending
from jobs.dispatch.records import FINAL, Delivery, Halt, Notify, Record, Retry
from tests.effort import examples
from tests.jobs.dispatch.steps import DOWN, LATER, REFUSED, SENT, notice

CHANNELS = ("mail", "pager")
ALERTS = ("a", "b", "c")
BUSY = Result("busy", status=429, wait_ms=2_000)

notices = st.builds(
    lambda n, channel, alerts, rev, group: notice(
        f"n{n}", channel, alerts=dict.fromkeys(alerts, rev), group=group, address="x@y"
    ),
    st.integers(0, 8), st.sampled_from(CHANNELS), st.sets(st.sampled_from(ALERTS), min_size=1),
    st.integers(1, 6), st.sampled_from(["", "g"]),
)  # fmt: skip
halts = st.builds(Halt, st.dictionaries(st.sampled_from(ALERTS), st.integers(1, 6), min_size=1))
retries = st.builds(Retry, st.sampled_from([f"n{n}" for n in range(9)]))
steps = st.lists(
    st.one_of(
        st.tuples(st.just("log"), st.one_of(notices, notices, halts, retries)),
        st.tuples(
            st.just("send"), st.sampled_from(CHANNELS), st.sampled_from([SENT, SENT, DOWN, REFUSED, BUSY, LATER])
        ),
        st.tuples(st.just("send and die"), st.sampled_from(CHANNELS)),
        st.tuples(st.just("die"), st.none()),
        st.tuples(st.just("wait"), st.integers(1, 400_000)),
    ),
    max_size=60,
)


class World:
    """The two topics and the committed offset outlive the dispatcher; everything else is forgotten when it dies."""

    def __init__(self) -> None:
        self.log: list[Record] = []
        self.rows: list[Delivery] = []
        self.committed = 0
        self.now = 1_000_000_000
        self.sends: Counter[str] = Counter()
        self.deaths: Counter[str] = Counter()
        self.begin()

    def begin(self) -> None:
        self.plan = Plan(position=self.committed)
        for row in self.rows:
            self.plan.recall(row)
        for record in self.log[: self.committed]:
            self.plan.recall_record(record)
        self.read()

    def read(self) -> None:
        while self.plan.position < len(self.log):
            self.plan.take(self.plan.position, self.log[self.plan.position], self.now)
        for id, offset in list(self.plan.sought.items()):
            known = [one for one in self.log[:offset] if isinstance(one, Notify) and one.id == id]
            self.plan.found(id, known[0] if known else None, self.now)
        for pending, row in self.plan.sweep(self.now):
            self.record(pending, row)

    def record(self, pending: Pending, row: Delivery) -> None:
        self.rows.append(row)
        self.plan.recorded(pending, row)
        assert self.plan.floor >= self.committed, "progress never goes back"
        self.committed = self.plan.floor

    def send(self, channel: str, result: Result, *, die: bool = False) -> bool:
        pending = self.plan.start(channel, self.now)
        if pending is None:
            return False
        row = self.plan.confirm(pending, self.now)
        if row is None:
            self.check_may_be_sent(pending.notice)
            if result is SENT:
                self.sends[pending.notice.id] += 1
            row = self.plan.end(pending, result, self.now, self.now)
        if die:
            self.deaths[pending.notice.id] += 1
            self.begin()
        else:
            self.record(pending, row)
        return True

    def check_may_be_sent(self, sent: Notify) -> None:
        halted = {alert: rev for one in self.log if isinstance(one, Halt) for alert, rev in one.halt.items()}
        for one in self.log:
            if isinstance(one, Halt):
                halted |= {alert: max(rev, halted[alert]) for alert, rev in one.halt.items()}
        assert all(rev > halted.get(alert, 0) for alert, rev in sent.revs.items())
        assert {row["id"] for row in sent.alerts} == set(sent.revs)


@given(steps)
@settings(deadline=None, max_examples=examples(150))
def test_nothing_is_lost_nothing_halted_is_sent_nothing_recorded_is_repeated(given: list[tuple]) -> None:
    world = World()
    for kind, *rest in given:
        match kind:
            case "log":
                world.log.append(rest[0])
                world.read()
            case "send":
                world.send(*rest)
            case "send and die":
                world.send(rest[0], SENT, die=True)
            case "die":
                world.begin()
            case "wait":
                world.now += rest[0]
    for _ in range(200):
        world.now += 3_600_000
        if not any(world.send(channel, SENT) for channel in CHANNELS):
            break
    last = {row.id: row.outcome for row in world.rows}
    for record in world.log:
        if isinstance(record, Notify):
            assert last[record.id] in FINAL, "each notice comes to an end"
    assert world.plan.unfinished == 0
    assert world.plan.floor == len(world.log)
    for id, times in world.sends.items():
        assert times <= 1 + world.deaths[id], "only a death before the record repeats a send"
    identities = Counter((row.id, row.attempt) for row in world.rows)
    assert set(identities.values()) <= {1}, "each row is an attempt of its own"
