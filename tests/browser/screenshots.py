"""Pictures of the screens for the docs: `python -m tests.browser.screenshots [folder] [name…]`."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from tests.browser.conftest import ROOT, Served, browsing, serving
from tests.browser.seed import INCIDENT, LATE

SCREENS = {
    "overview": "/",
    "wall": "/wall",
    "item": f"/items/trade_lifecycle/{LATE}",
    "map": "/map?workflow=trade_lifecycle",
    "step": "/steps?workflow=trade_lifecycle&step=reply",
    "alerts": "/alerts",
    "alert": "",
    "incident": f"/incidents/{INCIDENT}",
    "events": "/events",
    "dead-letters": "/dead-letters",
    "items": "/items?key=T-000",
}


IN_DOCS = ("overview", "wall", "map", "step", "item", "alert", "events")


def alert_path(served: Served) -> str:
    """The page of the alert about the late trade."""
    [row] = served.store.run("SELECT id FROM alerts FINAL WHERE key = {key:String}", key=LATE)
    return f"/alerts/{row['id']}"


def main(folder: Path, names: list[str]) -> None:
    """Those that the docs show, light; the ones that are named also dark, and as on a phone."""
    now = time.time_ns() // 1_000_000
    looks = {"": ("light", 1280, 860), "-dark": ("dark", 1280, 860), "-phone": ("light", 390, 800)}
    with tempfile.TemporaryDirectory() as home, browsing() as browser, serving(Path(home), now) as served:
        for name in names or IN_DOCS:
            for look, (scheme, width, height) in looks.items() if names else [("", looks[""])]:
                context = browser.new_context(
                    viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
                )
                page = context.new_page()
                page.goto(served.url + (SCREENS[name] or alert_path(served)))
                page.wait_for_timeout(600)
                page.screenshot(path=folder / f"{name}{look}.png")
                context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "img", sys.argv[2:])
