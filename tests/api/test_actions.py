"""What people do to alerts goes to the job, is answered when the job has done it, and is never lost or done twice."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx
import orjson
import pytest
from starlette.testclient import TestClient

from api.access.roles import Limits
from api.listener import MOST_BEHIND, Answers, Listener
from api.publish import Publisher
from api.records.database import Records, url_of
from api.routes.alertstream import changes
from api.settings import Settings
from tests.api.alertrows import FP, alert
from tests.api.job import Job
from tests.api.test_alertmanager import served
from tests.kafka_help import eventually

URL = f"/api/v1/alerts/{FP}"


def test_an_action_is_answered_with_what_the_job_made_of_the_alert(client: TestClient, job: Job) -> None:
    answer = client.post(f"{URL}/ack", json={"why": "on it", "until": "2030-01-01T00:00:00Z"})
    assert answer.status_code == 200
    assert answer.json()["outcome"] == "applied"
    assert answer.json()["alerts"] == [{"id": FP, "state": "acknowledged", "rev": 7}]
    [action] = job.actions
    assert {name: action[name] for name in ("kind", "alerts", "who", "why", "until_ms")} == {
        "kind": "ack",
        "alerts": [FP],
        "who": "operator",
        "why": "on it",
        "until_ms": 1_893_456_000_000,
    }
    assert job.sent[0].key == FP.encode()
    assert client.get(f"/api/v1/actions/{action['id']}").json() == answer.json()


def test_an_action_that_the_job_refuses_is_a_409_with_its_reason(client: TestClient, job: Job) -> None:
    job.answer = Job.refused
    answer = client.post(f"{URL}/unack")
    assert (answer.status_code, answer.json()["detail"]) == (409, "It has ended.")


def test_an_action_that_is_not_answered_in_time_is_pending_and_can_be_asked_for(client: TestClient, job: Job) -> None:
    job.answer = lambda action: None
    job.context.settings.__dict__["action_wait_s"] = 0.05
    answer = client.post(f"{URL}/escalate")
    assert (answer.status_code, answer.json()["outcome"]) == (202, "pending")
    place = answer.headers["location"]
    asked = client.get(place)
    assert (asked.status_code, asked.json()["outcome"], asked.headers["location"]) == (202, "pending", place)
    job.context.listener.hear("daymark.notifications", orjson.dumps(Job.applied(job.actions[0])))
    assert client.get(place).json()["outcome"] == "applied"


def test_an_action_that_nobody_sent_is_a_404(client: TestClient, job: Job) -> None:
    assert client.get(f"/api/v1/actions/{'0' * 32}").status_code == 404


def test_what_an_action_came_to_is_known_after_a_restart(
    client: TestClient, job: Job, serve: Callable[[Settings], TestClient]
) -> None:
    done = client.post(f"{URL}/ack").json()
    job.answer = Job.refused
    refused = client.post(f"{URL}/resolve", headers={"Idempotency-Key": "k"})
    assert refused.status_code == 409
    again = serve(job.context.settings)
    assert again.get(f"/api/v1/actions/{done['id']}").json() == done
    other = job.actions[-1]["id"]
    assert again.get(f"/api/v1/actions/{other}").json()["detail"] == "It has ended."
    sent = len(job.sent)
    assert again.post(f"{URL}/resolve", headers={"Idempotency-Key": "k"}).status_code == 409
    assert len(job.sent) == sent, "what was answered is not sent again"


def test_an_action_is_kept_while_kafka_is_away(client: TestClient) -> None:
    context = client.app.state.context  # type: ignore[attr-defined]
    context.settings.__dict__["action_wait_s"] = 0.05
    assert client.post(f"{URL}/ack").status_code == 202
    assert context.relay.waiting() == 1


def test_what_is_sent_twice_with_one_key_is_done_once(client: TestClient, job: Job) -> None:
    headers = {"Idempotency-Key": "pressed at 08:15"}
    first, second = (client.post(f"{URL}/resolve", headers=headers).json() for _ in range(2))
    assert first == second
    assert len(job.actions) == 1
    assert client.post(f"{URL}/ack", headers=headers).json()["id"] != first["id"]
    assert client.post(f"{URL}/resolve").json()["id"] != first["id"]


def test_many_alerts_are_one_action_each_alert_named_once(client: TestClient, job: Job) -> None:
    ids = [f"{n:032x}" for n in range(500)]
    answer = client.post("/api/v1/alerts/actions", json={"kind": "ack", "alerts": [*ids, *ids], "why": "storm"})
    assert len(answer.json()["alerts"]) == 500
    assert job.actions[0]["alerts"] == ids


def test_what_an_action_cannot_do_without_is_asked_for(client: TestClient, job: Job) -> None:
    wrong: list[tuple[str, Any]] = [
        (f"{URL}/comment", {}),
        (f"{URL}/suppress", {"why": "noise"}),
        (f"{URL}/explode", {}),
        (f"{URL}/ack", {"until": "tomorrow"}),
        (f"{URL}/ack", {"until": "2030-01-01T00:00:00"}),
        (f"{URL}/ack", {"who": "mallory"}),
        (f"{URL}/comment", {"text": "\0"}),
        ("/api/v1/alerts/a%20b/ack", {}),
        ("/api/v1/alerts/actions", {"kind": "ack", "alerts": []}),
        ("/api/v1/alerts/actions", {"kind": "comment", "alerts": [FP]}),
        ("/api/v1/alerts/actions", {"kind": "ack", "alerts": [FP] * 10_001}),
        ("/api/v1/incidents/i/note", {"text": ""}),
        ("/api/v1/incidents/i/merge", {}),
    ]
    for url, body in wrong:
        assert client.post(url, json=body).status_code == 422, (url, body)
    assert job.sent == []


def test_each_action_is_told_to_those_who_keep_account(client: TestClient, job: Job) -> None:
    seen: list[Any] = []
    job.context.records.watchers.append(lambda connection, change: seen.append(change))
    client.post(f"{URL}/assign", json={"assignee": "ben"})
    [change] = seen
    assert (change.who, change.action, change.subject) == ("operator", "assign", f"alert/{FP}")
    assert change.after["assignee"] == "ben"


def test_an_answer_reaches_all_who_wait_for_it_and_none_else() -> None:
    async def play() -> None:
        answers = Answers()
        waiting = [asyncio.create_task(answers.wait(name, 5)) for name in ("a", "a", "b")]
        await asyncio.sleep(0)
        await asyncio.to_thread(answers.put, {"action": "a", "outcome": "applied"})
        assert [(await one or {}).get("outcome") for one in waiting[:2]] == ["applied", "applied"]
        assert not waiting[2].done()
        answers.put({"action": "a", "outcome": "refused"})
        assert (await answers.wait("a", 0) or {})["outcome"] == "applied"
        assert await answers.wait("c", 0.01) is None
        waiting[2].cancel()

    asyncio.run(play())


def test_garbage_in_the_log_is_passed_over(client: TestClient) -> None:
    listener = client.app.state.context.listener  # type: ignore[attr-defined]
    for value in (None, b"", b"no json", b"[1]", b'{"type": "halt"}', b'{"type": "applied"}'):
        listener.hear("daymark.notifications", value)


def test_whoever_watches_is_sent_each_change_and_told_when_some_are_left_out(settings: Settings) -> None:
    async def play() -> None:
        listener = Listener(Publisher(settings), Records(url_of("", settings.home)))
        stream = changes(listener, beat_s=0.05)
        assert await anext(stream) == b": watching\n\n"
        assert await anext(stream) == b": beat\n\n"
        listener.hear("daymark.alerts", orjson.dumps(alert(state="open")))
        told = (await anext(stream)).decode()
        assert told.startswith("event: alert\ndata: {")
        assert '"state":"open"' in told
        for n in range(MOST_BEHIND + 1):
            listener.hear("daymark.alerts", orjson.dumps({"n": n}))
        await asyncio.sleep(0.05)
        assert b"event: lost" in await anext(stream)
        assert f'{{"n":{MOST_BEHIND}}}'.encode() in await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]
        assert not listener._watchers

    began = time.monotonic()
    asyncio.run(play())
    assert time.monotonic() - began < 10


def test_messages_for_open_pages_reach_whom_they_are_for_and_nobody_who_may_not_see_them(settings: Settings) -> None:
    async def play() -> None:
        listener = Listener(Publisher(settings), Records(url_of("", settings.home)))
        anna = changes(listener, viewer="anna")
        acme = changes(listener, Limits(groups={"customer": frozenset({"acme"})}), "ben")
        assert {await anext(anna), await anext(acme)} == {b": watching\n\n"}

        def said(title: str, customer: str, **more: Any) -> None:
            about = [{"id": "a", "workflow": "w", "groups": {"customer": customer}}]
            message = {"type": "notify", "title": title, "alerts": about, "count": 1} | more
            listener.hear("daymark.browser", orjson.dumps(message))

        said("hers", "zorg", person="anna")
        said("his", "acme", person="ben")
        said("of many", "acme", count=30)
        said("for all", "acme")
        assert [b"hers" in await anext(anna), b"of many" in await anext(anna), b"for all" in await anext(anna)] == [
            True
        ] * 3
        assert [b"his" in await anext(acme), b"for all" in await anext(acme)] == [True] * 2
        for stream in (anna, acme):
            await stream.aclose()  # type: ignore[attr-defined]

    asyncio.run(play())


def test_incidents_are_acted_on_likewise(client: TestClient, job: Job) -> None:
    bodies = {"note": {"text": "we know", "public": True}, "resolve": {"why": "done"}, "merge": {"alerts": ["other"]}}
    for kind, body in bodies.items():
        job.sent.clear()
        assert client.post(f"/api/v1/incidents/inc-1/{kind}", json=body).status_code == 200
        [action] = job.actions
        assert (action["kind"], action["incident"], job.sent[0].key) == (f"incident_{kind}", "inc-1", b"inc-1")
        assert action["public"] == (kind == "note")
    client.post("/api/v1/incidents/inc-1/note", json={"text": "for us"})
    assert job.actions[-1]["public"] == 0, "a note is for nobody outside unless it says so"


@pytest.mark.real
def test_changes_reach_a_browser_while_the_line_is_open(client: TestClient) -> None:
    listener = client.app.state.context.listener  # type: ignore[attr-defined]
    with served(client) as url, httpx.stream("GET", f"{url}/api/v1/alerts/live", timeout=20) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert next(lines) == ": watching"
        listener.hear("daymark.alerts", orjson.dumps(alert(key="K-9")))
        assert next(line for line in lines if line) == "event: alert"
        assert '"key":"K-9"' in next(lines)
    eventually(lambda: not listener._watchers)
