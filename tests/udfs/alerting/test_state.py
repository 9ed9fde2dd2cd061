"""What is stored of alerts: old bytes stay readable, and what a newer Daymark wrote is refused."""

from __future__ import annotations

import msgspec
import pytest

from tests.udfs.alerting.build import (
    GRAPH,
    HOUR,
    MINUTE,
    NOW,
    SECOND,
    Play,
    action,
    blind,
    finding,
    late,
    messages,
    policy,
)
from udfs.alerting.alert import FORMAT, decode
from udfs.alerting.desk import Desk
from udfs.alerting.fingerprint import business_date, fingerprint
from udfs.alerting.policy import EMPTY
from udfs.alerting.reported import read
from udfs.alerting.wording import instant, span
from udfs.core.codec import UnknownFormat


def test_an_alert_that_an_earlier_daymark_stored_is_read() -> None:
    fields = [1, "m", "main", "trades", "reply", "missing", "high", "high", "T-1", {"market": "X"}, "reply", "send"]
    bytes_of_old = msgspec.msgpack.encode([*fields, "0", "", "f", "runbook.md", NOW, NOW, 5.0, "open", 1, 2, 3])
    found = decode(bytes_of_old)
    assert (found.state, found.level, found.episode, found.count, found.tracks) == ("open", 1, 2, 3, [])


@pytest.mark.parametrize("name", ["a/m", "g/m", "i/m", "l/m", "x/m"])
def test_what_a_newer_daymark_stored_is_refused(name: str) -> None:
    with pytest.raises(UnknownFormat, match=f"has format {FORMAT + 1}, this Daymark reads up to {FORMAT}"):
        Desk(EMPTY, GRAPH, [(name, msgspec.msgpack.encode([FORMAT + 1, "m"]))])


def test_all_that_a_desk_remembers_is_stored() -> None:
    play = Play(policy(limit=1, group_by=("key",)))
    play.find(blind())
    for number in range(3):
        play.find(finding(f"T-{number}"))
    play.find(finding("T-9", rule="r", workflow="w"))
    play.find(late("T-1"))
    play.act(action("comment", play.id("T-2"), text="hm"))
    assert {name.partition("/")[0] for name in play.saved} == {"a", "g", "i", "l", "x"}
    entries = dict(play.saved)
    play.restart()
    play.time(NOW)
    assert play.saved == entries
    play.run(NOW + 2 * MINUTE)
    assert play.desk.changes() == {}


def test_all_that_is_found_of_one_deadline_is_one_alert() -> None:
    kinds = ("predicted", "at_risk", "missing", "late", "reported_late")
    rows = [finding(kind=kind, deadline_ms=NOW + number, rule_hash=kind) for number, kind in enumerate(kinds)]
    assert len({fingerprint(read(row)) for row in rows}) == 1
    others = [
        finding(kind="early"),
        finding("T-2"),
        finding(rule="send"),
        finding(lane="demo"),
        finding(occurrence="2026-03-02"),
        finding(workflow="other"),
    ]
    assert len({fingerprint(read(row)) for row in [rows[0], *others]}) == len(others) + 1


def test_how_many_children_have_come_is_no_part_of_an_identity_and_neither_is_an_instant() -> None:
    counted = [finding(occurrence="1 of 3", kind="at_risk"), finding(occurrence="2 of ?")]
    assert len({fingerprint(read(row)) for row in counted}) == 1
    still = [finding(kind="stalled", occurrence=str(NOW + number)) for number in range(2)]
    assert len({fingerprint(read(row)) for row in still}) == 1
    whole = finding(kind="stalled", occurrence="step")
    assert fingerprint(read(whole)) != fingerprint(read(still[0]))
    assert fingerprint(read(blind())) == fingerprint(read(blind(since=NOW)))


@pytest.mark.parametrize("kind", ["early", "unexpected"])
def test_what_is_found_of_another_business_date_is_another_alert(kind: str) -> None:
    rows = [finding(kind=kind, occurrence=day) for day in ("2026-03-02", "2026-03-03", "2026-03-03T18:00Z", "0")]
    found = [fingerprint(read(row)) for row in rows]
    assert found[1] == found[2]
    assert len({*found}) == 3
    play = Play()
    play.find(rows[0])
    play.act(action("ack", play.id()))
    play.find(rows[1])
    assert (play.alert()["state"], play.alert()["date"]) == ("open", "2026-03-03")


@pytest.mark.parametrize(
    ("occurrence", "date"),
    [("2026-03-02", "2026-03-02"), ("2026-03-02T18:00Z", "2026-03-02"), ("0", ""), ("1700000000000", "")],
)
def test_the_business_date_is_that_of_the_schedule(occurrence: str, date: str) -> None:
    assert business_date(read(finding(occurrence=occurrence))) == date


def test_instants_and_spans_are_said_plainly() -> None:
    assert instant(0) == "1970-01-01 00:00:00 UTC"
    assert instant(1 << 61) == f"{1 << 61} ms"
    assert [span(ms) for ms in (0, 999, 61_000, -HOUR, 26 * HOUR)] == ["0 ms", "999 ms", "1 min 1 s", "1 h", "1 d 2 h"]


def test_an_earlier_end_of_a_source_that_is_blind_again_ends_nothing() -> None:
    play = Play()
    play.find(blind(since=NOW))
    play.find(blind(back=NOW - MINUTE, since=NOW - HOUR))
    assert play.alert("gateway")["state"] == "open"


def test_an_alert_that_gets_worse_is_looked_at_by_silences_anew_and_weighs_in_its_incident() -> None:
    play = Play()
    play.find(blind(severity="low"))
    play.find(finding(kind="at_risk", severity="medium"))
    play.find(finding(severity="critical"))
    assert play.incident()["priority"] == "P2"


@pytest.mark.parametrize("restarts", [False, True])
def test_a_group_that_waits_for_nothing_is_stored_as_well(restarts: bool) -> None:
    play = Play(policy(interval_ms=0, repeat_ms=0, hold_ms=20 * SECOND), restarts=restarts)
    play.find(finding())
    assert any(name.startswith("g/") for name in play.saved)
    assert messages(play.act(action("escalate", play.id())))
    play.find(late())
    play.run(NOW + HOUR)
    assert not any(name.startswith("g/") for name in play.saved)
