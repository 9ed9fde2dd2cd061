"""The public status: what the page, the API and the badges say. Nothing that isn't listed gets in here."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from api import levels, views
from api.clock import now_ms
from api.context import Context
from api.levels import DAY_MS, Tally
from api.status import states
from api.status.page import Component
from api.status.states import Standing, State
from api.store import StoreError

log = logging.getLogger(__name__)
NOW_S = 5
HISTORY_S = 300
DAYS = 90
PAST_MS = 14 * DAY_MS
"""How long incidents that are over are shown."""

Row = dict[str, Any]
History = dict[str, list[Row]]


def public(ctx: Context) -> Row:
    """The whole public status, made at most once in five seconds for all who ask. While the store is away every
    component is unknown, and `reachable` false."""
    seen: Row = ctx.cache.get("status", NOW_S, lambda: _made(ctx))
    return seen


def _made(ctx: Context) -> Row:
    page, now = ctx.page, now_ms()
    standings: dict[str, Standing] = {}
    history: History = {}
    incidents: list[Row] = []
    reachable = True
    try:
        standings = _standings(ctx, now)
        history = ctx.cache.get("history", HISTORY_S, lambda: _history(ctx, now))
        incidents = _incidents(ctx, now)
    except StoreError as error:
        log.error("the status page can't be made", extra={"error": str(error)})
        standings, reachable = {}, False
    components = [_component(name, one, standings, history.get(name, [])) for name, one in page.components.items()]
    return {
        "title": page.title,
        "state": states.worst(one["state"] for one in components),
        "now_ms": now,
        "reachable": reachable,
        "components": components,
        "incidents": incidents,
    }


def _component(name: str, component: Component, standings: dict[str, Standing], days: list[Row]) -> Row:
    unheard = Standing("blind")
    state = states.worst(states.now(standings.get(one, unheard), component.outage) for one in component.workflows)
    known = [standings[one] for one in component.workflows if one in standings]
    counts = {"in_flight": sum(one.in_flight for one in known), "late": sum(one.late for one in known)}
    total = sum((day["tally"] for day in days), Tally())
    return {
        "id": name,
        "name": component.name,
        "description": component.description,
        "state": state,
        "met_percent": states.percent(total.share),
        "days": [{word: day[word] for word in ("day", "state", "met_percent")} for day in days],
        "counts": counts if component.counts and known else None,
    }


def _standings(ctx: Context, now_ms: int) -> dict[str, Standing]:
    """How each listed workflow stands in the live lane."""
    lane, listed = ctx.settings.lane, ctx.page.workflows
    clocks = {row["lane"]: row["state"] for row in views.lanes(ctx.store, ctx.settings.stale_after_s)}
    silent = {name for row in views.blind_sources(ctx.store) if row["lane"] == lane for name in row["workflows"]}
    rows = {row["workflow"]: row for row in ctx.store.query("status/now", lane=lane, workflows=listed)}
    asked = {"lane": lane, "workflows": listed, "since_ms": now_ms - DAY_MS}
    broken = {row["workflow"]: row["broken"] for row in ctx.store.query("status/open", **asked)}
    return {
        name: Standing(
            clock=clocks.get(lane, "blind"),
            known=name in rows,
            silent=name in silent,
            in_flight=rows[name]["in_flight"] if name in rows else 0,
            late=rows[name]["late"] if name in rows else 0,
            broken=broken.get(name, 0),
        )
        for name in listed
    }


def _history(ctx: Context, now_ms: int) -> History:
    """Each component's last 90 days (UTC), today the last."""
    lane, listed = ctx.settings.lane, ctx.page.workflows
    first = now_ms // DAY_MS - DAYS + 1
    since, until = first * DAY_MS, now_ms + 1
    specs = [spec for spec in ctx.rulebook.in_force(now_ms) if spec.workflow in listed]
    by_day: dict[tuple[str, int], Tally] = {}
    for (workflow, _, day), tally in levels.tallies(ctx.store, specs, lane, since, until).items():
        by_day[workflow, day] = by_day.get((workflow, day), Tally()) + tally
    asked = {"lane": lane, "workflows": listed, "since_ms": since, "until_ms": until}
    blind = {(row["workflow"], row["day"]) for row in ctx.store.query("status/blind", **asked)}
    found: History = {}
    for name, component in ctx.page.components.items():
        found[name] = []
        for day in range(first, first + DAYS):
            tally = sum((by_day.get((one, day), Tally()) for one in component.workflows), Tally())
            dark = any((one, day) in blind for one in component.workflows)
            found[name].append(_day(day, tally, states.on_day(tally, component.outage, blind=dark)))
    return found


def _day(day: int, tally: Tally, state: State) -> Row:
    date = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day)
    return {"day": f"{date:%Y-%m-%d}", "state": state, "met_percent": states.percent(tally.share), "tally": tally}


def _incidents(ctx: Context, now_ms: int) -> list[Row]:
    """What people have told the public. Of the incident itself only its instants are said: its title names what
    customers don't know."""
    asked = {"lane": ctx.settings.lane, "workflows": ctx.page.workflows, "since_ms": now_ms - PAST_MS}
    found = []
    for row in ctx.store.query("status/incidents", **asked):
        about = [one.name for one in ctx.page.components.values() if {*one.workflows} & {*row["workflows"]}]
        told = {"state": row["state"], "opened_ms": row["opened_ms"], "resolved_ms": row["resolved_ms"]}
        found.append({**told, "components": about, "note": row["note"], "note_ms": row["note_ms"]})
    return found
