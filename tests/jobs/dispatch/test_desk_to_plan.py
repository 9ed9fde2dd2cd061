"""What the desk says as the dispatcher takes it: who is really told of an end."""

from __future__ import annotations

import json

from jobs.dispatch.plan import Plan, Result
from jobs.dispatch.records import read_record
from tests.udfs.alerting.build import MINUTE, NOW, SECOND, Play, action, finding, late, policy
from udfs.alerting.effects import Applied, Effect, Halt, Notify

Told = tuple[str, str, list[tuple[str, str]]]


class Line:
    """A dispatcher that hears of what a desk says in pieces, and does all of each piece at once."""

    def __init__(self) -> None:
        self.plan = Plan()

    def sent(self, effects: list[Effect]) -> list[Told]:
        """Who was told, why, and of what in which state."""
        for effect in effects:
            if isinstance(effect, Notify | Halt | Applied):
                self.plan.take(self.plan.position, read_record(json.dumps(effect.row).encode()), NOW)
        for pending, row in self.plan.sweep(NOW):
            self.plan.recorded(pending, row)
        found: list[Told] = []
        while (pending := self.plan.start("mail", NOW)) is not None:
            decided = self.plan.confirm(pending, NOW)
            if decided is None:
                notice = pending.notice
                found.append((notice.person, notice.reason, [(one["key"], one["state"]) for one in notice.alerts]))
                decided = self.plan.end(pending, Result("sent"), NOW, NOW)
            self.plan.recorded(pending, decided)
        return found


def test_an_end_that_goes_into_a_digest_is_told() -> None:
    play, line = Play(policy(limit=1)), Line()
    line.sent(play.find(finding("T-1")))
    assert line.sent(play.find(late("T-1"))) == []
    assert ("anna", "digest", [("T-1", "resolved")]) in line.sent(play.run(NOW + 10 * MINUTE))


def test_an_end_at_the_instant_of_the_digest_is_told() -> None:
    play, line = Play(policy(limit=1, expire_ms=MINUTE)), Line()
    line.sent(play.find(finding("T-1")))
    line.sent(play.find(finding("T-2", rule="r2"), NOW + SECOND))
    told = line.sent(play.run(NOW + MINUTE))
    assert ("anna", "digest", [("T-1", "expired"), ("T-2", "open")]) in told


def test_who_heard_of_an_alert_hears_of_its_end_though_a_later_message_was_called_off() -> None:
    play, line = Play(), Line()
    assert line.sent(play.find(finding())) == [("anna", "opened", [("T-1", "open")])]
    assert ("anna", "acknowledged", [("T-1", "acknowledged")]) in line.sent(play.act(action("ack", play.id(), who="")))
    again = play.act(action("unack", play.id())) + play.act(action("ack", play.id(), who="eve", id="again"))
    assert "reminder" not in [reason for _, reason, _ in line.sent(again)]
    assert ("anna", "resolved", [("T-1", "resolved")]) in line.sent(play.run(NOW + MINUTE) + play.find(late()))


def test_who_heard_of_nothing_but_that_somebody_is_at_it_does_not_hear_of_the_end() -> None:
    play, line = Play(), Line()
    begun = play.find(finding()) + play.act(action("ack", play.id(), who="eve"))
    assert line.sent(begun) == []
    assert line.sent(play.find(late())) == []
