"""What every screen must hold to, in light and dark and on a phone."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

PHONE = {"width": 390, "height": 800}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}


def grave(page: Page, options: dict[str, Any] | None = None) -> list[tuple[str, str, str]]:
    """The serious faults of accessibility of what is shown: rule, element, what to do."""
    return [
        (one["id"], one["nodes"][0]["html"][:200], one["nodes"][0]["failureSummary"][:300])
        for one in Axe().run(page, options=options).response["violations"]
        if one["impact"] in ("serious", "critical")
    ]


def check(page: Page) -> None:
    """No serious fault in light, none of colours in dark, and nothing that is wider than a phone."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    assert grave(page) == []
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    dark = grave(page, COLOURS)
    assert dark == [], "in dark"
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    wide = page.evaluate(
        """[...document.querySelectorAll("main *")].filter((one) => one.getBoundingClientRect().right > 391
            && !one.closest(".scroll, .map, pre, .CodeMirror, .described")).map((one) => one.outerHTML.slice(0, 150))"""
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], wide[:3]
