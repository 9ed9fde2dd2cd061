"""Silence: the stream says nothing more, and what it owes is found by the clock alone.

Trades are ingested one after the other and then nothing comes; each is due to be verified within two minutes, so that
their deadlines fall in the silence, each at another fraction of a second.
"""

from __future__ import annotations

import time
from dataclasses import asdict

from tests.bench.live import EVENTS, LATENESS_MS, Findings, Live, first_findings, live
from tests.bench.load import plan
from tests.bench.load.plan import VERIFY_WITHIN_MS, Plan
from tests.bench.section import NotExact, Options, Result
from tests.bench.spread import curve, spread

TARGET_MS = 1500
RATE = 7
"""Items a second: their deadlines meet all parts of a second, 1000 / 7 ms apart."""

NOTE = """\
Trades are ingested at 7 a second, and then nothing comes but the ticks of each second. Each trade is due to be verified
within two minutes. Measured from the deadline plus the allowed lateness (2 s), the earliest instant at which it may be
found, to the broker's stamp on the finding. All deadlines must be found, once, and nothing else."""


def run(options: Options) -> Result:
    """Measure; see the module."""
    items = 30 if options.smoke else 400
    with live(options.work / "home") as system:
        system.detect()
        system.tick()
        system.await_time(1, 60)
        sent = _send(system, items)
        print(f"silence: {items} items sent, waiting for their deadlines", flush=True)
        time.sleep(max(0.0, (sent.end_ms + VERIFY_WITHIN_MS + LATENESS_MS) / 1000 + 5 - time.time()))
        return _result(sent, first_findings(system))


def _send(system: Live, items: int) -> Plan:
    """Only first steps: the wave of ingestions is as wide as the plan is long."""
    sent = Plan("silence", (int(time.time()) + 2) * 1000, RATE, items, width=items)
    plan.report(plan.start(sent, system.bootstrap, EVENTS, paced=True))
    return sent


def _result(sent: Plan, findings: Findings) -> Result:
    found = sorted((row["kind"], row["key"]) for _, row in findings)
    if found != sorted(("missing", f"T-{sent.run}-{number}") for number in range(sent.sends)):
        raise NotExact(f"{sent.sends} trades went silent, and these were found: {found[:5]} …, {len(found)} in all")
    delays = [at - row["deadline_ms"] - LATENESS_MS for at, row in findings]
    times = spread(delays)
    return {
        "title": "Silence",
        "notes": [NOTE],
        "targets": [
            {
                "name": "the slowest of all, ms",
                "target": f"≤ {TARGET_MS}",
                "measured": times.max,
                "met": times.max <= TARGET_MS,
            }
        ],
        "tables": [{"title": "Deadline plus lateness → finding in Kafka, ms", "rows": [asdict(times)]}],
        "charts": [
            {"title": "Deadlines found within", "x": "ms", "y": "share of all", "series": {"found": curve(delays)}}
        ],
    }
