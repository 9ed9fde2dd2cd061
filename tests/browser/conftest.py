"""A serving process with a seeded store, and a real browser to look at it with."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
import uvicorn
from fastapi import FastAPI

from api.main import create_app
from api.migrations import migrate
from api.settings import Settings
from api.stack import ports
from api.store import Store
from tests.browser.seed import Seed

sync_api = pytest.importorskip("playwright.sync_api", reason="the browser tests need `make browser`")

ROOT = Path(__file__).parents[2]
CHROMIUM = next((found for name in ("chromium", "chromium-browser") if (found := shutil.which(name))), None)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Served:
    """Where the pages are, and the store behind them, into which a test may insert."""

    url: str
    store: Store
    now_ms: int
    app: FastAPI


@contextlib.contextmanager
def serving(home: Path, now_ms: int, **more: Any) -> Iterator[Served]:
    """The app over a seeded store, served by uvicorn in a thread; `more` are settings."""
    packs = [ROOT / "rules" / name for name in ("trade_lifecycle", "file_receipt")]
    port = ports.free()
    usual: dict[str, Any] = {"stalled_every_s": 0, "statistics_every_s": 0, "stale_after_s": 600, "sign_in": "off"}
    settings = Settings(home=home, loader=False, kafka="127.0.0.1:1", packs=packs, port=port, **(usual | more))
    app = create_app(settings)
    store = app.state.context.store
    migrate(store)
    Seed(now_ms).morning().alerted().write(store)
    with listening(app, port) as url:
        yield Served(url, store, now_ms, app)


@contextlib.contextmanager
def listening(app: FastAPI, port: int, lifespan: Literal["auto", "on", "off"] = "auto") -> Iterator[str]:
    """The app served by uvicorn in a thread, with its lifespan unless that is `off`; gives its URL."""
    config = uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=2, lifespan=lifespan)
    server = uvicorn.Server(config)
    app.state.context.live.stopping = lambda: server.should_exit
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 20
    while not server.started and thread.is_alive() and time.monotonic() < until:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)


@contextlib.contextmanager
def browsing() -> Iterator[sync_api.Browser]:
    """A headless Chromium."""
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine: `make browser` installs it")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served"), time.time_ns() // 1_000_000) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with browsing() as running:
        yield running


@pytest.fixture
def page(browser: sync_api.Browser) -> Iterator[sync_api.Page]:
    """A page of a context of its own. A message on its console, or an error of a script, fails the test."""
    context = browser.new_context(viewport={"width": 1360, "height": 860}, reduced_motion="reduce")
    opened = context.new_page()
    opened.set_default_timeout(10_000)
    said: list[str] = []
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("console", lambda line: said.append(line.text) if line.type == "error" else None)
    yield opened
    context.close()
    assert said == []
