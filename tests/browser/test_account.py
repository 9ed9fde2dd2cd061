"""Signed in, in a real browser: by a first link to a token of one's own, which a program uses until it is revoked."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

pytest.importorskip("playwright.sync_api", reason="the browser tests need `make browser`")
from playwright.sync_api import Page, expect

from api.access.who import local_token
from tests.browser import looks
from tests.browser.conftest import Served, serving


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server where people have to sign in."""
    home = tmp_path_factory.mktemp("guarded")
    with serving(home, time.time_ns() // 1_000_000, sign_in="required") as running:
        yield running


@pytest.fixture
def olga(page: Page, guarded: Served) -> Page:
    """A page that olga, an admin, has come to by a link."""
    token = local_token(guarded.app.state.context.settings.home)
    made = httpx.post(
        f"{guarded.url}/api/v1/sign-in-links", json={"user": "olga"}, headers={"Authorization": f"Bearer {token}"}
    )
    page.goto(guarded.url + made.raise_for_status().json()["path"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{guarded.url}/")
    return page


def test_a_token_is_made_copied_used_and_revoked(olga: Page, guarded: Served) -> None:
    olga.goto(guarded.url + "/account")
    olga.get_by_role("link", name="Make, see and revoke").click()
    olga.get_by_label("What it is for").fill("nightly report")
    olga.get_by_label("survey").check()
    olga.get_by_label("It ends after").select_option("30")
    olga.get_by_role("button", name="Make the token").click()
    secret = olga.locator(".secret").inner_text()

    def status() -> int:
        return httpx.get(f"{guarded.url}/api/v1/items", headers={"Authorization": f"Bearer {secret}"}).status_code

    assert status() == 200
    looks.check(olga)
    olga.goto(guarded.url + "/account/tokens")
    row = olga.locator("tr", has_text="nightly report")
    expect(row).to_contain_text("read, survey")
    expect(row).to_contain_text("in 29 d")
    expect(olga.locator("main")).not_to_contain_text(secret)
    olga.get_by_role("button", name="Revoke nightly report").click()
    expect(olga.locator("main")).to_contain_text("You have none")
    assert status() == 401


@pytest.mark.parametrize("path", ["/account", "/users", "/audit"])
def test_the_pages_of_an_admin_hold_to_what_all_do(olga: Page, guarded: Served, path: str) -> None:
    olga.goto(guarded.url + path)
    expect(olga.locator("main")).to_contain_text("olga")
    looks.check(olga)


def test_signed_out_one_comes_to_the_sign_in_and_it_holds_too(olga: Page, guarded: Served) -> None:
    olga.goto(guarded.url + "/account")
    olga.get_by_role("button", name="Sign out", exact=True).click()
    expect(olga).to_have_url(guarded.url + "/login")
    olga.goto(guarded.url + "/alerts")
    expect(olga).to_have_url(guarded.url + "/login")
    expect(olga.get_by_role("search")).to_have_count(0)
    looks.check(olga)
