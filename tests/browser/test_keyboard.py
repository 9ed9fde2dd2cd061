"""Everything by keyboard: to the content, up and down a list, into an alert, help; and the keys can be turned off."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright.sync_api", reason="the browser tests need `make browser`")
from playwright.sync_api import Page, expect

from tests.browser.conftest import Served
from tests.browser.seed import LATE

FOCUSED = "document.activeElement.textContent"


def test_the_first_tab_leads_past_the_navigation_to_the_content(page: Page, served: Served) -> None:
    page.goto(served.url + "/alerts")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    expect(page.locator(".skip")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_what_has_the_focus_comes_in_the_order_in_which_it_is_read(page: Page, served: Served) -> None:
    page.goto(served.url + "/alerts")
    seen = []
    for _ in range(24):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
    assert seen == sorted(seen)
    assert len(set(seen)) == len(seen), "nothing holds the focus"


def test_the_console_is_worked_through_by_j_k_x_and_enter(page: Page, served: Served) -> None:
    page.goto(served.url + "/alerts")
    rows = [row.strip() for row in page.locator(".alert .text a").all_inner_texts()]
    for key in "jjk":
        page.keyboard.press(key)
    assert page.evaluate(FOCUSED) == rows[0]
    page.keyboard.press("k")
    assert page.evaluate(FOCUSED) == rows[0], "the first row is the end of the way up"
    page.keyboard.press("ArrowDown")
    assert page.evaluate(FOCUSED) == rows[1]
    page.keyboard.press("x")
    expect(page.locator("input[name=one]").nth(1)).to_be_checked()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(rows[0])


@pytest.mark.parametrize("path", ["/", "/items?key=T-000", "/events", "/steps?workflow=trade_lifecycle&step=reply"])
def test_lists_of_other_screens_have_the_same_keys(page: Page, served: Served, path: str) -> None:
    page.goto(served.url + path)
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.matches('main a, main summary')")


def test_help_opens_by_a_question_mark_or_its_button_and_escape_closes_it(page: Page, served: Served) -> None:
    page.goto(served.url)
    for ask in (lambda: page.keyboard.press("?"), lambda: page.get_by_role("button", name="Keyboard").click()):
        ask()
        expect(page.locator("dialog")).to_contain_text("down and up the rows")
        page.keyboard.press("j")
        expect(page.locator("dialog")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator("dialog")).to_be_hidden()


def test_single_keys_can_be_turned_off_and_stay_so(page: Page, served: Served) -> None:
    page.goto(served.url)
    page.get_by_role("button", name="Keyboard").click()
    page.get_by_label("single keys").uncheck()
    page.goto(served.url + "/alerts")
    for key in ("j", "/", "?"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement === document.body")
    expect(page.locator("dialog")).to_be_hidden()


def test_keys_are_text_where_one_types(page: Page, served: Served) -> None:
    page.goto(served.url + "/alerts")
    page.keyboard.press("/")
    page.keyboard.type(f"j/?x {LATE}")
    expect(page.locator("#find")).to_have_value(f"j/?x {LATE}")
