"""How the channels do: what works, what is down and for how long, what waits, and who sends."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from api.channels import DOWN_AFTER, SILENT_MS, dispatcher, state
from api.store import Store
from tests.api.alertrows import delivery
from tests.api.job import Job
from tests.api.rows import insert

NOW = time.time_ns() // 1_000_000
MAIL = {"type": "email", "server": "localhost:25", "from": "d@example.com", "to": ["ops@example.com"]}


def attempts(channel: str, *outcomes: str, id: str = "") -> list[dict[str, Any]]:
    """The attempts of one notification, a second apart, the last one a minute ago."""
    said = {"retry": "connection refused", "dead": "no such mailbox"}
    return [
        delivery(id=id or f"{channel}-1", channel=channel, attempt=n + 1, outcome=outcome, detail=said.get(outcome, ""),
                 at_ms=NOW - 60_000 - 1_000 * (len(outcomes) - n))
        for n, outcome in enumerate(outcomes)
    ]  # fmt: skip


def listed(client: TestClient) -> dict[str, dict[str, Any]]:
    return {one["channel"]: one for one in client.get("/api/v1/channels").json()["channels"]}


def test_a_channel_works_fails_or_is_down_by_what_came_of_its_last_attempts(
    client: TestClient, job: Job, store: Store
) -> None:
    assert client.put("/api/v1/alerting/channel/spare", json=MAIL).status_code in (200, 201)
    insert(
        store,
        "deliveries",
        *attempts("mail", "sent"),
        *attempts("pager", "retry", "retry", "sent"),
        delivery(id="chat-0", channel="chat", at_ms=NOW - 100_000),
        *attempts("chat", "retry", "retry", "retry", "retry", "retry"),
        *attempts("chat", "dead", id="chat-2"),
        *attempts("sms", "retry"),
    )
    found = listed(client)
    assert {name: one["state"] for name, one in found.items()} == {
        "mail": "works", "pager": "works", "chat": "down", "sms": "fails", "spare": "unused",
    }  # fmt: skip
    chat = found["chat"]
    assert (chat["waiting"], chat["dead"], chat["failed"], chat["sent"]) == (1, 1, 5, 1)
    assert (chat["exists"], found["spare"]["exists"], found["spare"]["type"]) == (False, True, "email")
    assert (found["pager"]["failing"], found["pager"]["failed"]) == (0, 2)
    assert found["sms"]["detail"] == "connection refused"
    assert found["mail"]["failed_ms"] is None
    page = client.get("/alerts").text
    assert "Channel chat is down." in page
    assert "Channel sms" not in page


@pytest.mark.parametrize(
    ("failing", "word"), [(0, "works"), (DOWN_AFTER - 1, "fails"), (DOWN_AFTER, "down"), (DOWN_AFTER + 1, "down")]
)
def test_it_is_down_from_the_fifth_failure_in_a_row(failing: int, word: str) -> None:
    assert state({"failing": failing, "sent": 1}) == word


def test_what_was_more_than_a_day_ago_counts_no_more(client: TestClient, job: Job, store: Store) -> None:
    insert(store, "deliveries", delivery(channel="old", at_ms=NOW - 86_400_000 - 60_000))
    assert listed(client) == {}


@pytest.mark.parametrize(
    ("age_ms", "word"), [(SILENT_MS - 1, "sends"), (SILENT_MS, "silent"), (SILENT_MS + 1, "silent")]
)
def test_a_dispatcher_that_says_nothing_is_silent(age_ms: int, word: str) -> None:
    said = {"run": "r", "what": "lives", "place": "here", "at_ms": NOW - age_ms}
    found = dispatcher(said, NOW)
    assert found == {"run": "r", "place": "here", "state": word, "heard_ms": NOW - age_ms}


def test_which_dispatcher_sends_is_heard_from_the_log(client: TestClient, job: Job) -> None:
    def said(run: str, what: str) -> None:
        row = {
            "type": "dispatcher",
            "run": run,
            "what": what,
            "place": f"{run}'s",
            "at_ms": time.time_ns() // 1_000_000,
        }
        job.context.listener.hear("daymark.notifications", orjson.dumps(row))

    def told() -> Any:
        return client.get("/api/v1/channels").json()["dispatcher"]

    assert told() is None
    said("first", "lives")
    assert (told()["run"], told()["state"]) == ("first", "sends")
    said("second", "begins")
    said("first", "lives")  # it doesn't know yet
    assert told()["place"] == "second's"
    said("second", "ends")
    assert told()["state"] == "ended"
