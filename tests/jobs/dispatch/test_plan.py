"""What is sent next: order, back-off, breaker, halts, dead letters, progress. Pure, with a clock in hand."""

from __future__ import annotations

import msgspec
import pytest

from jobs.dispatch.breaker import THRESHOLD
from jobs.dispatch.outcomes import LISTED, MOST_LISTED, Result, refused_row
from jobs.dispatch.plan import GIVE_UP_MS, LONGEST_HOLD_MS, TEST_MS, TRIES, Plan
from jobs.dispatch.records import Applied, Retry, Test
from tests.jobs.dispatch.steps import DOWN, LATER, REFUSED, SENT, Bench, notice


def test_a_notice_is_sent_once_however_often_it_is_in_the_log() -> None:
    bench = Bench()
    bench.log(notice("n"), notice("n"))
    assert bench.drain() == ["n"]
    bench.log(notice("n"))
    assert bench.drain() == []


def test_the_floor_passes_a_notice_only_when_its_row_is_recorded() -> None:
    bench = Bench()
    bench.log(notice("a"), notice("b"))
    first, second = bench.begin(), bench.begin()
    bench.plan.recorded(second, bench.plan.end(second, SENT, bench.now, bench.now))
    assert bench.plan.floor == 0
    row = bench.plan.end(first, SENT, bench.now, bench.now)
    assert bench.plan.floor == 0
    bench.plan.recorded(first, row)
    assert bench.plan.floor == 2


def test_notices_of_one_group_to_one_recipient_keep_their_order_and_others_go_ahead() -> None:
    bench = Bench()
    bench.log(notice("1", group="g"), notice("2", group="g"), notice("3", group="g", address="b@x"), notice("4"))
    assert bench.send(result=DOWN).outcome == "retry"
    assert bench.drain() == ["3", "4"]
    bench.wait()
    assert bench.drain() == ["1", "2"]


def test_each_failure_doubles_the_wait_by_half_of_chance() -> None:
    bench = Bench()
    bench.log(notice("n"))
    for attempt in range(1, THRESHOLD):
        row = bench.send(result=DOWN)
        assert (row.outcome, row.attempt) == ("retry", attempt)
        longest = 1000 * 2 ** (attempt - 1)
        assert longest / 2 <= bench.wait() <= longest
    assert {Bench_of(id).wait() for id in "abc"} != {Bench_of("a").wait()}, "those that fail together part ways"


def Bench_of(id: str) -> Bench:
    bench = Bench()
    bench.log(notice(id))
    bench.send(result=DOWN)
    return bench


@pytest.mark.parametrize(("early", "sends"), [(1, False), (0, True), (-1, True)])
def test_a_try_comes_when_its_wait_is_over_and_not_before(early: int, sends: bool) -> None:
    bench = Bench_of("n")
    bench.wait()
    bench.now -= early
    assert bool(bench.send()) is sends


def trip(bench: Bench, channel: str = "mail") -> None:
    bench.log(*(notice(f"{channel}-{n}", channel) for n in range(THRESHOLD + 3)))
    for _ in range(THRESHOLD):
        assert bench.send(channel, DOWN)


def test_a_channel_that_keeps_failing_is_left_alone_and_then_asked_once() -> None:
    bench = Bench()
    trip(bench)
    assert bench.send() is None
    assert bench.wait() == 5_000
    probe = bench.begin()
    assert bench.plan.start("mail", bench.now) is None, "half-open lets one through"
    assert bench.plan.next_time("mail") is None, "until its outcome is known"
    bench.plan.recorded(probe, bench.plan.end(probe, DOWN, bench.now, bench.now))
    assert bench.wait() == 10_000
    assert bench.send().outcome == "sent"
    assert len(bench.drain()) == THRESHOLD + 2, "a channel that works again gets at once all that waits"


def test_a_channel_that_is_down_delays_only_itself() -> None:
    bench = Bench()
    trip(bench, "pager")
    bench.log(notice("n", "mail"))
    assert bench.drain("mail") == ["n"]


def test_tries_of_an_open_channel_dont_count_but_a_day_does() -> None:
    bench = Bench()
    trip(bench)
    bench.wait()
    while bench.now < 1_000_000 + GIVE_UP_MS - 70_000:
        assert bench.send(result=DOWN).outcome == "retry"
        bench.wait()
    while (row := bench.send(result=DOWN)).outcome == "retry":
        bench.wait()
    assert row.outcome == "dead"
    assert bench.now >= 1_000_000 + GIVE_UP_MS


def test_a_notice_that_fails_where_others_succeed_is_given_up_after_its_tries() -> None:
    bench = Bench()
    bench.log(notice("poison"))
    for n in range(TRIES):
        row = bench.send(result=DOWN)
        bench.log(notice(f"fine-{n}"))
        assert bench.drain() == [f"fine-{n}"]
        if n < TRIES - 1:
            assert row.outcome == "retry"
            bench.wait()
    assert row.outcome == "dead"
    assert bench.plan.floor == bench.plan.position


def test_what_a_working_channel_refuses_is_dead_at_once_and_harms_no_other() -> None:
    bench = Bench()
    bench.log(*(notice(str(n)) for n in range(THRESHOLD + 1)))
    for _ in range(THRESHOLD):
        assert bench.send(result=REFUSED).outcome == "dead"
    assert bench.send().outcome == "sent"


def test_mailboxes_that_are_full_for_now_hold_no_other_mail_up_and_are_given_up_after_their_tries() -> None:
    bench = Bench()
    bench.log(*(notice(f"full-{n}") for n in range(THRESHOLD)))
    for _ in range(THRESHOLD):
        assert bench.send(result=LATER).outcome == "retry"
    bench.log(notice("critical"))
    assert bench.drain() == ["critical"]
    for _ in range((TRIES - 1) * THRESHOLD):
        bench.wait()
        row = bench.send(result=LATER)
    assert (row.outcome, row.attempt, bench.plan.unfinished) == ("dead", TRIES, 0)


@pytest.mark.parametrize("asked", [30_000, 10 * LONGEST_HOLD_MS])
def test_a_receiver_that_asks_for_patience_is_left_alone_as_long_but_never_for_hours(asked: int) -> None:
    bench = Bench()
    bench.log(notice("a"), notice("b"))
    assert bench.send(result=Result("busy", status=429, wait_ms=asked)).outcome == "retry"
    assert bench.send() is None, "nor is anything else sent there"
    held = min(asked, LONGEST_HOLD_MS)
    bench.now += held - 1
    assert bench.send() is None
    bench.now += 1
    assert sorted(bench.drain()) == ["a", "b"]


def test_a_dead_letter_comes_back_when_somebody_asks_and_its_attempts_count_on() -> None:
    bench = Bench()
    bench.log(notice("n"))
    assert bench.send(result=REFUSED).attempt == 1
    bench.log(Retry("n"))
    assert bench.plan.floor == 1, "the wish is kept until it is fulfilled"
    assert (bench.send().attempt, bench.plan.floor) == (2, 2)
    bench.log(Retry("n"))
    assert bench.send() is None, "what was sent is not sent again"


def test_a_dead_letter_of_an_earlier_run_is_sought_in_the_log() -> None:
    bench = Bench()
    bench.log(notice("n"))
    row = bench.send(result=REFUSED)
    later = Bench(Plan(position=1))
    later.plan.recall(row)
    later.log(Retry("n"), Retry("gone"))
    assert later.plan.sought == {"n": 1, "gone": 2}
    assert later.plan.floor == 1
    later.plan.found("n", notice("n"), later.now)
    later.plan.found("gone", None, later.now)
    assert later.send().attempt == 2
    assert later.plan.floor == 3


def test_the_answer_to_a_vain_wish_is_no_attempt() -> None:
    plan = Plan()
    plan.recall(refused_row("n", 5))
    bench = Bench(plan)
    bench.log(notice("n"))
    assert bench.drain() == ["n"]


def test_after_a_restart_what_was_recorded_is_not_sent_again_and_tries_go_on() -> None:
    bench = Bench()
    bench.log(notice("sent"), notice("tried"))
    bench.send()
    bench.send(result=DOWN)
    later = Bench()
    for row in bench.rows:
        later.plan.recall(row)
    later.log(notice("sent"), notice("tried"))
    assert later.send().attempt == 2
    assert [one.id for one in later.sent] == ["tried"]


@pytest.mark.parametrize(("rev", "sent"), [(4, ["n"]), (5, []), (6, [])])
def test_no_send_starts_for_a_revision_up_to_the_halt(rev: int, sent: list[str]) -> None:
    bench = Bench()
    bench.log(notice("n", alerts={"a": 5}))
    bench.halt(a=rev)
    assert bench.drain() == sent


def test_a_halt_that_is_read_between_decision_and_send_is_honoured() -> None:
    bench = Bench()
    bench.log(notice("n", alerts={"a": 5}))
    pending = bench.plan.start("mail", bench.now)
    assert pending is not None
    bench.log(Applied({"a": 5}))
    assert bench.plan.confirm(pending, bench.now).outcome == "called_off"


def test_a_halt_calls_off_what_waits_though_its_channel_is_down() -> None:
    bench = Bench()
    trip(bench)
    bench.log(notice("n", alerts={"a": 5}))
    bench.halt(a=5)
    assert [row.outcome for row in bench.sweep()] == ["called_off"]
    assert bench.sweep() == []


def test_what_comes_again_behind_its_halt_stays_called_off() -> None:
    bench = Bench()
    bench.halt(a=5)
    bench.log(notice("again", alerts={"a": 5}), notice("new", alerts={"a": 6}))
    bench.drain()
    assert [one.id for one in bench.sent] == ["new"]


def test_of_a_group_only_what_is_not_halted_is_told() -> None:
    bench = Bench()
    bench.log(notice("n", alerts={"a": 5, "b": 5, "c": 5}, count=30))
    bench.halt(a=5, c=4)
    bench.drain()
    assert list(bench.sent[0].revs) == ["b", "c"]
    assert [row["id"] for row in bench.sent[0].alerts] == ["b", "c"]
    assert bench.sent[0].count == 29


def test_the_row_of_a_notice_about_a_storm_is_no_larger_than_kafka_takes() -> None:
    bench = Bench()
    bench.log(notice("n", alerts={f"{n:032x}": 1 for n in range(30_000)}))
    failed = bench.send(result=DOWN)
    assert (len(failed.alerts), len(msgspec.json.encode(failed)) < 100_000) == (LISTED, True)
    bench.wait()
    sent = bench.send()
    assert (len(sent.alerts), len(msgspec.json.encode(sent)) < 900_000) == (MOST_LISTED, True)


def test_the_end_of_an_alert_is_told_to_those_who_heard_of_it_and_to_nobody_else() -> None:
    bench = Bench()
    bench.log(notice("1", alerts={"a": 1}, address="told@x"))
    bench.drain()
    bench.log(notice("2", alerts={"a": 1}, address="untold@x"))
    bench.halt(a=2)
    bench.sweep()
    for address in ("told@x", "untold@x"):
        bench.log(notice(f"end {address}", alerts={"a": 2}, address=address, reason="resolved"))
    assert bench.drain() == ["end told@x"]
    assert [row.outcome for row in bench.rows] == ["sent", "called_off", "sent", "superseded"]


def test_the_end_is_told_where_a_failed_try_may_have_arrived() -> None:
    bench = Bench()
    bench.log(notice("1", alerts={"a": 1}))
    bench.send(result=DOWN)
    bench.halt(a=2)
    bench.sweep()
    bench.log(notice("2", alerts={"a": 2}, reason="resolved"))
    assert bench.drain() == ["2"]


@pytest.mark.parametrize(("age", "sends"), [(TEST_MS - 1, True), (TEST_MS, False), (TEST_MS + 1, False)])
def test_a_test_is_tried_once_and_only_while_somebody_waits_for_it(age: int, sends: bool) -> None:
    bench = Bench()
    bench.log(Test("t", "mail", "anna", bench.now - age))
    row = bench.send(result=DOWN)
    assert (row is not None) is sends
    if row is not None:
        assert (row.outcome, row.reason, row.alerts) == ("failed", "test", [])


def test_new_settings_of_a_channel_are_tried_at_once() -> None:
    bench = Bench()
    trip(bench)
    assert bench.send() is None
    bench.plan.changed("mail", bench.now)
    assert len(bench.drain()) == THRESHOLD + 3
