"""Pictures of the screens for the docs: `python -m tests.browser.screenshots [folder] [name…]`."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import httpx
from playwright.sync_api import Page

from tests.browser.conftest import ROOT, browsing, serving
from tests.browser.seed import INCIDENT, LATE, LATE_ALERT

SCREENS = {
    "overview": "/",
    "wall": "/wall",
    "item": f"/items/trade_lifecycle/{LATE}",
    "map": "/map?workflow=trade_lifecycle",
    "step": "/steps?workflow=trade_lifecycle&step=reply",
    "alerts": "/alerts",
    "alert": f"/alerts/{LATE_ALERT}",
    "incident": f"/incidents/{INCIDENT}",
    "incidents": "/incidents",
    "events": "/events",
    "dead-letters": "/dead-letters",
    "items": "/items?key=T-000",
    "rules": "/rules",
    "rule": "/rules/trade_lifecycle",
    "simulation": "/rules/trade_lifecycle",
    "status": "/status",
    "sign-in": "/login",
    "audit": "/audit",
    "tokens": "/account/tokens",
    "users": "/users",
    "account": "/account",
    "customer": "/customers/market/EU",
}


NOT_IN_DOCS = ("rules", "sign-in", "account", "tokens")  # the last three show nothing while nobody has to sign in
IN_DOCS = tuple(name for name in SCREENS if name not in NOT_IN_DOCS)


def change_something(url: str) -> None:
    """So that the audit has something to show. Kafka is away: what goes there waits."""
    with httpx.Client(base_url=f"{url}/api/v1", headers={"Origin": url}, timeout=30) as api:
        for role in ("viewer", "operator"):
            api.put("/users/anna", json={"role": role, "limits": {"workflows": ["trade_lifecycle"]}}).raise_for_status()
        api.post(f"/alerts/{LATE_ALERT}/ack", json={"why": "the counterparty is on the phone"}).raise_for_status()
        text = (ROOT / "rules" / "trade_lifecycle" / "workflow.yaml").read_text().replace("within: 5m", "within: 4m")
        etag = api.get("/rules/trade_lifecycle").raise_for_status().headers["etag"]
        said = {"text": text, "why": "the desk wants to know sooner"}
        api.put("/rules/trade_lifecycle", json=said, headers={"If-Match": etag}).raise_for_status()


def simulate(page: Page) -> None:
    """What a tighter limit would have found."""
    page.evaluate(
        """() => {
            const editor = document.querySelector(".CodeMirror").CodeMirror;
            editor.setValue(editor.getValue().replace("within: 4m", "within: 2m"));
        }"""
    )
    page.get_by_role("button", name="Simulate on history").click()
    page.locator("#simulation [data-state=done]").wait_for()
    page.locator("#simulation").evaluate("element => scrollTo(0, element.getBoundingClientRect().top + scrollY - 80)")


def main(folder: Path, names: list[str]) -> None:
    """Those that the docs show, light; the ones that are named also dark, and as on a phone."""
    now = time.time_ns() // 1_000_000
    looks = {"": ("light", 1280, 860), "-dark": ("dark", 1280, 860), "-phone": ("light", 390, 800)}
    page_of_all = ROOT / "rules" / "status.yaml"
    with (
        tempfile.TemporaryDirectory() as home,
        browsing() as browser,
        serving(Path(home), now, status_page=page_of_all, action_wait_s=0.1) as served,
    ):
        change_something(served.url)
        for name in names or IN_DOCS:
            for look, (scheme, width, height) in looks.items() if names else [("", looks[""])]:
                context = browser.new_context(
                    viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
                )
                page = context.new_page()
                page.goto(served.url + SCREENS[name])
                if name == "simulation":
                    simulate(page)
                page.wait_for_timeout(600)
                page.screenshot(path=folder / f"{name}{look}.png")
                context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "img", sys.argv[2:])
