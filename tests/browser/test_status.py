"""The status page and the customer view in a real browser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.status.page import load_page
from tests.api.alertrows import alert, incident
from tests.api.rows import insert

pytest.importorskip("playwright.sync_api", reason="the browser tests need `make browser`")
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Served, serving

PAGE = Path(__file__).parents[2] / "rules" / "status.yaml"


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The seeded morning, with a public incident, and the demo's status page."""
    home, now_ms = tmp_path_factory.mktemp("status"), time.time_ns() // 1_000_000
    with serving(home, now_ms, status_page=PAGE) as running:
        about = {"workflow": "trade_lifecycle", "incident": "i" * 32}
        insert(running.store, "alerts", alert(**about))
        said: dict[str, Any] = {"public": 1, "note": "Confirmations are slower than usual. We are on it."}
        insert(running.store, "incidents", incident(opened_ms=running.now_ms - 60_000, **said))
        yield running


def test_the_demos_page_lists_workflows_of_its_packs() -> None:
    packs = {path.name for path in PAGE.parent.iterdir() if path.is_dir()}
    assert set(load_page(PAGE).workflows) <= packs


@pytest.mark.parametrize("path", ["/status", "/customers/market/EU"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_has_a_serious_fault_of_accessibility(page: Page, public: Served, path: str, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(public.url + path)
    grave = [
        (one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["failureSummary"][:300])
        for one in Axe().run(page).response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert grave == []


def test_a_stranger_reads_how_things_are_and_what_is_done(page: Page, public: Served) -> None:
    page.goto(public.url + "/status")
    expect(page.locator(".incidents")).to_contain_text("Confirmations are slower than usual")
    trades = page.locator(".component", has_text="Trade confirmations")
    expect(trades.locator(".state")).to_have_text("degraded")
    expect(page.locator(".component", has_text="Statements and invoices").locator(".state")).to_have_text("unknown")
    expect(trades.locator(".days rect")).to_have_count(90)
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_page_renews_itself_and_leaves_open_what_was_opened(page: Page, public: Served) -> None:
    page.goto(public.url + "/status")
    page.locator(".component summary").first.click()
    page.evaluate("window.notReloaded = true; document.activeElement.blur(); document.querySelector('h1').remove()")
    page.evaluate("renew()")
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator(".component details").first).to_have_attribute("open", "")
    assert page.evaluate("window.notReloaded"), "the page was loaded anew"


def test_a_customers_figures_fit_a_phone(page: Page, public: Served) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(public.url + "/customers/market/EU")
    expect(page.locator("h1")).to_have_text("market: EU")
    expect(page.locator(".card").first).to_contain_text("processed")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
