"""One person edits a rule in the browser and tries it on what happened, another approves it, the running job follows
it: what only the new rule finds comes up on the page that somebody has open."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.access.who import local_token
from api.main import create_app
from api.settings import Settings
from api.stack import ports
from tests.flink.lane import NOON, PACK, Lane

pytest.importorskip("playwright.sync_api", reason="the browser tests need `make browser`")
from playwright.sync_api import Browser, Page, expect

from api.routes.rulepages import vendored
from tests.browser.conftest import browsing, listening

pytestmark = pytest.mark.real
COMES_MS = 60_000
"""What a page shows has come through Flink and ClickHouse."""


def since_noon() -> int:
    """The wall clock, as the lane tells time."""
    return time.time_ns() // 1_000_000 - NOON


@contextmanager
def ticking(lane: Lane) -> Iterator[None]:
    """The lane's time is that of the wall clock."""
    over = threading.Event()

    def tick() -> None:
        while not over.wait(0.5):
            lane.tick(since_noon())

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    yield
    over.set()
    thread.join(10)


@pytest.fixture
def post(lane: Callable[..., Lane]) -> Iterator[Lane]:
    """A running job. A minute ago one parcel came within its 10 s easily, one just so, and one did not."""
    running = lane(pulse_ms=1000)
    for parcel, took in (("quick", 2_000), ("slow", 7_000), ("lost", 14_000)):
        begun = since_noon() - 60_000
        running.send(parcel, "sent", begun)
        running.send(parcel, "arrived", begun + took)
    with ticking(running):
        yield running


@pytest.fixture
def serving(post: Lane, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The whole serving process, loader and outbox included, beside the job; rules need two people. URL and home."""
    settings = Settings(
        home=tmp_path,
        kafka=post.bootstrap,
        topic_prefix=post.prefix,
        lane=post.name,
        packs=[PACK],
        mappings=[PACK],
        four_eyes=True,
        statistics_every_s=0,
        stalled_every_s=0,
    )
    with listening(create_app(settings), ports.free()) as url:
        yield url, tmp_path


@pytest.fixture
def chromium() -> Iterator[Browser]:
    if not vendored():
        pytest.skip("the editor's files are not there: `make setup` unpacks them")
    with browsing() as browser:
        yield browser


def signed_in(browser: Browser, serving: tuple[str, Path], name: str) -> Page:
    """A page of somebody's own browser, in which they have followed their link."""
    url, home = serving
    asked = httpx.post(
        f"{url}/api/v1/sign-in-links", json={"user": name}, headers={"Authorization": f"Bearer {local_token(home)}"}
    )
    context = browser.new_context(base_url=url, viewport={"width": 1360, "height": 860}, reduced_motion="reduce")
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto(asked.raise_for_status().json()["path"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{url}/")
    return page


def edit(page: Page) -> None:
    """Type another limit and a severity into the rule; of the latter one is given, and one mistaken."""
    line = page.locator(".CodeMirror-line", has_text="within: 10s")
    line.click()
    page.keyboard.press("End")
    for _ in "10s}":
        page.keyboard.press("Backspace")
    page.keyboard.type("5s, sev")
    page.keyboard.press("Control+Space")
    expect(page.locator(".CodeMirror-hint")).to_have_text(["severity: "])
    page.keyboard.press("Enter")
    page.keyboard.type("hihg}")
    expect(page.locator("#check .error")).to_contain_text("high")
    expect(page.locator(".CodeMirror-code > div:has(.fault)")).to_contain_text("within: 5s, severity: hihg}")
    for _ in "hg}":
        page.keyboard.press("Backspace")
    page.keyboard.type("gh}")
    expect(page.locator("#check .error")).to_have_count(0)
    expect(page.locator("#check .node")).to_have_count(2)


def simulate(page: Page) -> None:
    """Try it on the day: the figures stand side by side, and what is new has its items."""
    page.get_by_role("button", name="Simulate on history").click()
    done = page.locator("#simulation [data-state=done]")
    expect(done).to_contain_text(
        "This rule would have raised 4 findings; the one in force would have raised 2.", timeout=COMES_MS
    )
    expect(done.locator("tbody tr")).to_have_text(["arrivallate12", "arrivalmissing12"])
    expect(done.locator(".found a", has_text="slow").first).to_be_visible()


def publish(anna: Page, ben: Page) -> None:
    """Anna hands it in, and can't approve it herself; Ben reads what differs, and does."""
    anna.get_by_label("Why").fill("parcels are faster than they were")
    anna.get_by_role("button", name="Put in force").click()
    expect(anna.get_by_role("status").first).to_contain_text("another person must approve it")
    anna.get_by_role("button", name="Approve").click()
    expect(anna.get_by_role("alert").first).to_contain_text("other")
    ben.goto("/rules")
    ben.locator("section", has_text="Waiting for approval").get_by_role("link", name="parcel").click()
    draft = ben.locator(".draft")
    expect(draft).to_contain_text("by anna")
    expect(draft.locator(".diff")).to_contain_text(
        "+  - {id: arrival, after: send, expect: arrive, within: 5s, severity: high}"
    )
    draft.get_by_role("button", name="Approve").click()
    expect(ben.get_by_role("status").first).to_contain_text("In force")
    expect(ben.locator("h1")).to_contain_text("version 2 · revision 1")


def test_from_an_edit_by_a_simulation_and_two_people_into_the_running_job(
    post: Lane, serving: tuple[str, Path], chromium: Browser
) -> None:
    job = post.job
    anna, ben, wall = (signed_in(chromium, serving, name) for name in ("anna", "ben", "ben"))
    expect(wall.locator(".findings", has_text="lost").first).to_be_visible(timeout=COMES_MS)
    wall.evaluate("window.notReloaded = true")

    anna.goto("/rules/parcel")
    edit(anna)
    simulate(anna)
    publish(anna, ben)
    post.producer.send(f"{post.prefix}rules", b"this is no rule", key=b"nobody")
    post.producer.flush()
    post.await_rows("deadletters", 1)  # so the job has read the rule before it

    sent = since_noon()
    post.send("swift", "sent", sent)
    found = wall.locator("section[aria-labelledby=findings-title] a", has_text="swift")
    expect(found).to_contain_text("missing", timeout=COMES_MS)
    post.send("swift", "arrived", sent + 7_000)  # the old rule would have had nothing against that
    expect(found).to_have_count(2, timeout=COMES_MS)
    assert wall.evaluate("window.notReloaded"), "the page was loaded anew"
    found.first.click()
    expect(wall.locator("h1")).to_contain_text("swift")
    expect(wall.locator(".why").first).to_contain_text("arrival of parcel version 2")
    expect(wall.locator(".why").first).to_contain_text("within: 5s, severity: high")
    rows: list[dict[str, Any]] = [row for row in post.findings().values() if row["key"] == "swift"]
    assert {(row["kind"], row["version"], row["deadline_ms"] - NOON) for row in rows} == {
        ("missing", 2, sent + 5_000),
        ("late", 2, sent + 5_000),
    }
    assert post.cluster.job_is_alive(job), "the same job, never started again"
