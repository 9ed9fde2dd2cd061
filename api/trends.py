"""What changes over time, beside what is usual: the mean of the same hour and weekday of up to four weeks before.

Time is cut into spans, counted from an instant: `place` 0 is the first one asked about, those before it are negative.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import fmean
from typing import Any

from api.paging import split_group
from api.screens.charts import LEAST_USUAL, unusual
from api.store import Store
from api.views import quantiles

Row = dict[str, Any]
Series = Mapping[int, float]
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
WEEKS = 4
SLOWER = 2.0
"""A way that takes so many times as long as usual is told of."""


def usual(series: Series, place: int, a_week: int) -> tuple[float | None, int]:
    """What was usual at a place, and of how many weeks that is made; None where no week before is known. `a_week`: how
    many spans a week has. A week counts from when anything was first known."""
    first = min(series, default=place)
    weeks = [before for week in range(1, WEEKS + 1) if (before := place - week * a_week) >= first]
    return (fmean(series.get(one, 0) for one in weeks), len(weeks)) if weeks else (None, 0)


def trend(
    store: Store, workflow: str, lane: str, *, group: str, since_ms: int, spans: int, span_ms: int, now_ms: int
) -> list[Row]:
    """A row for each span: items that began and ended in it, findings and answers due in it, how long it took, what is
    usual. `now_ms` is the time of alerts: that of the wall clock."""
    until = since_ms + spans * span_ms
    where: Row = {"workflow": workflow, "lane": lane, **split_group(group)}
    where |= {"since_ms": since_ms, "from_ms": since_ms - WEEKS * WEEK_MS, "until_ms": until, "span_ms": span_ms}
    items = {row["place"]: row for row in store.query("trends/items", **where)}
    found = {row["place"]: row for row in store.query("trends/findings", **where)}
    answers = {row["place"]: row for row in store.query("trends/answers", **where, now_ms=now_ms)}
    started = {place: row["started"] for place, row in items.items()}
    missing = {place: row["missing"] for place, row in found.items()}
    rows = []
    for place in range(spans):
        one, two = items.get(place, {}), found.get(place, {})
        before, weeks = usual(started, place, WEEK_MS // span_ms)
        rows.append(
            {
                "at_ms": since_ms + place * span_ms,
                **{name: one.get(name, 0) for name in ("started", "completed", "failed")},
                **{name: two.get(name, 0) for name in ("missing", "late", "other")},
                **{name: answers.get(place, {}).get(name, 0) for name in ("answered_in_time", "answered_late")},
                "duration_ms": quantiles(one.get("duration_ms", [])),
                "usual_started": before,
                "usual_missing": _known(missing, started, place, WEEK_MS // span_ms),
                "weeks": weeks,
            }
        )
    return rows


def _known(missing: Series, started: Series, place: int, a_week: int) -> float | None:
    """How many are usually missing: no finding means none, as long as there were items."""
    first = min(started, default=place)
    return usual({first: 0, **missing}, place, a_week)[0]


def days(since_ms: int, until_ms: int) -> list[int]:
    """The days (since the epoch, UTC) of a time and of the same time in the weeks before."""
    found: set[int] = set()
    for week in range(WEEKS + 1):
        found.update(range((since_ms - week * WEEK_MS) // DAY_MS, (until_ms - 1 - week * WEEK_MS) // DAY_MS + 1))
    return sorted(found)


def anomalies(rows: Iterable[Row], since_ms: int, ends: Mapping[str, int]) -> list[Row]:
    """The hours in which a step happened far more or less often than usual, or took far longer: the latest first. Pure.

    `rows` are those of trends/passed by the hour, `ends` says up to which instant each lane is known; lanes that aren't
    in it are left out, and so is an hour that isn't over yet.
    """
    passed: dict[tuple[str, str, str], dict[int, int]] = defaultdict(dict)
    took: dict[tuple[str, str, str], dict[int, float]] = defaultdict(dict)
    for row in rows:
        step = (row["lane"], row["workflow"], row["step"])
        passed[step][row["place"]] = row["passed"]
        if row["p95"] is not None:
            took[step][row["place"]] = row["p95"]
    found: list[Row] = []
    for step, counts in passed.items():
        for place in range(max(0, (ends.get(step[0], since_ms) - since_ms) // HOUR_MS)):
            about = dict(zip(("lane", "workflow", "step"), step, strict=True)) | {"at_ms": since_ms + place * HOUR_MS}
            found += [about | one for one in (_rate(counts, place), _pace(counts, took[step], place)) if one]
    return sorted(found, key=lambda row: (-row["at_ms"], row["lane"], row["workflow"], row["step"], row["measure"]))


def _rate(counts: Series, place: int) -> Row | None:
    now = counts.get(place, 0)
    before, weeks = usual(counts, place, WEEK_MS // HOUR_MS)
    mark = unusual(now, before)
    return {"measure": "rate", "mark": mark, "value": now, "usual": before, "weeks": weeks} if mark else None


def _pace(counts: Series, took: Series, place: int) -> Row | None:
    """Of an hour, and of weeks, in which it happened often enough to say."""
    enough = {one: took[one] for one in took if counts[one] >= LEAST_USUAL}
    before = [enough[one] for week in range(1, WEEKS + 1) if (one := place - week * WEEK_MS // HOUR_MS) in enough]
    if place not in enough or not before or enough[place] < SLOWER * fmean(before):
        return None
    about = {"value": enough[place], "usual": fmean(before), "weeks": len(before)}
    return {"measure": "duration_p95_ms", "mark": "high", **about}
