"""An alert is forgotten a week after its end, whatever still names it."""

from __future__ import annotations

from dataclasses import replace

from tests.udfs.alerting.build import DAY, NOW, Play, action, finding, late, messages, policy, told
from tests.udfs.alerting.test_pagers import open_at, pager
from udfs.alerting.policy import Channel, Limit


def test_a_digest_of_which_nothing_is_known_any_more_is_not_sent() -> None:
    play = Play(replace(policy(group_by=("key",)), channels={"mail": Channel(Limit(2, 30 * DAY))}))
    for key in ("T-1", "T-2", "T-3"):
        play.find(finding(key))
        play.end(action("resolve", play.id(key)))
    assert len(told(play.effects)) == 2, "the third waits for a digest, which may go out in fifteen days"
    play.run(NOW + 8 * DAY)
    assert not [name for name in play.saved if name.startswith("a/")]
    assert told(play.run(NOW + 30 * DAY - 1)) == []
    assert [name for name in play.saved if name.startswith("l/")], "what its recipient had is known"
    play.run(NOW + 30 * DAY)
    assert not [name for name in play.saved if name.startswith("l/")], "until nothing of that counts any more"


def test_a_pager_stays_open_for_what_is_still_wrong_when_another_of_its_alerts_is_long_forgotten() -> None:
    play = Play(pager(expire_ms=30 * DAY, interval_ms=0))
    play.find(finding("T-1"))
    play.find(finding("T-2"))
    play.find(late("T-1"))
    play.run(NOW + 8 * DAY)
    assert len([name for name in play.saved if name.startswith("a/")]) == 1
    assert list(open_at(play).values()) == ["trigger"]
    effects = play.find(late("T-2"))
    assert [row["key"] for one in messages(effects) for row in one.row["alerts"]] == ["T-2"]
    assert open_at(play) == {}
