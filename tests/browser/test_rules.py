"""Rules in a real browser: faults and the graph as one types, and back to an older text."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("playwright.sync_api", reason="the browser tests need `make browser`")
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Served

EDITOR = "/rules/trade_lifecycle"


def change(page: Page, before: str, after: str) -> None:
    """Change the text in the editor as a paste would."""
    page.evaluate(
        "([a, b]) => { const cm = document.querySelector('.CodeMirror').CodeMirror;"
        " cm.setValue(cm.getValue().replace(a, b)); }",
        [before, after],
    )


@pytest.fixture
def editor(page: Page, served: Served) -> Page:
    page.goto(served.url + EDITOR)
    if not page.locator(".CodeMirror").count():
        pytest.skip("the editor's files are not there: `make setup` unpacks them")
    return page


@pytest.mark.parametrize(("path", "scheme"), [("/rules", "light"), (EDITOR, "light"), (EDITOR, "dark")])
def test_no_screen_of_rules_has_a_serious_fault_of_accessibility(
    page: Page, served: Served, path: str, scheme: Any
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(served.url + path)
    found = Axe().run(page).response["violations"]
    grave = [
        (one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["failureSummary"][:300])
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert grave == []


def test_faults_are_told_and_the_graph_is_drawn_as_one_types(editor: Page) -> None:
    expect(editor.locator("#check .node")).to_have_count(6)
    change(editor, "expect: reply", "expect: repyl")
    expect(editor.locator("#check")).to_contain_text("did you mean `reply`")
    expect(editor.locator(".CodeMirror .fault")).to_have_count(1)
    change(editor, "expect: repyl", "expect: reply")
    change(editor, "steps:\n", "steps:\n  audit: {on: trade.audited}\n")
    expect(editor.locator("#check .node")).to_have_count(7)


def test_what_is_put_in_force_is_kept_while_kafka_is_away_and_rolled_back(editor: Page) -> None:
    """The whole way, into a running job, is tests/flink/test_a_rule_from_the_editor_into_the_job.py."""
    change(editor, "within: 5m", "within: 4m")
    editor.get_by_label("Why").fill("the desk wants to know sooner")
    editor.get_by_role("button", name="Put in force").click()
    expect(editor.locator("h1")).to_contain_text("revision 1")
    expect(editor.get_by_text("Kafka can't be reached")).to_be_visible()
    version = editor.locator(".version").first
    version.locator("summary").click()
    expect(version).to_contain_text("becomes 4m")
    editor.locator(".version").nth(1).locator("summary").click()
    editor.get_by_role("button", name="Roll back to it").click()
    expect(editor.locator("h1")).to_contain_text("revision 2")


def test_it_is_not_wider_than_a_phone(page: Page, served: Served) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    for path in ("/rules", EDITOR):
        page.goto(served.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
