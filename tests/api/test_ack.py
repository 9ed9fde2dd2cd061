"""The page behind an acknowledge link: opening it does nothing, its button does one thing once, and says what was."""

from __future__ import annotations

import os
import time

import pytest
from limits import RateLimitItemPerMinute
from starlette.testclient import TestClient

from api.routes import ack
from api.settings import Settings
from api.store import Store
from tests.api.alertrows import FP, alert, delivery
from tests.api.job import Job
from tests.api.rows import T0, insert
from udfs.alerting.links import Link, action_id, sign
from udfs.linksecret import link_secret

TOKEN = "a-token-of-some-length"
EVIL = "<script>alert(1)</script>"


def token(settings: Settings, *, action: str = "ack", expires_in_ms: int = 60_000, episode: int = 1) -> str:
    expires = time.time_ns() // 1_000_000 + expires_in_ms
    return sign(Link(action, {FP: episode}, "anna", expires), link_secret(settings.home, os.environ))


def test_opening_the_page_shows_the_alert_and_a_button_and_does_nothing(
    client: TestClient, job: Job, settings: Settings, store: Store
) -> None:
    insert(store, "alerts", alert(summary=f"reply is missing {EVIL}"))
    shown = client.get(f"/ack/{token(settings)}")
    assert shown.status_code == 200
    assert "<button" in shown.text
    assert "reply is missing" in shown.text
    assert EVIL not in shown.text
    assert shown.headers["referrer-policy"] == "same-origin"  # no other site is told the address, which allows it
    assert job.sent == []


def test_the_button_acknowledges_once_however_often_it_is_pressed(
    client: TestClient, job: Job, settings: Settings
) -> None:
    link = token(settings)
    for _ in range(2):
        assert "Done" in client.post(f"/ack/{link}").text
    [action] = job.actions
    assert (action["id"], action["kind"], action["who"], action["alerts"]) == (action_id(link), "ack", "anna", [FP])
    assert "<button" not in client.get(f"/ack/{link}").text


def test_an_alert_that_has_ended_is_said_to(client: TestClient, job: Job, settings: Settings, store: Store) -> None:
    insert(store, "alerts", alert(state="resolved", ended_ms=1))
    shown = client.get(f"/ack/{token(settings)}")
    assert "It has ended" in shown.text
    assert "<button" not in shown.text
    pressed = client.post(f"/ack/{token(settings)}")
    assert (pressed.status_code, "It has ended" in pressed.text) == (409, True)
    assert job.sent == []


def test_what_the_job_refuses_is_said_with_its_reason(client: TestClient, job: Job, settings: Settings) -> None:
    job.answer = Job.refused
    pressed = client.post(f"/ack/{token(settings)}")
    assert (pressed.status_code, "It has ended." in pressed.text) == (409, True)


def test_a_link_of_an_earlier_episode_is_not_for_the_present_one(
    client: TestClient, settings: Settings, store: Store
) -> None:
    insert(store, "alerts", alert(episode=2))
    link = token(settings, episode=1)
    assert "come back since" in client.get(f"/ack/{link}").text
    assert client.post(f"/ack/{link}").status_code == 409


def test_a_link_that_is_newer_than_the_row_is_for_the_job_to_judge(
    client: TestClient, job: Job, settings: Settings, store: Store
) -> None:
    insert(store, "alerts", alert(state="resolved", ended_ms=1, episode=1))
    assert "Done" in client.post(f"/ack/{token(settings, episode=2)}").text
    [action] = job.actions
    assert action["episodes"] == {FP: 2}


def digest(settings: Settings, told_ms: int = T0 + 5) -> str:
    """The link of a message that doesn't name its alerts."""
    expires = time.time_ns() // 1_000_000 + 60_000
    return sign(Link("ack", {}, "anna", expires, "n" * 32, told_ms), link_secret(settings.home, os.environ))


def test_the_link_of_a_digest_is_for_all_its_alerts_as_far_as_they_are_what_was_told(
    client: TestClient, job: Job, settings: Settings, store: Store
) -> None:
    ids = [f"{n:032x}" for n in range(500)]
    insert(store, "deliveries", delivery(outcome="retry", alerts=ids[:3]), delivery(attempt=2, alerts=ids))
    standing = [alert(id=id, key=id, summary=f"{id} is missing") for id in ids[:498]]
    standing[0] |= {"state": "resolved", "ended_ms": T0 + 6}
    standing[1] |= {"episode": 2, "opened_ms": T0 + 6}  # it has come back since
    insert(store, "alerts", *standing)  # the last two are not loaded yet
    link = digest(settings)
    shown = client.get(f"/ack/{link}").text
    assert "Acknowledge these 498 alerts?" in shown
    assert f"{ids[2]} is missing" in shown
    assert "and 478 more" in shown
    for _ in range(2):
        assert "Done" in client.post(f"/ack/{link}").text
    [action] = job.actions
    assert sorted(action["alerts"]) == ids[2:]
    assert (action["id"], action["who"], action["told_ms"]) == (action_id(link), "anna", T0 + 5)


def test_the_link_of_a_digest_waits_until_it_is_known_which_alerts_it_was_about(
    client: TestClient, job: Job, settings: Settings, store: Store
) -> None:
    insert(store, "deliveries", delivery(outcome="retry"))
    for ask in (client.get, client.post):
        answer = ask(f"/ack/{digest(settings)}")
        assert (answer.status_code, "Reload this page" in answer.text) == (503, True)
    assert job.sent == []


def test_links_that_allow_nothing_are_refused(client: TestClient, job: Job, settings: Settings) -> None:
    wrong = [("nonsense", 404), (token(settings)[:-1] + "!", 404), (token(settings, expires_in_ms=-1), 410)]
    wrong += [(token(settings, action="destroy"), 404), ("a/b", 404)]
    for link, status in wrong:
        assert client.get(f"/ack/{link}").status_code == status, link
        assert client.post(f"/ack/{link}").status_code == status, link
    assert job.sent == []


def test_no_sign_in_is_wanted(serve, settings: Settings) -> None:  # type: ignore[no-untyped-def]
    guarded = serve(settings.model_copy(update={"api_token": TOKEN, "action_wait_s": 0.05}))
    assert guarded.get(f"/ack/{token(settings)}").status_code == 200
    pressed = guarded.post(f"/ack/{token(settings)}")
    assert (pressed.status_code, "Noted" in pressed.text) == (202, True)


def test_whoever_tries_too_many_links_must_wait(
    client: TestClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ack, "PER_MINUTE", RateLimitItemPerMinute(3, namespace="test"))
    assert [client.get("/ack/x").status_code for _ in range(5)] == [404, 404, 404, 429, 429]
