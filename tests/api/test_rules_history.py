"""A rule is tried on what happened: events of a real store, a real worker process, both versions side by side."""

from __future__ import annotations

import time
from typing import Any

import pytest
from starlette.testclient import TestClient

from api import backtests
from api.store import Store
from tests.api.job import Job
from tests.api.rows import T0, event, finding, insert, progress
from tests.api.test_rules_versions import TEXT, URL, longer, put

MINUTE = 60_000
SPAN = {"since": T0, "until": T0 + 60 * MINUTE}


def happened(store: Store) -> None:
    """A is answered after 2 minutes, B after 8, C never."""
    for key, sent, replied in (("A", 0, 2), ("B", 10, 18), ("C", 20, None)):
        for kind, at in (("sent", sent), ("replied", replied)):
            if at is not None:
                said = {"key": key, "id": f"{key}-{kind}", "type": kind, "time_ms": T0 + at * MINUTE}
                insert(store, "events", *[event(key_name="trade_id", **said)] * 2)


def ended(client: TestClient, id: str) -> Any:
    until = time.monotonic() + 60
    while True:
        one = client.get(f"{URL}/simulations/{id}").json()
        if one["state"] not in ("waiting", "running") or time.monotonic() > until:
            return one
        time.sleep(0.05)


def simulated(client: TestClient, text: str) -> Any:
    begun = client.post(f"{URL}/simulations", json={"text": text, **SPAN})
    assert begun.status_code == 202, begun.text
    return ended(client, begun.json()["id"])


def test_the_edited_rule_and_the_one_in_force_are_played_side_by_side(
    client: TestClient, store: Store, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtests, "PAGE", 2)  # several pages
    happened(store)
    put(client)
    one = simulated(client, longer("9m"))
    assert one["state"] == "done", one
    assert one["sentence"].startswith("This rule would have raised 1 finding; the one in force would have raised 3.")
    assert (one["result"]["events"], one["result"]["same"], one["result"]["gone"]) == (5, 1, 2)
    assert {row["key"] for row in one["result"]["gone_findings"]} == {"B"}
    assert client.get(URL).json()["text"] == TEXT, "nothing was changed"


def waits(store: Store, at: int) -> None:
    insert(store, "events", event(key_name="trade_id", key="A", id="A-s", type="sent", time_ms=at))


def test_a_simulation_ends_where_the_lanes_time_does(client: TestClient, store: Store, job: Job) -> None:
    """The broker has been away for three hours: what was sent a minute before is not late."""
    mark = time.time_ns() // 1_000_000 - 180 * MINUTE
    insert(store, "progress", progress(watermark_ms=mark, at_ms=mark))
    waits(store, mark - MINUTE)
    put(client)
    one = ended(client, client.post(f"{URL}/simulations", json={"text": TEXT}).json()["id"])
    assert (one["until"], one["result"]["before"]) == (mark, 0)


def test_a_rule_that_is_only_to_come_is_not_the_one_in_force(client: TestClient, store: Store, job: Job) -> None:
    now = time.time_ns() // 1_000_000
    insert(store, "progress", progress(watermark_ms=now, at_ms=now))
    waits(store, now - 60 * MINUTE)
    put(client)
    put(client, longer("9h"), 1, effective_from=now + 24 * 60 * MINUTE)
    one = ended(client, client.post(f"{URL}/simulations", json={"text": longer("6m"), "days": 1}).json()["id"])
    assert one["result"]["before"] == 1


def test_a_source_that_was_blind_is_said(client: TestClient, store: Store, job: Job) -> None:
    happened(store)
    blind = {"kind": "blind", "workflow": "", "groups": {}, "rule": "heartbeat", "occurrence": "other,trade"}
    insert(
        store,
        "findings",
        finding(**blind, id="b" * 32, key="bank", deadline_ms=T0 + 2 * MINUTE, at_ms=T0 + 120 * MINUTE),
    )
    insert(store, "findings", finding(**blind, id="c" * 32, key="past", deadline_ms=T0 - 9 * MINUTE, at_ms=T0 - MINUTE))
    elsewhere = blind | {"occurrence": "other"}
    insert(store, "findings", finding(**elsewhere, id="d" * 32, key="else", deadline_ms=T0 + MINUTE, at_ms=None))
    put(client)
    notes = simulated(client, TEXT)["result"]["notes"]
    assert [note for note in notes if "blind" in note] == [
        "The source bank was blind from 2023-11-14 22:15 UTC to 2023-11-15 00:13 UTC: "
        "the job held back what waited for it, the simulation does not."
    ]


@pytest.mark.parametrize("most", [300_000, 1])
def test_what_began_long_before_the_span_and_is_due_in_it_is_found_or_said(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr("api.routes.rulehistory.MOST_EVENTS", most)
    waits(store, T0 - (47 * 60 + 30) * MINUTE)
    insert(store, "events", event(key_name="trade_id", key="B", id="B-s", type="sent", time_ms=T0 - 9 * MINUTE))
    one = simulated(client, longer("48h"))
    short = [note for note in one["result"]["notes"] if note.startswith("There are too many events")]
    assert (one["result"]["after"], len(short)) == ((1, 0) if most > 1 else (0, 1))


def test_a_new_rule_is_played_alone(client: TestClient, store: Store) -> None:
    happened(store)
    assert simulated(client, TEXT)["sentence"] == "This rule would have raised 3 findings; none is in force."


def test_what_cannot_be_played_is_refused(client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(**more: Any) -> int:
        return client.post(f"{URL}/simulations", json={"text": TEXT, **SPAN, **more}).status_code

    assert asked(text="a: [") == 422
    assert asked(text=TEXT.replace("workflow: trade", "workflow: other")) == 422
    assert asked(since=T0, until=T0) == 422
    assert asked(since=0, until=T0) == 422
    assert client.get(f"{URL}/simulations/{'0' * 16}").status_code == 404
    happened(store)
    monkeypatch.setattr("api.routes.rulehistory.MOST_EVENTS", 3)
    assert asked() == 422


def test_one_that_takes_too_long_is_ended_and_says_so(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened(store)
    monkeypatch.setattr(backtests, "LONGEST_S", 0.001)
    one = simulated(client, TEXT)
    assert (one["state"], "longer than" in one["error"]) == ("failed", True)


def test_one_can_be_cancelled_and_no_more_than_a_few_wait(
    client: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtests, "MOST_WAITING", 1)
    turn = client.app.state.context.backtests._turn  # type: ignore[attr-defined]
    with turn:
        first = client.post(f"{URL}/simulations", json={"text": TEXT, **SPAN}).json()
        assert client.post(f"{URL}/simulations", json={"text": TEXT, **SPAN}).status_code == 429
        assert client.delete(f"{URL}/simulations/{first['id']}").json()["state"] == "cancelled"
    assert ended(client, first["id"])["state"] == "cancelled"
