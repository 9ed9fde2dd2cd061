"""Latency: from an event to its finding in Kafka, and to its row in the API, under a load that waits for nobody.

The whole stack of `daymark up` runs: ticker, broker, the detect job (at least once), and the serving process with
its loader on embedded ClickHouse. The load generator is a process of its own that sends by a schedule; every time
here begins at the scheduled instant of the event, so that a stall is charged to each event that came meanwhile. Of
the sends some are copies, which are found as duplicates at once: the event is the finding's cause, and the broker's
own stamp on the finding the end. Others are marked, and the API is asked for the marked ones again and again until
it shows them.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.bench.live import EVENTS, Findings, Live, first_findings, live
from tests.bench.load import plan
from tests.bench.load.plan import Plan
from tests.bench.section import NotExact, Options, Result, Target
from tests.bench.spread import curve, spread

RATES = (100, 1_000, 10_000, 50_000)
TARGET_UP_TO = 10_000
TARGETS_MS = (("p50", 300), ("p99", 1000))
KEPT_UP_MS = 50
"""The generator kept to its schedule when 99 of 100 sends left no later than this."""

STEP_SECONDS = 5
"""How long after one step of a trade its next one comes."""

DRAIN_SECONDS = 240
ASK_PAUSE = 0.1

NOTES = [
    """\
The whole stack of `daymark up` runs, with its defaults: broker, ticker, the detect job (one TaskManager, at least
once), and the serving process with its loader on embedded ClickHouse. A generator in a process of its own sends by
a schedule, whatever becomes of what it sent, and every time begins at the *scheduled* instant of the event: a stall
is charged to all that came meanwhile. Each rate has a stack of its own; the beginning of a run is for warming up
and not counted.""",
    """\
*Finding*: some of the events are copies of the one before, which is found at once; the end is the broker's own
stamp on the finding. *Row*: ten events a second are marked, and the API is asked again and again (`GET
/api/v1/events`) until it shows them; the end is when its answer is there. All copies must be found and all marked
events shown, and nothing else may be found while the load lasts.""",
]


@dataclass
class Seen:
    """The marked events that the API has shown: send -> instant of the answer, epoch ms. `asked`: ms an answer took."""

    at: dict[int, float] = field(default_factory=dict)
    asked: list[float] = field(default_factory=list)


def run(options: Options) -> Result:
    """Measure at each rate; see the module."""
    rates = RATES[1:2] if options.smoke else RATES
    return _result([_at(options.work / str(rate), rate, *_seconds(rate, options)) for rate in rates])


def _seconds(rate: int, options: Options) -> tuple[int, int]:
    """How long to warm up and to measure; less where the backlog grows as long as the load lasts."""
    return (5, 10) if options.smoke or rate > TARGET_UP_TO else (10, 30)


def _at(home: Path, rate: int, warm: int, measured: int) -> dict[str, Any]:
    with live(home) as system:
        system.detect()
        system.serve()
        system.tick()
        system.await_time(1, 60)
        sent = Plan(
            "load",
            (int(time.time()) + 5) * 1000,
            rate,
            rate * (warm + measured),
            width=rate * STEP_SECONDS,
            copy_every=max(5, min(100, rate // 20)),
            mark_every=rate // 10,
        )
        print(f"latency: {rate:,} events/s for {warm + measured} s", flush=True)
        generator = plan.start(sent, system.bootstrap, EVENTS, paced=True, warm=rate * warm)
        seen = _watch(system, sent)
        kept = plan.report(generator)
        system.await_time(sent.end_ms, DRAIN_SECONDS)
        return _measured(sent, seen, kept, first_findings(system), sent.start_ms + warm * 1000)


def _watch(system: Live, sent: Plan) -> Seen:
    """Ask the API for the marked events that it has not shown yet, until it has shown all."""
    seen = Seen()
    waiting = list(range(0, sent.sends, sent.mark_every))
    with httpx.Client(base_url=system.url, timeout=60) as api:
        while waiting:
            if time.time() * 1000 > sent.end_ms + DRAIN_SECONDS * 1000:
                raise NotExact(f"at {sent.rate:,}/s {len(waiting)} marked events were not shown in the end")
            if time.time() * 1000 >= sent.due_ms(waiting[0]):
                waiting = _ask(api, sent, waiting, seen)
            time.sleep(ASK_PAUSE)
    return seen


def _ask(api: httpx.Client, sent: Plan, waiting: list[int], seen: Seen) -> list[int]:
    """Ask once; returns the sends that are still to be seen, in their order."""
    first = sent.due_ms(waiting[0])
    began = time.time()
    where = {"source": "/marked", "since": first, "until": first + 20_000, "limit": 1000}
    rows = api.get("/api/v1/events", params=where).raise_for_status().json()["items"]
    now = time.time()
    seen.asked.append((now - began) * 1000)
    shown = {sent.send_of(row["id"]) for row in rows}
    seen.at |= {send: now * 1000 for send in waiting if send in shown}
    return [send for send in waiting if send not in shown]


def _measured(sent: Plan, seen: Seen, kept: dict[str, Any], findings: Findings, since_ms: int) -> dict[str, Any]:
    """What came of it, counted from `since_ms` on, when everything was warm."""
    copies = {row["event_id"]: at for at, row in findings if row["kind"] == "duplicate"}
    # After the load has ended its last trades are rightly missing.
    wrong = [row for _, row in findings if row["kind"] != "duplicate" and row["deadline_ms"] <= sent.end_ms]
    if wrong or set(copies) != set(sent.copied()):
        raise NotExact(f"at {sent.rate:,}/s {len(copies)} copies were found and {len(wrong)} faults that were none")
    due = {event: sent.due_ms(sent.send_of(event) + 1) for event in copies}
    found = [at - due[event] for event, at in copies.items() if due[event] >= since_ms]
    shown = [at - sent.due_ms(send) for send, at in seen.at.items() if sent.due_ms(send) >= since_ms]
    return {
        "rate": sent.rate,
        "times": {"finding": found, "row": shown},
        "spreads": {"finding": spread(found), "row": spread(shown), "answer": spread(seen.asked)},
        "generator": kept,
        "kept_up": kept["late_p99_ms"] <= KEPT_UP_MS,
    }


def _result(measured: list[dict[str, Any]]) -> Result:
    return {
        "title": "Latency",
        "notes": NOTES,
        "targets": [target for one in measured if one["rate"] <= TARGET_UP_TO for target in _targets(one)],
        "tables": [
            {"title": "Event → finding in Kafka, ms", "rows": [_row(one, "finding") for one in measured]},
            {"title": "Event → row in the API, ms", "rows": [_row(one, "row") for one in measured]},
            {"title": "How late the generator itself was, ms", "rows": [_kept(one) for one in measured]},
            {"title": "The API's answers meanwhile, ms", "rows": [_row(one, "answer") for one in measured]},
        ],
        "charts": [
            {
                "title": f"Event → {what} within",
                "x": "ms",
                "y": "share of all",
                "log": "x",
                "series": {f"{one['rate']:,}/s": curve(one["times"][what]) for one in measured},
            }
            for what in ("finding", "row")
        ],
    }


def _row(one: dict[str, Any], what: str) -> dict[str, Any]:
    return {"events/s": one["rate"], **asdict(one["spreads"][what])}


def _kept(one: dict[str, Any]) -> dict[str, Any]:
    late = {name: round(one["generator"][f"late_{name}_ms"], 1) for name in ("p50", "p99", "max")}
    return {"events/s": one["rate"], **late, "kept up": "yes" if one["kept_up"] else "no"}


def _targets(one: dict[str, Any]) -> list[Target]:
    return [
        {
            "name": f"{one['rate']:,}/s, event → {what}, {name}, ms",
            "target": f"≤ {limit}",
            "measured": (value := getattr(one["spreads"][what], name)),
            "met": met(value, limit, one["generator"]["late_max_ms"]),
        }
        for what in ("finding", "row")
        for name, limit in TARGETS_MS
    ]


def met(value: float, limit: float, late: float) -> bool | None:
    """Whether a time is within its limit. It begins when the event was to be sent, so that a generator that was late,
    `late` ms at most, only adds to it; None where the excess may be the generator's."""
    if value <= limit:
        return True
    return False if value - late > limit else None
