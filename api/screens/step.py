"""One step of a workflow: what waits there, since when, until when; how often it happens and how long it takes, beside
the same hours of the weeks before."""

from __future__ import annotations

from statistics import fmean
from typing import Any

from api import standing, views
from api.clock import now_ms
from api.paging import split_group
from api.screens.charts import columns, unusual
from api.screens.map import BROKEN_MS
from api.store import Store

Row = dict[str, Any]
SPAN_MS = 5 * 60_000
SPANS = 24
OLDEST = 15
AGES = ("< 1 m", "< 5 m", "< 15 m", "< 1 h", "< 4 h", "< 1 d", "more")


def step(store: Store, about: Row, name: str, *, group: str = "") -> Row:
    """A step of the workflow in `about` (a row of `views.workflows`), now."""
    now = about["watermark_ms"] or now_ms()
    where = {"lane": about["lane"], "workflow": about["workflow"], "step": name, **split_group(group)}
    stands = standing.waiting(store, now, **where)
    until = (now // SPAN_MS + 1) * SPAN_MS
    since = until - SPANS * SPAN_MS
    broken = standing.broken(store, **where, since_ms=now - BROKEN_MS, at_ms=now)
    at_risk = sum(row["at_risk"] for row in broken if row["because"] == name)
    rates = store.query("steps/rates", **where, since_ms=since, until_ms=until, span_ms=SPAN_MS)
    return {
        "workflow": about["workflow"],
        "lane": about["lane"],
        "status": "blind" if about["status"] == "blind" else _colour(stands["overdue"], at_risk),
        "step": name,
        "group": group,
        "now_ms": now,
        "watermark_ms": about["watermark_ms"],
        "since_ms": since,
        "until_ms": until,
        "span_ms": SPAN_MS,
        **stands,
        "at_risk": at_risk,
        "ages": AGES,
        "oldest": standing.oldest(store, OLDEST, by_due=False, **where),
        "due": standing.oldest(store, OLDEST, by_due=True, **where),
        **_rates(rates, (now - since) / SPAN_MS),
    }


def _colour(overdue: int, at_risk: int) -> str:
    return "red" if overdue else "amber" if at_risk else "green"


def _rates(rows: list[Row], passed_spans: float) -> Row:
    """`throughput` and `duration` for each span, each with what is `usual` (None where no week before has anything),
    and `marks`. The span that is not over yet is left unjudged."""
    by_place = {(row["week"], row["place"]): row for row in rows}
    weeks = {row["week"] for row in rows} - {0}
    throughput = [by_place.get((0, place), {}).get("passed", 0) for place in range(SPANS)]
    usual = [
        fmean(by_place.get((week, place), {}).get("passed", 0) for week in weeks) if weeks else None
        for place in range(SPANS)
    ]
    over = [place + 1 <= passed_spans for place in range(SPANS)]
    marks = [unusual(throughput[place], usual[place]) if over[place] else "" for place in range(SPANS)]
    took = [_p95(by_place.get((0, place))) for place in range(SPANS)]
    before = [[_p95(by_place.get((week, place))) for week in weeks] for place in range(SPANS)]
    took_usually = [fmean(known) if (known := [one for one in ones if one is not None]) else None for ones in before]
    return {
        "throughput": throughput,
        "usual": usual,
        "marks": marks,
        "duration_p95_ms": took,
        "usual_p95_ms": took_usually,
        "weeks": len(weeks),
    }


def _p95(row: Row | None) -> float | None:
    times = views.quantiles(row["duration_ms"]) if row else None
    return times["p95"] if times else None


def charts(found: Row) -> Row:
    """The charts of a step, as coordinates."""
    return {
        "rate": columns(found["throughput"], found["usual"], found["marks"]),
        "took": columns(found["duration_p95_ms"], found["usual_p95_ms"]),
        "ages": columns(found["ageing"], []),
    }
