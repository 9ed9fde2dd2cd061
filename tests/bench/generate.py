"""The traffic of the throughput section, with its truth: trades that go A, B, C, D, each hop due within 300 s.

One in a hundred lacks a hop, one in a hundred has a late one (301 to 900 s), one in two hundred repeats an event, and
one in two hundred has two swapped in time; never two of these at once. Arrival is up to half a second after the
event, and the file is in the order of arrival. Events of one trade never have the same time. The same seed gives the
same file.

The truth is what the rule (tests/bench/peers/rule.py) says of it: for each trade that isn't clean its verdicts, each
as [verdict, edge or type, at].
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

LIMIT_MS = 300_000
BEGIN_MS = 1_700_000_000_000
JITTER_MS = 500
SLACK_MS = 1000
"""Behind the newest event the watermark lags so much, in every peer: twice the jitter."""

TYPES = "ABCD"
EDGES = ("A-B", "B-C", "C-D")
CURRENCIES = {"EU": "EUR", "US": "USD", "APAC": "JPY"}
LINE = (
    '{"event_id":"%s","event_type":"%s","trade_id":"%s","ts":%d,"market":"%s",'
    '"payload":{"amount":%.2f,"ccy":"%s","book":"BK-%04d-RATES"}}\n'
)


@dataclass
class Trade:
    """One trade's events as (number of the type, event time), in the order in which they are drawn; its verdicts."""

    events: list[tuple[int, int]]
    verdicts: list[tuple[str, str, int]] = field(default_factory=list)
    kind: str = "clean"


def generate(items: int, seed: int, file: Path) -> Path:
    """Write the log of `items` trades and, beside it, its truth; returns where the truth is."""
    random = Random(seed)
    arrivals: list[tuple[int, str]] = []
    truth: dict[str, Any] = {"items": items, "seed": seed, "anomalies": {}}
    kinds: Counter[str] = Counter()
    start = float(BEGIN_MS)
    for number in range(items):
        start += random.expovariate(1 / 10.0)
        key, market, amount = f"T{number}", random.choice(tuple(CURRENCIES)), random.uniform(1e3, 9e6)
        trade = _trade(random, int(start))
        kinds[trade.kind] += 1
        if trade.verdicts:
            truth["anomalies"][key] = trade.verdicts
        ids = [f"{random.getrandbits(128):032x}" for _ in TYPES]
        tail = (market, amount, CURRENCIES[market], int(amount) % 977)
        for n, ts in trade.events:
            arrivals.append((ts + random.randint(0, JITTER_MS), LINE % (ids[n], TYPES[n], key, ts, *tail)))
    arrivals.sort(key=lambda arrival: arrival[0])
    with file.open("w") as out:
        out.writelines(line for _, line in arrivals)
    truth |= {"events": len(arrivals), "kinds": dict(sorted(kinds.items()))}
    beside = truth_of(file)
    beside.write_text(json.dumps(truth))
    return beside


def truth_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.truth.json")


def _trade(random: Random, start: int) -> Trade:
    gaps = [1 + int(random.expovariate(1 / 2000.0)) for _ in EDGES]
    draw, edge = random.random(), random.randrange(3)
    if 0.01 <= draw < 0.02:
        gaps[edge] = random.randint(301_000, 900_000)
    times = [start]
    for gap in gaps:
        times.append(times[-1] + gap)
    trade = Trade(list(enumerate(times)))
    if draw < 0.01:
        trade.kind, trade.events = "missing", trade.events[: edge + 1]
        trade.verdicts = [("MISSING", EDGES[edge], times[edge] + LIMIT_MS)]
    elif draw < 0.02:
        trade.kind = "late"
        trade.verdicts = [("MISSING", EDGES[edge], times[edge] + LIMIT_MS), ("LATE", EDGES[edge], times[edge + 1])]
    elif draw < 0.025:
        again = random.randrange(4)
        trade.kind, trade.verdicts = "duplicate", [("DUPLICATE", TYPES[again], times[again])]
        trade.events.append((again, times[again]))
    elif draw < 0.03:
        times[edge], times[edge + 1] = times[edge + 1], times[edge]
        trade.kind, trade.events = "out_of_order", list(enumerate(times))
        trade.verdicts = [("OUT_OF_ORDER", EDGES[edge], max(times[edge], times[edge + 1]))]
    return trade


def ticked(file: Path, out: Path) -> Path:
    """The log with the ticks that a ticker would have written: no event comes more than `SLACK_MS` behind its tick."""
    with file.open("rb") as log, out.open("wb") as ticking:
        ticking.writelines(with_ticks(log))
    return out


def with_ticks(lines: Iterator[bytes] | Any) -> Iterator[bytes]:
    """The lines with a tick line for each second that the event times newly reach."""
    newest = 0
    for line in lines:
        second = time_of(line) // 1000
        if second > newest:
            newest = second
            yield b'{"tick": %d}\n' % (second * 1000)
        yield line


def time_of(line: bytes) -> int:
    """The event time of a line, found without parsing it."""
    start = line.index(b'"ts":') + 5
    return int(line[start : start + 13])
