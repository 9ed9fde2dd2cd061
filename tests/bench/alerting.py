"""Alerting: until people are told. From a notification in Kafka to a webhook, and from an event, or a deadline in
silence, to a webhook: by detect job, alert job and dispatcher, on a real broker.

Every alert is told by itself (a group of its own, no limits), since it is the path that is timed, not the mercy.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kafka import KafkaProducer

from api.stack.detection import ALERT_CLOCK, ALERTS
from api.stack.flink import FlinkCluster
from api.stack.parts import dispatcher, ticker
from tests.bench.live import EVENTS, LATENESS_MS, PACK, Live, first_findings, live, wait_for
from tests.bench.load import plan
from tests.bench.load.plan import VERIFY_WITHIN_MS, Plan
from tests.bench.section import NotExact, Options, Result, Target
from tests.bench.spread import curve, spread
from tests.jobs.receivers import Answer, HttpReceiver, Request, http_receiver

RATE = 200
"""Events a second. Every tenth is a copy, and so an alert."""

NOTICES = 20
"""Notifications a second, where the dispatcher is alone."""

SILENT = 7
TARGETS = (("event → webhook, p50, ms", "event", "p50", 1_000), ("event → webhook, p99, ms", "event", "p99", 3_000),
           ("silence → webhook, the slowest, ms", "silence", "max", 3_000))  # fmt: skip

DOCUMENTS: dict[str, Any] = {
    "escalation/told": {"steps": [{"notify": {"channel": "web"}}]},
    "routes/main": {"escalation": "told", "group_by": ["lane", "workflow", "rule", "key", "occurrence"]},
}

NOTES = [
    """\
*Notification → webhook*: 20 notifications a second are written for the dispatcher alone, each about an alert of its
own; the time begins when a record is handed to the producer and ends when the receiver has the request. It contains
one question to the broker for the end of the log, which is what makes an acknowledgement count at once.""",
    f"""\
*Event → webhook*: broker, ticker, detect job, alert job and dispatcher run as `daymark up` starts them. {RATE} events
a second are sent by a schedule; every tenth is a copy, which is found at once and is an alert of its own; the time
begins at the scheduled instant of the event. *Silence → webhook*: trades are ingested and then nothing comes; the time
begins at their deadline plus the allowed lateness.""",
]


@dataclass
class Told:
    """When the receiver was first told (epoch ms), by notification and by the last finding of the alert."""

    notices: dict[str, float] = field(default_factory=dict)
    findings: dict[str, float] = field(default_factory=dict)

    def take(self, request: Request) -> Answer:
        now = time.time() * 1000
        row = json.loads(request.body)
        self.notices.setdefault(row["id"], now)
        for alert in row["alerts"]:
            self.findings.setdefault(alert.get("finding", ""), now)
        return Answer()


def run(options: Options) -> Result:
    """Measure; see the module."""
    told = Told()
    with http_receiver(told.take) as receiver, live(options.work / "home") as system, _dispatcher(system, receiver):
        alone = _alone(system, told, 3 if options.smoke else 30)
        print(f"alerting: notification to webhook {spread(alone)}", flush=True)
        _start_jobs(system)
        events = _events(system, told, 5 if options.smoke else 60)
        print(f"alerting: event to webhook {spread(events)}", flush=True)
        silence = [] if options.smoke else _silence(system, told, 300)
    return _result({"notification": alone, "event": events, "silence": silence})


@contextmanager
def _dispatcher(system: Live, receiver: HttpReceiver) -> Iterator[None]:
    _publish(system, {**DOCUMENTS, "channel/web": {"type": "webhook", "url": receiver.url, "limit": UNLIMITED}})
    part = dispatcher(system.options)
    part.start()
    try:
        yield
    finally:
        part.stop()


UNLIMITED = {"count": 1_000_000, "per": "1m"}


def _publish(system: Live, documents: Mapping[str, Any]) -> None:
    producer = KafkaProducer(bootstrap_servers=system.bootstrap, acks="all")
    for key, body in documents.items():
        producer.send("daymark.alerting", json.dumps(body).encode(), key=key.encode())
    producer.close(timeout=10)


def _alone(system: Live, told: Told, seconds: int) -> list[float]:
    """Notifications as the alert job writes them, one after the other; how long each took."""
    producer = KafkaProducer(bootstrap_servers=system.bootstrap, acks="all", linger_ms=0)
    written: dict[str, float] = {}
    warm = NOTICES

    def write(number: int) -> None:
        id, now = f"{os.getpid()}-{number}", time.time() * 1000
        row = {"type": "notify", "id": id, "channel": "web", "at_ms": int(now), "title": "measured", "count": 1}
        alert = {"id": f"a-{id}", "severity": "high", "summary": "measured"}
        producer.send("daymark.notifications", json.dumps(row | {"alerts": [alert], "revs": {alert["id"]: 1}}).encode())
        written[id] = now

    write(-1)
    wait_for(lambda: told.notices, 60)  # the dispatcher is up
    began = time.time() + 1
    for number in range(warm + seconds * NOTICES):
        time.sleep(max(0.0, began + number / NOTICES - time.time()))
        write(number)
    wait_for(lambda: len(told.notices) >= len(written), 60)
    producer.close(timeout=5)
    return [told.notices[id] - at for id, at in list(written.items())[warm + 1 :]]


def _start_jobs(system: Live) -> None:
    """Detect, the alert job, and the clock of both."""
    system.cluster = FlinkCluster(system.home, system.options.flink_port, taskmanagers=2)
    pack = _pack(system)
    system.detect(packs=(pack,))
    file = system.home / "run" / "alert.json"
    file.write_text(json.dumps({"bootstrap": system.bootstrap, "lanes": [system.options.lane], "packs": [str(pack)]}))
    system.cluster.wait_running(system.cluster.submit(file, None, kind="alert", folder=ALERTS))
    system._part(ticker(system.options, [EVENTS, *ALERT_CLOCK]))
    system.await_time(1, 60)


def _pack(system: Live) -> Path:
    """Trades that share nothing: alerts of one group become an incident, of which people are told once."""
    pack = Path(shutil.copytree(PACK, system.home / "pack"))
    for name, groups in (("workflow.yaml", "[trade]"), ("mapping.yaml", "{trade: data.trade_id}")):
        text = (pack / name).read_text()
        (pack / name).write_text(re.sub(r"(?m)^groups:.*$", f"groups: {groups}", text))
    return pack


def _await_told(told: Told, findings: Collection[str]) -> None:
    """Wait until each of these findings has been told. Raises NotExact."""
    try:
        wait_for(lambda: all(id in told.findings for id in findings), 30)
    except TimeoutError:
        missing = sum(id not in told.findings for id in findings)
        raise NotExact(f"{missing} of {len(findings)} alerts were not told") from None


def _events(system: Live, told: Told, seconds: int) -> list[float]:
    """From the scheduled instant of each copy that opened an alert to the webhook."""
    warm = RATE * 5
    start = (int(time.time()) + 5) * 1000
    sent = Plan("load", start, RATE, warm + RATE * seconds, width=RATE * 5, copy_every=10)
    plan.report(plan.start(sent, system.bootstrap, EVENTS, paced=True, warm=warm))
    system.await_time(sent.end_ms, 60)
    first: dict[str, tuple[str, int]] = {}
    for _, row in first_findings(system):
        if row["kind"] == "duplicate":
            due = sent.due_ms(sent.send_of(row["event_id"]) + 1)
            first[row["key"]] = min(first.get(row["key"], (row["id"], due)), (row["id"], due), key=lambda one: one[1])
    if not first:
        raise NotExact("no copy was found")
    _await_told(told, [id for id, _ in first.values()])
    return [told.findings[id] - due for id, due in first.values() if due >= start + warm * 1000 // RATE]


def _silence(system: Live, told: Told, items: int) -> list[float]:
    """From deadline plus lateness to the webhook, of trades that are ingested and then silent."""
    sent = Plan("silence", (int(time.time()) + 2) * 1000, SILENT, items, width=items)
    plan.report(plan.start(sent, system.bootstrap, EVENTS, paced=True))
    keys = {f"T-silence-{number}" for number in range(items)}
    system.await_time(sent.end_ms + VERIFY_WITHIN_MS, 60 + VERIFY_WITHIN_MS / 1000)
    found = {row["id"]: row for _, row in first_findings(system) if row["key"] in keys and row["kind"] == "missing"}
    if {row["key"] for row in found.values()} != keys:
        raise NotExact(f"{items} trades went silent, and {len(found)} were found missing")
    _await_told(told, found)
    return [told.findings[id] - row["deadline_ms"] - LATENESS_MS for id, row in found.items()]


def _result(times: Mapping[str, list[float]]) -> Result:
    spreads = {name: spread(one) for name, one in times.items() if one}
    targets: list[Target] = [
        {"name": name, "target": f"≤ {most}", "measured": (got := getattr(spreads[what], figure)), "met": got <= most}
        for name, what, figure, most in TARGETS
        if what in spreads
    ]
    rows = [{"until the webhook has it, from": name, **asdict(one)} for name, one in spreads.items()]
    return {
        "title": "Alerting",
        "notes": NOTES,
        "targets": targets,
        "tables": [{"title": "Until somebody is told, ms", "rows": rows}],
        "charts": [
            {
                "title": "Told within",
                "x": "ms",
                "y": "share of all",
                "log": "x",
                "series": {name: curve(one) for name, one in times.items() if one},
            }
        ],
    }
