"""The whole journey of an alert, through all real parts: a file is missing, people get mail, one answers by its link,
the other one is told where nobody answers, and the file's arrival ends it. The same as a desk sees it that looks at the
screens, while nothing serves the API, and of what another system has found."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from kafka import KafkaProducer

from api.stack.detection import ALERTS
from tests.cli.stack import Stack, stack
from tests.kafka_help import eventually
from tests.stack.mailbox import Mailbox
from tests.stack.outage import kill_job, open_page, without_serving

pytestmark = pytest.mark.real

PACK = Path(__file__).parent / "journey"
ALERTING = PACK / "alerting.yaml"
ANSWERED, UNANSWERED = "F-answered", "F-unanswered"
CALM, SEEN = "F-calm", "F-seen"
UNSERVED, FULL = "F-unserved", "instance=db1"
UNALERTED, LATER = "F-unalerted", "F-later"
SCREEN_MS = 60_000  # what a screen shows has come through Flink, twice, and ClickHouse
LINK = re.compile(r'href="(http://127\.0\.0\.1:[0-9]+/ack/[^"]+)"')


@pytest.fixture(scope="module")
def mailbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mailbox]:
    running = Mailbox(tmp_path_factory.mktemp("mail") / "box")
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def up(mailbox: Mailbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """As people run it, so one has to sign in; its mail goes to the mailbox."""
    with pytest.MonkeyPatch.context() as patch, stack(tmp_path_factory.mktemp("journey") / "home") as running:
        patch.setenv("DAYMARK_SIGN_IN", "required")
        patch.setenv("DAYMARK_SMTP", f"127.0.0.1:{mailbox.port}")
        running.start("up", "--pack", PACK, "--mapping", PACK / "mapping.yaml", "--alerting", ALERTING)
        yield running


@pytest.fixture
def desk(up: Stack) -> Iterator[Any]:
    """A browser in which somebody is signed in, by a link as an admin hands it out."""
    browser = pytest.importorskip("tests.browser.conftest", reason="the browser tests need `make browser`")
    url = f"http://127.0.0.1:{up.http_port}"
    link = httpx.post(f"{url}/api/v1/sign-in-links", json={"user": "olga"}, headers=up.headers).raise_for_status()
    with browser.browsing() as chromium:
        context = chromium.new_context(base_url=url, viewport={"width": 1360, "height": 860})
        context.set_default_timeout(SCREEN_MS)
        opened = context.new_page()
        opened.goto(link.json()["path"])
        opened.get_by_role("button", name="Sign in").click()
        opened.wait_for_url(f"{url}/")
        yield context
        context.close()


def stamp(ago: int = 0) -> str:
    """So many seconds ago, as it is written in JSON."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago))


def event(key: str, kind: str) -> bytes:
    """An event of now, about a file of a partner of its own."""
    about = {"specversion": "1.0", "id": f"{key}-{kind}", "source": "/partners", "type": kind, "time": stamp()}
    return json.dumps(about | {"data": {"file_id": key, "partner": f"partner of {key}"}}).encode()


def happens(up: Stack, key: str, kind: str) -> None:
    """An event that is sent to the API."""
    sent = httpx.post(
        f"http://127.0.0.1:{up.http_port}/api/v1/events",
        content=event(key, kind),
        headers={"Content-Type": "application/cloudevents+json", **up.headers},
    )
    assert sent.status_code == 202, sent.text


def is_written(up: Stack, key: str, kind: str) -> None:
    """An event that its producer writes into Kafka, past the API."""
    producer = KafkaProducer(bootstrap_servers=f"127.0.0.1:{up.kafka_port}")
    producer.send("daymark.events.main", event(key, kind), key=key.encode()).get(timeout=10)
    producer.close()


def alert(up: Stack, key: str) -> dict[str, Any]:
    """The alert about a file with its log and deliveries, {} while there is none."""
    found = up.api("/api/v1/alerts", key=key)["items"]
    return up.api(f"/api/v1/alerts/{found[0]['id']}") if found else {}


def in_state(up: Stack, key: str, state: str, seconds: float = 60) -> dict[str, Any]:
    """The alert once it is in a state."""

    def reached() -> dict[str, Any]:
        now = alert(up, key)
        return now if now.get("state") == state else {}

    return eventually(reached, seconds)


def outcomes(up: Stack, key: str, person: str) -> list[str]:
    """What became of the attempts to tell somebody about a file, in order."""
    rows = sorted(alert(up, key).get("deliveries", []), key=lambda row: (row["at_ms"], row["attempt"]))
    return [row["outcome"] for row in rows if row["person"] == person]


def page(up: Stack, path: str, **parameters: str) -> str:
    """A page as somebody who is signed in sees it."""
    url = f"http://127.0.0.1:{up.http_port}{path}"
    return httpx.get(url, params=parameters, headers=up.headers).raise_for_status().text


def test_a_desk_sees_red_acknowledges_with_a_reason_and_sees_green_without_a_reload(up: Stack, desk: Any) -> None:
    from playwright.sync_api import expect

    for kind in ("window.opened", "file.received"):
        happens(up, CALM, kind)
    wall, console = desk.pages[0], desk.new_page()
    wall.goto("/")
    wall.evaluate("window.notReloaded = true")
    tile = wall.locator(".tile", has_text="files")
    expect(tile).to_have_class(re.compile("green"), timeout=SCREEN_MS)

    happens(up, SEEN, "window.opened")
    expect(tile).to_have_class(re.compile("red"), timeout=SCREEN_MS)
    expect(tile.locator(".bad")).to_contain_text("1")
    console.goto("/alerts")
    row = console.locator(".alert", has_text=SEEN)
    row.get_by_label("choose").check()
    console.get_by_label("reason").fill("called the partner")
    console.get_by_role("button", name="Acknowledge", exact=True).click()
    expect(console.locator(".outcome")).to_contain_text("done", timeout=SCREEN_MS)
    expect(row).to_contain_text("acknowledged", timeout=SCREEN_MS)
    answered = in_state(up, SEEN, "acknowledged")
    said = [entry for entry in answered["log"] if entry["why"] == "called the partner"]
    assert [entry["who"] for entry in said] == ["olga"]

    happens(up, SEEN, "file.received")
    expect(tile).to_have_class(re.compile("green"), timeout=SCREEN_MS)
    expect(row).to_have_count(0, timeout=SCREEN_MS)
    in_state(up, SEEN, "resolved")
    assert wall.evaluate("window.notReloaded"), "the overview was loaded anew"


def test_a_missing_file_is_told_answered_escalated_and_resolved(up: Stack, mailbox: Mailbox) -> None:
    for key in (ANSWERED, UNANSWERED):
        happens(up, key, "window.opened")

    # Anna gets a mail about each, whose link shows what it is about and does nothing until its button is pressed.
    [mail] = eventually(lambda: mailbox.about(ANSWERED, "anna"), 60)
    assert "receive is missing" in mail["Subject"]
    link = LINK.search(mail.get_body(("html",)).get_content())
    assert link is not None
    in_state(up, ANSWERED, "open")
    shown = httpx.get(link[1])
    assert (shown.status_code, ANSWERED in shown.text) == (200, True)
    assert alert(up, ANSWERED)["state"] == "open"
    done = httpx.post(link[1])
    assert done.status_code == 200, done.text
    assert "Nobody else is told" in done.text
    answered = in_state(up, ANSWERED, "acknowledged")
    assert answered["acked_by"] == "anna"
    assert "acknowledged" in page(up, f"/alerts/{answered['id']}")
    assert ANSWERED in page(up, "/alerts", state="acknowledged")

    # Nobody answers the other one. Ben is told, though the mail server is away just then and the dispatcher is killed.
    eventually(lambda: mailbox.about(UNANSWERED, "anna"))
    mailbox.stop()
    eventually(lambda: "retry" in outcomes(up, UNANSWERED, "ben"))
    assert in_state(up, UNANSWERED, "escalated")["level"] == 1
    kill_dispatcher(up)
    mailbox.start()
    [mail] = eventually(lambda: mailbox.about(UNANSWERED, "ben"), 60)
    assert mail["Subject"].count("Escalated") == 1

    # Its arrival ends it, and both hear so. The one that Anna deals with was due for Ben before, and he never heard.
    happens(up, UNANSWERED, "file.received")
    ended = in_state(up, UNANSWERED, "resolved")
    assert ended["delta_ms"] > 0
    assert "put right" in ended["summary"]
    for person in ("anna", "ben"):
        eventually(lambda person=person: mailbox.about(UNANSWERED, person, "resolved"))
        eventually(lambda person=person: outcomes(up, UNANSWERED, person).count("sent") == 2)
    assert alert(up, ANSWERED)["state"] == "acknowledged"
    assert not mailbox.about(ANSWERED, "ben")
    assert len(mailbox.about(ANSWERED, "anna")) == 1
    told = [row for row in alert(up, UNANSWERED)["deliveries"] if row["outcome"] == "sent"]
    assert sorted((row["person"], row["reason"]) for row in told) == [
        ("anna", "opened"), ("anna", "resolved"), ("ben", "escalated"), ("ben", "resolved"),
    ]  # fmt: skip


def test_an_alert_lives_while_api_and_clickhouse_are_down_and_is_in_their_tables_afterwards(
    up: Stack, mailbox: Mailbox
) -> None:
    with without_serving(up):
        is_written(up, UNSERVED, "window.opened")
        [mail] = eventually(lambda: mailbox.about(UNSERVED, "anna"))
        is_written(up, UNSERVED, "file.received")
        eventually(lambda: mailbox.about(UNSERVED, "anna", "resolved"))
        with pytest.raises(httpx.TransportError):
            up.api("/api/v1/alerts")
    assert "receive is missing" in mail["Subject"]
    ended = in_state(up, UNSERVED, "resolved")
    assert {"opened", "resolved"} <= {entry["what"] for entry in ended["log"]}
    eventually(lambda: outcomes(up, UNSERVED, "anna") == ["sent", "sent"])
    eventually(lambda: {row["kind"] for row in up.findings("main") if row["key"] == UNSERVED} == {"missing", "late"})


def test_what_another_system_finds_reaches_people_and_an_open_page_and_ends_when_that_says_so(
    up: Stack, mailbox: Mailbox
) -> None:
    found = {"labels": {"alertname": "DiskFull", "instance": "db1"}, "startsAt": stamp(60)}
    found["annotations"] = {"summary": "the disk of db1 is full"}

    def says(**more: str) -> None:
        url = f"http://127.0.0.1:{up.http_port}/api/v2/alerts"
        httpx.post(url, json=[found | more], headers=up.headers).raise_for_status()

    with open_page(up) as page:
        says()
        shown = page.hears("notification", reason="opened", channel="screen")
        assert "disk of db1" in shown["title"]
        assert [one["key"] for one in shown["alerts"]] == [FULL]
        eventually(lambda: mailbox.about("disk of db1", "anna", "opened"))
        says(endsAt=stamp())
        page.hears("notification", reason="resolved", channel="screen")
    eventually(lambda: mailbox.about("disk of db1", "anna", "resolved"))
    told = {("mail", "opened"), ("mail", "resolved"), ("screen", "opened"), ("screen", "resolved")}
    eventually(
        lambda: (
            {(row["channel"], row["reason"]) for row in alert(up, FULL)["deliveries"] if row["outcome"] == "sent"}
            == told
        )
    )
    assert in_state(up, FULL, "resolved")["kind"] == "external"


@pytest.mark.thorough
def test_an_answer_that_is_given_while_the_alert_job_is_dead_stops_the_escalation(up: Stack, mailbox: Mailbox) -> None:
    happens(up, UNALERTED, "window.opened")
    [mail] = eventually(lambda: mailbox.about(UNALERTED, "anna"))
    link = LINK.search(mail.get_body(("html",)).get_content())
    assert link is not None
    kill_job(up, ALERTS)
    happens(up, LATER, "window.opened")
    done = httpx.post(link[1], timeout=20)
    assert done.status_code == 202, "nobody can say yet that it is applied"
    assert in_state(up, UNALERTED, "acknowledged", 120)["acked_by"] == "anna"
    eventually(lambda: mailbox.about(LATER, "ben"), 120)  # by then he would have heard of the other one, too
    assert not mailbox.about(UNALERTED, "ben")


def kill_dispatcher(up: Stack) -> None:
    """With no time to tidy up; returns when the supervisor has started another one."""
    state = up.home.running()
    assert state is not None
    (killed,) = state.parts["dispatcher"]
    os.kill(killed.pid, signal.SIGKILL)

    def replaced() -> bool:
        now = up.home.running()
        return now is not None and now.parts["dispatcher"][0].pid != killed.pid

    eventually(replaced)


def test_status_names_the_alert_job_and_the_dispatcher(up: Stack) -> None:
    document = json.loads(up.run("status", "--json").stdout)
    assert document["ready"], document
    assert document["alert_job"] == "RUNNING"
    assert document["parts"]["dispatcher"]["running"]


def test_stopping_leaves_no_process_and_a_savepoint_of_both_jobs(up: Stack) -> None:
    children = up.processes()
    assert up.interrupt() == 0
    assert not psutil.wait_procs(children, timeout=5)[1]
    for name in ("main", ALERTS):
        assert list((up.home.path / "flink" / "checkpoints" / name).rglob("savepoint-*/_metadata"))
