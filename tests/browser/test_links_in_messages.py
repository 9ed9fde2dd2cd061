"""The links that people get in messages, in a real browser: each opens a page, whose button does it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import httpx
import pytest

pytest.importorskip("playwright.sync_api", reason="the browser tests need `make browser`")
from playwright.sync_api import Page, expect

from api.access.who import local_token
from tests.api.alertrows import FP, alert
from tests.api.rows import insert
from tests.browser import looks
from tests.browser.conftest import Served, serving
from udfs.alerting.links import Link, sign
from udfs.linksecret import link_secret


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server where people have to sign in, and nobody is."""
    home = tmp_path_factory.mktemp("guarded")
    with serving(home, time.time_ns() // 1_000_000, sign_in="required", action_wait_s=0) as running:
        yield running


def test_the_button_behind_the_link_of_an_alert_is_taken_from_its_page(page: Page, guarded: Served) -> None:
    insert(guarded.store, "alerts", alert())
    secret = link_secret(guarded.app.state.context.settings.home, os.environ)
    link = sign(Link("ack", {FP: 1}, "anna", time.time_ns() // 1_000_000 + 60_000), secret)
    page.goto(f"{guarded.url}/ack/{link}")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Noted")


def test_the_button_behind_a_link_for_signing_in_leads_to_the_overview(page: Page, guarded: Served) -> None:
    headers = {"Authorization": f"Bearer {local_token(guarded.app.state.context.settings.home)}"}
    made = httpx.post(f"{guarded.url}/api/v1/sign-in-links", json={"user": "olga"}, headers=headers)
    page.goto(guarded.url + made.raise_for_status().json()["path"])
    looks.check(page)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{guarded.url}/")
