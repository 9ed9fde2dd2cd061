"""Each screen in a real browser: everybody can read it, it is live, and a red tile leads to the reason."""

from __future__ import annotations

import re
import time
from typing import Any, cast

import orjson
import pytest

from tests.api.alertrows import alert
from tests.api.job import Job
from tests.api.rows import finding, insert, item, progress
from tests.browser.seed import INCIDENT, LATE, LATE_ALERT

pytest.importorskip("playwright.sync_api", reason="the browser tests need `make browser`")
from playwright.sync_api import Page, expect
from starlette.testclient import TestClient

from tests.browser import looks
from tests.browser.conftest import Served
from tests.kafka_help import eventually

DAY_MS = 86_400_000
SCREENS = {
    "overview": "/",
    "wall": "/wall",
    "map": "/map?workflow=trade_lifecycle",
    "step": "/steps?workflow=trade_lifecycle&step=reply",
    "items": "/items?key=T-000",
    "item": f"/items/trade_lifecycle/{LATE}",
    "alerts": "/alerts",
    "alert": f"/alerts/{LATE_ALERT}",
    "incident": f"/incidents/{INCIDENT}",
    "events": "/events",
    "dead letters": "/dead-letters",
    "incidents": "/incidents",
    "rules": "/rules",
    "rule": "/rules/trade_lifecycle",
    "new rule": "/new-rule",
    "audit": "/audit",
    "users": "/users",
    "account": "/account",
    "tokens": "/account/tokens",
    "login": "/login",
    "status": "/status",
    "customer": "/customers/market/EU",
    "api": "/docs",
}


@pytest.mark.parametrize("name", SCREENS)
def test_no_screen_has_a_serious_fault_of_accessibility_or_is_too_wide(page: Page, served: Served, name: str) -> None:
    page.goto(served.url + SCREENS[name])
    looks.check(page)


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_red_pulses_unless_the_system_asks_for_reduced_motion(page: Page, served: Served, motion: Any) -> None:
    page.emulate_media(reduced_motion=motion)
    for path, red in (("/", ".tile.red"), ("/wall", ".board.red")):
        page.goto(served.url + path)
        moving = page.locator(red).first.evaluate("(one) => one.getAnimations().length")
        assert moving == (1 if motion == "no-preference" else 0), path


def test_from_a_red_tile_to_the_reason_and_its_runbook(page: Page, served: Served) -> None:
    page.goto(served.url)
    red = page.locator(".tile.red", has_text="trade_lifecycle")
    expect(red).to_contain_text("overdue")
    page.locator(".findings a[href^='/items/']", has_text=LATE).first.click()
    expect(page.locator("h1")).to_contain_text(LATE)
    why = page.locator(".why").first
    expect(why).to_contain_text("reply of trade_lifecycle version 1")
    expect(why).to_contain_text("by send")
    expect(page.locator(".runbook").first).not_to_be_empty()
    expect(page.locator(".waterfall .gap")).to_have_count(1)


def test_an_alert_is_acknowledged_with_a_reason_and_resolved_and_the_page_follows(
    page: Page, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The alert job is a stand-in that answers at once; its rows go into the store as the loader would insert them."""
    job = Job(cast(TestClient, served), monkeypatch)
    [row] = served.store.run("SELECT * FROM alerts FINAL WHERE key = {key:String}", key=LATE)

    def answer(action: dict[str, Any]) -> dict[str, Any]:
        row["rev"] += 1
        row["state"] = {"ack": "acknowledged", "resolve": "resolved"}[action["kind"]]
        insert(served.store, "alerts", alert(**{name: row[name] for name in alert()} | {"acked_by": action["who"]}))
        return Job.applied(action)

    job.answer = answer
    page.goto(served.url + "/alerts")
    page.get_by_role("link", name=f"reply is missing: {LATE}").click()
    expect(page.locator(".runbook")).not_to_be_empty()
    expect(page.locator("main")).to_contain_text("a***@example.org")
    page.get_by_label("reason").fill("on it")
    page.get_by_role("button", name="Acknowledge", exact=True).click()
    expect(page.locator(".outcome").first).to_contain_text("done")
    expect(page.locator(".facts .badge").first).to_have_text("acknowledged")
    assert job.actions[-1]["why"] == "on it"
    page.get_by_role("button", name="Resolve").click()
    expect(page.locator(".facts .badge").first).to_have_text("resolved")


def test_what_is_ticked_stays_ticked_while_the_list_moves(page: Page, served: Served) -> None:
    page.goto(served.url + "/alerts")
    page.get_by_label("choose: settle is missing").first.check()
    chosen = page.locator("input[name=one]:checked").get_attribute("value")
    insert(served.store, "alerts", alert(id="b" * 32, severity="critical", opened_ms=served.now_ms, summary="NEW"))
    expect(page.locator(".findings")).to_contain_text("NEW")
    assert page.locator("input[name=one]:checked").get_attribute("value") == chosen


def test_an_alerts_page_counts_on_how_long_ago_it_was_acknowledged_and_takes_a_comment(
    page: Page, served: Served
) -> None:
    acked = {"state": "acknowledged", "acked_by": "Anna", "acked_ms": served.now_ms - 2 * 3_600_000}
    insert(served.store, "alerts", alert(id="d" * 32, opened_ms=served.now_ms - 10_000_000, **acked))
    page.goto(f"{served.url}/alerts/{'d' * 32}")
    expect(page.locator(".facts")).to_contain_text(re.compile("acknowledged2 h.* ago by Anna"))
    page.get_by_label("comment, for all").fill("the vendor is called")
    with page.expect_request("**/alerts/*/comment") as asked:
        page.get_by_role("button", name="Comment").click()
    assert asked.value.post_data_json == {"text": "the vendor is called"}


def test_a_message_for_open_pages_is_shown_beside_the_list(page: Page, served: Served) -> None:
    page.goto(served.url + "/alerts")
    listener = served.app.state.context.listener
    eventually(lambda: listener._watchers)
    about = [{"id": "c" * 32, "workflow": "w", "groups": {}}]
    message = {"type": "notify", "id": "n", "title": "Opened: <b>reply</b>", "text": "", "alerts": about, "count": 1}
    listener.hear("daymark.browser", orjson.dumps(message))
    line = page.locator(".notices a")
    expect(line).to_have_text("Opened: <b>reply</b>")
    assert line.get_attribute("href") == "/alerts/" + "c" * 32


def test_a_finding_appears_without_a_reload(page: Page, served: Served) -> None:
    page.goto(served.url)
    expect(page.locator("[data-refresh][data-updates]")).to_be_attached()  # the stream is open
    page.evaluate("window.notReloaded = true")
    now = time.time_ns() // 1_000_000
    insert(served.store, "items", item(workflow="trade_lifecycle", key="T-NEW", overdue=1, missing=1, run_ms=now))
    told = finding(workflow="trade_lifecycle", key="T-NEW", id="e" * 32, deadline_ms=now - 1, since_ms=now - 300_001)
    began = time.monotonic()
    insert(served.store, "findings", told)
    expect(page.locator("section[aria-labelledby=open-title]")).to_contain_text("T-NEW", timeout=20_000)
    print(f"shown after {time.monotonic() - began:.1f} s")
    assert page.evaluate("window.notReloaded"), "the page was loaded anew"


@pytest.mark.parametrize("path", ["/", "/wall", "/alerts"])
def test_ages_and_countdowns_go_on_without_the_server(page: Page, served: Served, path: str) -> None:
    page.goto(served.url + path)
    expect(page.locator(".age").first).to_have_text(re.compile(r"^(\d+ [dhms] ?)+$"))
    age = page.locator(".age").filter(has_text=re.compile(r"\d s$")).first  # old ones are told in days and hours
    before = age.inner_text()
    expect(age).not_to_have_text(before)
    if path != "/alerts":
        expect(page.locator(".next strong").first).to_have_text(re.compile("^in .*s$|^.*s ago$"))


def test_a_countdown_runs_on_the_clock_of_its_lane_and_stops_where_that_stands(page: Page, served: Served) -> None:
    """A replay of what happened a day ago: by the wall clock all of it is long over."""
    mark = served.now_ms - DAY_MS
    times = {"run_ms": mark - 60_000, "started_ms": mark - 60_000, "updated_ms": mark - 60_000}
    due = {"pending": [{"id": "reply", "due_ms": mark + 120_000}], "next_due_ms": mark + 120_000}
    place = {"lane": "replay", "workflow": "trade_lifecycle", "key": "R-1", "step": "send"}
    insert(served.store, "progress", progress(lane="replay", watermark_ms=mark, at_ms=served.now_ms))
    insert(served.store, "items", item(**place, **times, **due))
    page.clock.install()
    screens = {
        "/items/trade_lifecycle/R-1?lane=replay": "#deadlines ~ div [data-until]",
        "/?lane=replay": ".tile .next [data-until]",
        "/wall?lane=replay": ".board .next [data-until]",
        "/map?workflow=trade_lifecycle&lane=replay": ".table [data-until]",
        "/steps?workflow=trade_lifecycle&step=send&lane=replay": ".table [data-until]",
        "/items?workflow=trade_lifecycle&lane=replay": ".table [data-until]",
    }
    for path, countdown in screens.items():
        page.goto(served.url + path)
        expect(page.locator(countdown).first, path).to_have_text(re.compile(r"^in (2 m|1 m 5\d s)"))
    page.goto(served.url + "/steps?workflow=trade_lifecycle&step=send&lane=replay")
    page.clock.fast_forward(3_600_000)
    expect(page.locator(".table [data-until]").first).to_have_text("in 1 m 45 s")


def test_an_alert_becomes_overdue_before_ones_eyes(page: Page, served: Served) -> None:
    due = int(time.time() * 1000) + 3_600_000
    insert(served.store, "alerts", alert(id="d" * 32, severity="critical", opened_ms=due - 60_000, respond_by_ms=due))
    page.clock.install()
    page.route("**/live/**", lambda route: route.fulfill(status=204))  # the server knows what time it really is
    page.goto(served.url + "/alerts?response=waiting")
    answer = page.locator(f"#alert-{'d' * 32} [data-due]")
    expect(answer).to_have_text(re.compile(r"^answer in \d+ m"))
    page.clock.fast_forward(2 * 3_600_000)
    expect(answer).to_have_text(re.compile(r"^unanswered, overdue for 1 h"))
    expect(answer).to_have_class(re.compile("missing"))


def test_a_slash_finds_an_item_by_keyboard_alone(page: Page, served: Served) -> None:
    page.goto(served.url)
    page.keyboard.press("/")
    page.keyboard.type(LATE)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(LATE)


def test_the_map_shows_the_graph_as_configured_and_as_it_was(page: Page, served: Served) -> None:
    page.goto(served.url + "/map?workflow=trade_lifecycle")
    expect(page.locator(".node")).to_have_count(6)
    expect(page.locator(".node.red", has_text="send")).to_be_visible()
    expect(page.locator(".edge.never")).to_have_count(1)  # nothing was rejected
    page.goto(f"{served.url}/map?workflow=trade_lifecycle&at={served.now_ms - 3_600_000}")
    expect(page.locator("h1")).to_contain_text("as it was")
    page.get_by_label("group").select_option("market:EU")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("h1")).to_contain_text("market:EU")
    assert "at=" in page.url, "the drill into a group stays at the instant"


def test_a_step_is_reached_from_the_map_and_leads_to_its_oldest_item(page: Page, served: Served) -> None:
    page.goto(served.url + "/map?workflow=trade_lifecycle")
    page.locator("a", has=page.locator(".node", has_text="send")).first.click()
    expect(page.locator("h1")).to_contain_text("send")
    page.locator("#oldest ~ .scroll a").first.click()
    expect(page.locator("h1 .badge").first).to_have_text("in flight")


def test_events_are_searched_and_taken_away_as_a_file(page: Page, served: Served) -> None:
    page.goto(served.url + "/events")
    page.get_by_label("text in the record").fill(LATE)
    page.get_by_role("button", name="Search").click()
    expect(page.locator(".log details")).to_have_count(3)
    with page.expect_download() as got:
        page.get_by_role("link", name="NDJSON").click()
    assert len(got.value.path().read_text().splitlines()) == 3


def test_dead_letters_that_cannot_be_sent_say_so(page: Page, served: Served) -> None:
    """Kafka is away here."""
    page.goto(served.url + "/dead-letters")
    page.get_by_role("button", name="Retry").click()
    expect(page.locator(".outcome")).to_have_text("Choose at least one.")


def test_dark_is_remembered(page: Page, served: Served) -> None:
    page.goto(served.url)
    for _ in range(2):
        page.locator(".theme").click()
    expect(page.locator(".theme")).to_contain_text("dark")
    page.goto(served.url + "/events")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 18, 22)"


def test_on_a_phone_all_screens_are_behind_a_menu(page: Page, served: Served) -> None:
    page.set_viewport_size(looks.PHONE)  # type: ignore[arg-type]
    page.goto(served.url)
    alerts = page.get_by_role("navigation", name="Screens").get_by_role("link", name="Alerts")
    expect(alerts).to_be_hidden()
    menu = page.get_by_role("button", name="Menu")
    menu.press("Enter")
    expect(menu).to_have_attribute("aria-expanded", "true")
    alerts.click()
    expect(page.locator("h1")).to_contain_text("Alerts")


def test_the_wall_fits_its_screen_and_can_be_paused(page: Page, served: Served) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.goto(served.url + "/wall")
    expect(page.locator(".board.red .state")).to_contain_text("overdue")
    size = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    assert size == [1920, 1080]
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_role("button", name="Go on")).to_have_attribute("aria-pressed", "true")
