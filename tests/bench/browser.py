"""What people feel, in real Chromium: how soon a page takes a click, and how soon an open one shows what has happened.

The pages are those of tests.bench.screens, over the same ten million events (the folder SCREENS_DATA, or made). The
delay is through the whole stack of `daymark up`, as in tests.bench.latency.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import time
from pathlib import Path
from typing import Any

from kafka import KafkaProducer
from playwright.sync_api import Browser, Page

from api.stack import ports
from tests.bench import screens
from tests.bench.live import EVENTS, Live, live, wait_for
from tests.bench.load import plan
from tests.bench.load.plan import Plan
from tests.bench.section import NotExact, Options, Result, Target
from tests.bench.spread import quantile, spread
from tests.browser.conftest import browsing, listening

ROUNDS = 10
READY_MS, SHOWN_MS = 1_500, 2_000
HELP = (".asks-keys", "dialog[open]")
"""What is clicked, and what there is once the click has done something: the button for the keys, and their help. Its
script is the last one to run."""

CLICKS = {
    "/wall": ("#pause", "#pause[aria-pressed=true]"),
    "/new-rule": (".CodeMirror-line >> nth=0", ".CodeMirror-focused"),
}
MORE = ("/rules", "/new-rule", "/audit", "/docs", "/account")
"""Screens that ask nothing of the history."""

LOADS = (0, 1_000)
"""Events a second beside those that are waited for."""

WARM, SHOWN = 5, 60
LOAD_LEAD_S = 10

ANSWERED = """(() => {
  const look = () => { if (document.querySelector("%s")) { window.answered ??= performance.now(); } };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
})()"""
TIMES = """(() => {
  const [page] = performance.getEntriesByType("navigation");
  const paint = performance.getEntriesByName("first-contentful-paint")[0];
  const all = [page, ...performance.getEntriesByType("resource")];
  return {
    "answer begins": page.responseStart,
    "first paint": paint ? paint.startTime : NaN,
    "parsed": page.domInteractive,
    "loaded": page.loadEventEnd,
    "a click works": window.answered,
    "kB": all.reduce((sum, one) => sum + one.transferSize, 0) / 1000,
  };
})()"""
SEEN = """(() => {
  window.seen = {};
  new MutationObserver(() => {
    const keys = document.querySelector("main").textContent.match(/SEEN-\\d+/g) || [];
    const fresh = keys.filter((key) => !(key in seen));
    if (fresh.length) requestAnimationFrame(() => fresh.forEach((key) => (seen[key] ??= Date.now())));
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
})()"""

NOTES = [
    f"""\
*Pages*: over the data of [Screens](#screens), Chromium (headless, on the same machine) opens each page with an empty
cache, once for warming up the server and {ROUNDS} times more. The times are the browser's own, from the beginning of
the navigation: when the answer began, the first contentful paint, when the page was parsed, when it was loaded; and
when a real click, made as soon as there is something to click on, had done something: opened the help, paused the
wall, or put the cursor into the editor.""",
    """\
*Shown*: the whole stack of `daymark up` runs with its defaults, and the overview is open in Chromium. An event that is
a copy is written to Kafka, and the detect job finds that at once; the end is the frame in which the open page, which
is not loaded anew, shows the finding. They come 0.9 to 1.9 s apart, at random; with a load, other trades go through
beside them.""",
]


def run(options: Options) -> Result:
    """The section of docs/benchmarks.md. Data that are there already are taken from the folder SCREENS_DATA."""
    with browsing() as browser:
        pages = opened(browser, Path(os.environ.get("SCREENS_DATA", options.work / "data")), options.smoke)
        delays = [
            shown(browser, options.work / f"live-{rate}", rate, 10 if options.smoke else SHOWN)
            for rate in (LOADS[:1] if options.smoke else LOADS)
        ]
    slowest = max(row["a click works, p95"] for row in pages)
    targets: list[Target] = [
        {
            "name": "the slowest page takes a click, p95, ms",
            "target": f"< {READY_MS}",
            "measured": slowest,
            "met": slowest < READY_MS,
        }
    ]
    targets += [
        {
            "name": f"event → the open page shows it, beside {row['events/s']:,} events/s, p95, ms",
            "target": f"< {SHOWN_MS}",
            "measured": row["p95"],
            "met": row["p95"] < SHOWN_MS,
        }
        for row in delays
    ]
    return {
        "title": "In the browser",
        "notes": NOTES,
        "targets": targets,
        "tables": [
            {"title": "Pages over ten million events, ms; medians where nothing else is said", "rows": pages},
            {"title": "Event → the open page shows it, ms", "rows": delays},
        ],
    }


def opened(browser: Browser, folder: Path, smoke: bool) -> list[dict[str, Any]]:
    """A row for each page."""
    rows = []
    items = screens.SMOKE_ITEMS if smoke else screens.ITEMS
    with (
        screens.serving(folder, items) as (client, store),
        listening(client.app, ports.free(), lifespan="off") as url,  # type: ignore[arg-type]
    ):
        paths = [path for path in screens.asked(store) if not path.startswith(("/api/", "/items?key=", "/status"))]
        for path in (*paths, *MORE):
            times = [_open(browser, url + path, *CLICKS.get(path, HELP)) for _ in range(2 if smoke else ROUNDS + 1)]
            rows.append({"page": path, **_summed(times[1:])})
            print(f"browser: {rows[-1]}", flush=True)
    return rows


def _open(browser: Browser, url: str, what: str, answer: str) -> dict[str, float]:
    """Open a page with nothing in the cache, and click."""
    context = browser.new_context(viewport={"width": 1360, "height": 860})
    try:
        page = context.new_page()
        page.add_init_script(ANSWERED % answer)
        page.goto(url, wait_until="commit")
        page.locator(what).click()
        page.wait_for_function("window.answered && document.readyState === 'complete'")
        times: dict[str, float] = page.evaluate(TIMES)
        return times
    finally:
        context.close()


def _summed(times: list[dict[str, float]]) -> dict[str, Any]:
    ordered = {name: sorted(one[name] for one in times) for name in times[0]}
    medians = {name: round(quantile(values, 0.5)) for name, values in ordered.items()}
    return medians | {"a click works, p95": round(quantile(ordered["a click works"], 0.95))}


def shown(browser: Browser, home: Path, rate: int, many: int) -> dict[str, Any]:
    """How soon the open overview shows `many` findings, beside `rate` other events a second."""
    with live(home) as system:
        system.detect()
        system.serve()
        system.tick()
        system.await_time(1, 60)
        page = browser.new_context(viewport={"width": 1360, "height": 860}).new_page()
        page.goto(system.url)
        page.evaluate(SEEN)
        print(f"browser: {many} events, beside {rate:,} a second", flush=True)
        load = _load(system, rate) if rate else None
        sent = _send(system, page, WARM + many)
        times = [page.evaluate("seen")[key] - at for key, at in sent[WARM:]]
        page.context.close()
        if load:
            load.kill()
            load.wait()
    if min(times) < 0:
        raise NotExact(f"a finding was shown {-min(times)} ms before its event was sent")
    took = spread(times)
    return {"events/s": rate, "count": took.count, "p50": took.p50, "p95": took.p95, "max": took.max}


def _load(system: Live, rate: int) -> subprocess.Popen[bytes]:
    """Begin to send other trades, which lack nothing, for longer than they are needed."""
    sent = Plan("load", (int(time.time()) + 2) * 1000, rate, rate * 600, width=rate * 5)
    running = plan.start(sent, system.bootstrap, EVENTS, paced=True)
    time.sleep(LOAD_LEAD_S)
    return running


def _send(system: Live, page: Page, many: int) -> list[tuple[str, float]]:
    """Send trades, each one's first event twice; (key, when the copy was sent, epoch ms) of each."""
    draw = random.Random(7)
    producer = KafkaProducer(bootstrap_servers=system.bootstrap, linger_ms=0)
    sent = []
    for number in range(many):
        key = f"SEEN-{number}"
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        event = {"specversion": "1.0", "id": key, "source": "/seen", "type": "trade.ingested", "time": now}
        record = json.dumps(event | {"data": {"trade_id": key, "market": "EU", "book": "rates-1"}}).encode()
        producer.send(EVENTS, record).get(10)
        page.wait_for_timeout(900 + draw.random() * 1000)
        sent.append((key, time.time() * 1000))
        producer.send(EVENTS, record).get(10)
    wait_for(lambda: all(key in page.evaluate("seen") for key, _ in sent), 30)
    producer.close()
    return sent
