"""Planning runs and the market data that they take, for rules/financial_planning.

A story is a snapshot of a feed with the runs that capture it; it should be superseded when it is a few minutes old.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from jobs.traffic.day import Place
from jobs.traffic.faults import Shares, after, early, late, never, repeated, reported_late, slow, spoil, swapped
from jobs.traffic.item import DAY, HOUR, MINUTE, SECOND, By, Item, Limit
from jobs.traffic.office import Office
from jobs.traffic.stream import Beginning, Business

CAPTURE = Limit("capture", "request", "capture", 5 * MINUTE)
FRESHNESS = Limit("freshness", "capture", "begin", 15 * MINUTE, warn=12 * MINUTE)
SIMULATE = Limit("simulate", "begin", "finish", 45 * MINUTE, warn=36 * MINUTE, floor=20 * SECOND)
BIG_MODEL = "nested-monte-carlo"
BIG_SIMULATE = Limit("simulate", "begin", "finish", 2 * HOUR, warn=96 * MINUTE, floor=2 * MINUTE)
REPORT = Limit("report", "finish", "render", 10 * MINUTE)
DELIVER = Limit("deliver", "render", "deliver", 5 * MINUTE, tiers=(20 * MINUTE,))
SLOT = 15 * MINUTE
AMSTERDAM, LONDON = Office("Europe/Amsterdam"), Office("Europe/London")
MEETING = By("meeting", "request", "deliver", 18 * 60, AMSTERDAM, cut_off=15 * 60)
BRITISH_MEETING = By("meeting", "request", "deliver", 18 * 60, LONDON, cut_off=15 * 60)
RUN = {
    "request": "run.requested",
    "capture": "market_data.captured",
    "begin": "simulation.started",
    "finish": "simulation.finished",
    "render": "report.rendered",
    "deliver": "report.delivered",
    "fail": "simulation.failed",
}
SNAPSHOT = {"publish": "snapshot.published", "supersede": "snapshot.superseded"}
PLACES = (Place("rates", 6.0, 13.0, 0.35, 0.08), Place("equity", 7.0, 12.0, 0.35, 0.05), Place("fx", 0.0, 24.0, 0.2))
BRANCHES = ("Utrecht", "Lyon", "Porto", "Leeds")
BRITISH = ("Porto", "Leeds")
"""Those on London's time."""
MODELS = ("cash-flow", "cash-flow", "regime-switching", BIG_MODEL)
STALE = 0.02
"""The share of snapshots that a run captures only when there is a newer one."""


def tell(rng: random.Random, begin: Beginning) -> Iterator[Item]:
    """A snapshot and its runs; some of them have a fault."""
    key, feed = f"M-{begin.name}", begin.place.name
    times = {"publish": begin.at, "supersede": begin.at + rng.randint(240, 720) * SECOND}
    snapshot = Item(begin.at, "snapshot_id", key, f"/market-data/{feed}", SNAPSHOT, {"feed": feed}, times)
    spoil(snapshot, rng, SNAPSHOT_FAULTS)
    if rng.random() < STALE:
        runs = [run_of(rng, snapshot, 0, captured=begin.at + 14 * MINUTE)]
    else:
        captures = [begin.at + rng.randint(70, 230) * SECOND for _ in range(rng.choice((0, 1, 1, 2)))]
        runs = [_spoilt(rng, run_of(rng, snapshot, number, at)) for number, at in enumerate(captures)]
    for run in runs:
        if run.times.get("capture", 0) > times["supersede"]:
            snapshot.expect(run.times["capture"], "unexpected", "unexpected")
    yield snapshot
    yield from runs


def run_of(rng: random.Random, snapshot: Item, number: int, captured: int) -> Item:
    """A run that captures the snapshot at that instant (epoch ms) and goes well."""
    model = rng.choice(MODELS)
    times = {"request": captured - rng.randint(3, 60) * SECOND, "capture": captured}
    after(times, "begin", rng, 5, 600)
    after(times, "finish", rng, *((180, 4800) if model == BIG_MODEL else (40, 1800)))
    after(times, "render", rng, 10, 400)
    after(times, "deliver", rng, 5, 200)
    data = {"model": model, "branch": rng.choice(BRANCHES), "assets": round(rng.lognormvariate(12, 1), 2)}
    details = {
        "request": {"client": f"client {rng.randint(1, 5000)}"},
        "capture": {"snapshot_id": snapshot.key, "feed": snapshot.data["feed"]},
        "render": {"pages": rng.randint(12, 60)},
    }
    key = snapshot.key.replace("M-", "R-", 1) + f"-{number}"
    return Item(snapshot.start, "run_id", key, "/planning", RUN, data, times, details)


def _spoilt(rng: random.Random, run: Item) -> Item:
    spoil(run, rng, faults(BIG_SIMULATE if run.data["model"] == BIG_MODEL else SIMULATE))
    if "fail" not in run.times:
        run.judge(BRITISH_MEETING if run.data["branch"] in BRITISH else MEETING)
    return run


def failed(run: Item, rng: random.Random) -> None:
    """No finding of ours: the simulation says itself that it failed."""
    run.cut("finish")
    run.times["fail"] = run.times["begin"] + rng.randint(10, 1500) * SECOND


def delivered_before(run: Item, rng: random.Random) -> None:
    """What is delivered is an older report: this one has not been rendered yet."""
    times = run.times
    times["render"], times["deliver"] = times["deliver"], times["render"]
    run.expect(times["deliver"], "unexpected", "unexpected")


def snapshots(rng: random.Random, run: str, at: int, unsent: bool) -> Iterator[Item]:
    """What the feeds publish by the clock, in the quarter of an hour from this instant (epoch ms) on."""
    if at % SLOT:
        return
    for place in PLACES:
        if unsent or rng.random() < 0.02:
            feed = Item(at, "market_feed", place.name, "", {}, {}, {})
            feed.expect(at + SLOT + 30 * SECOND, "missing", "fresh")
            yield feed
            continue
        published = at + rng.randint(60, 840) * SECOND
        times = {"publish": published, "supersede": published + rng.randint(240, 720) * SECOND}
        key = f"M-{run}-{place.name}-{at // MINUTE % 1_000_000:06d}-clock"
        details = {"publish": {"market_feed": place.name}}
        data = {"feed": place.name}
        yield Item(at, "snapshot_id", key, f"/market-data/{place.name}", SNAPSHOT, data, times, details)


def faults(simulate: Limit) -> Shares:
    """What goes wrong with the runs of a model."""
    return (
        (failed, 0.02),
        (never(CAPTURE), 0.01),
        (late(CAPTURE, 10 * SECOND, 10 * MINUTE), 0.015),
        (never(FRESHNESS), 0.008),
        (late(FRESHNESS, MINUTE, HOUR), 0.02),
        (slow(FRESHNESS), 0.02),
        (never(simulate), 0.01),
        (late(simulate, MINUTE, HOUR), 0.012),
        (slow(simulate), 0.015),
        (early(simulate), 0.012),
        (never(REPORT), 0.008),
        (late(REPORT, MINUTE, HOUR), 0.012),
        (never(DELIVER), 0.008),
        (late(DELIVER, 20 * SECOND, 10 * MINUTE), 0.012),
        (late(DELIVER, 16 * MINUTE, HOUR), 0.008),
        (reported_late(DELIVER, MINUTE, 5 * MINUTE), 0.008),
        (repeated("begin", "finish", "render"), 0.012),
        (swapped("request", "capture"), 0.01),
        (delivered_before, 0.01),
    )


SNAPSHOT_FAULTS: Shares = ((repeated("publish", "supersede"), 0.01),)

BUSINESS = Business(PLACES, tell, ("run.requested", "run_id"), longest=4 * DAY, regular=snapshots, lead=SLOT)
