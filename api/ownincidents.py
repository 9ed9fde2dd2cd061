"""What somebody with limits may do to incidents: only where all that it touches is within their limits."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool

from api.alerting import limits_of
from api.alertmodels import ACTIVE
from api.context import Context
from api.problems import ProblemError, not_found

MOST_ALERTS = 10_000
SHARED = "holds alerts outside of your limits. Act on your own alerts in it instead, or ask somebody without limits"
Row = dict[str, Any]


async def incident(ctx: Context, id: str) -> Row | None:
    """The incident that somebody with limits is about to change; None for who has none, and may change any.

    Raises a 403 problem if others' alerts belong to it as well as theirs, 404 if none of theirs does.
    """
    return await run_in_threadpool(_incident, ctx, id) if limits_of(ctx) else None


async def live(ctx: Context, id: str) -> list[str]:
    """The alerts of an incident that whoever asks sees, and that have not ended."""
    return await run_in_threadpool(_live, ctx, id)


async def taken(ctx: Context, ids: list[str]) -> list[str]:
    """What somebody with limits may have an incident take in: alerts, of ids of alerts and incidents. Who has none may
    have it take in all. Raises a 403 or 404 problem for what isn't all theirs."""
    return await run_in_threadpool(_taken, ctx, ids) if limits_of(ctx) else ids


def _incident(ctx: Context, id: str) -> Row:
    if found := ctx.store.query("incidents/one", id=id):
        return found[0]
    if ctx.store.query("incidents/alerts", id=id, cause="", limit=1):
        raise ProblemError(403, "Not allowed", f"The incident {id} {SHARED}.")
    raise not_found(f"There is no incident {id!r}.")


def _live(ctx: Context, id: str) -> list[str]:
    rows = ctx.store.query("incidents/alerts", id=id, cause="", limit=MOST_ALERTS)
    return [row["id"] for row in rows if row["state"] in ACTIVE]


def _taken(ctx: Context, ids: list[str]) -> list[str]:
    alerts = {row["id"]: row for row in ctx.store.query("alerts/some", ids=ids)}
    found: list[str] = []
    for id in ids:
        whole = alerts[id]["incident"] if id in alerts else id
        if whole:
            _incident(ctx, whole)
        found += [id] if id in alerts else _live(ctx, id)
    return list(dict.fromkeys(found))
