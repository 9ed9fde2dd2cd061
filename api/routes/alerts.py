"""Alerts as they stand, what became of each, and how people were told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from api import paging
from api.alertlog import log_of
from api.alertmodels import ACTIVE, ENDED, Alert, AlertCount, AlertDetail, Delivery, LogEntry, State
from api.clock import now_ms
from api.context import Ctx
from api.models import Page
from api.paging import FAR, MAX_LIMIT, Cursor, GroupFilter, Limit, Most, PathText, Since, Text, Until
from api.problems import documented, not_found
from api.store import Store

router = APIRouter(prefix="/api/v1", tags=["alerts"], responses=documented(401, 422, 503))
STORY = 1_000  # rows of a log, attempts and hidden alerts that are shown with one alert
Severity = Annotated[Literal["", "critical", "high", "medium", "low"], Query()]
Responded = Annotated[
    Literal["", "waiting", "overdue", "in_time", "late"],
    Query(description="answered in time or not; `late` ones had their answer too late, or never"),
]
States = Annotated[
    list[State | Literal["active", "ended"]],
    Query(description="one or several; `active` is all that have not ended", examples=[["active"]]),
]


def listed(store: Store, *, states: tuple[str, ...] = (), limit: int = MAX_LIMIT, **given: Any) -> list[dict[str, Any]]:
    """The alerts that fit, those that opened last first; `given` are further parameters of alerts/list.sql."""
    texts = ("lane", "workflow", "rule", "kind", "severity", "step", "key", "team", "assignee", "incident")
    where: dict[str, Any] = dict.fromkeys((*texts, "explained_by", "group_name", "group_value"), "")
    where |= {"sort": "opened", "since_ms": -FAR, "until_ms": FAR, "resumed": 0, "after_place": 0, "after_id": ""}
    where |= {"response": "", "now_ms": now_ms()}
    return openable(store, store.query("alerts/list", **(where | given), states=list(states), limit=limit))


def openable(store: Store, alerts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The alerts, without the incident where it is others' too: somebody with limits is not shown that."""
    if store.limited and (ids := sorted({row["incident"] for row in alerts} - {""})):
        known = {row["id"] for row in store.query("incidents/known", ids=ids)}
        for row in alerts:
            row["incident"] = row["incident"] if row["incident"] in known else ""
    return alerts


def states_of(given: Sequence[str]) -> tuple[str, ...]:
    """The states that a filter names; () for all."""
    words = {"active": ACTIVE, "ended": ENDED}
    return tuple(dict.fromkeys(state for word in given for state in words.get(word, (word,))))


@router.get("/alerts", response_model=Page[Alert], responses=documented(400))
def list_alerts(
    ctx: Ctx,
    state: States = [],  # noqa: B006 (FastAPI copies it)
    lane: Text = "",
    workflow: Text = "",
    rule: Text = "",
    kind: Text = "",
    severity: Severity = "",
    step: Text = "",
    key: Text = "",
    team: Text = "",
    assignee: Text = "",
    incident: Text = "",
    explained_by: Annotated[Text, Query(description="those that this alert's id is the cause of")] = "",
    group: GroupFilter = "",
    response: Responded = "",
    since: Since = -FAR,
    until: Until = FAR,
    sort: Literal["opened", "changed", "severity", "respond_by"] = "opened",
    limit: Limit = 50,
    cursor: Cursor = "",
) -> dict[str, Any]:
    """Alerts that fit all filters: the latest first, the gravest, or those that should be answered soonest. `since`
    and `until` are about when they opened."""
    rows = listed(
        ctx.store,
        states=states_of(state),
        lane=lane,
        workflow=workflow,
        rule=rule,
        kind=kind,
        severity=severity,
        step=step,
        key=key,
        team=team,
        assignee=assignee,
        incident=incident,
        explained_by=explained_by,
        response=response,
        since_ms=since,
        until_ms=until,
        sort=sort,
        limit=limit + 1,
        **paging.split_group(group),
        **paging.decode(cursor, ("after_place", "after_id"), (int, str)),
    )
    return paging.page(rows, limit, lambda row: (row["place"], row["id"]))


@router.get("/alerts/counts", response_model=list[AlertCount])
def count_alerts(
    ctx: Ctx, response: Response, lane: Text = "", workflow: Text = "", limit: Most = MAX_LIMIT
) -> list[dict[str, Any]]:
    """Alerts by lane, workflow, state and severity."""
    return paging.cut(ctx.store.query("alerts/counts", lane=lane, workflow=workflow, limit=limit + 1), limit, response)


@router.get("/alerts/{id}", response_model=AlertDetail, responses=documented(404))
def get_alert(ctx: Ctx, id: PathText) -> dict[str, Any]:
    """One alert, what became of it since it first opened, and how people were told."""
    found = openable(ctx.store, ctx.store.query("alerts/some", ids=[id]))
    if not found:
        raise not_found(f"There is no alert {id!r}.")
    return {
        **found[0],
        "log": log_of(ctx.store, [id], STORY),
        "deliveries": ctx.store.query("deliveries/of_alerts", ids=[id], limit=STORY),
        "explains": [row["id"] for row in listed(ctx.store, explained_by=id, limit=STORY)],
    }


@router.get("/alerts/{id}/log", response_model=list[LogEntry])
def get_alert_log(ctx: Ctx, response: Response, id: PathText, limit: Most = MAX_LIMIT) -> list[dict[str, Any]]:
    """What became of an alert: who changed it, when and why, in order."""
    return paging.cut(log_of(ctx.store, [id], limit + 1), limit, response)


@router.get("/deliveries", response_model=Page[Delivery], responses=documented(400))
def list_deliveries(
    ctx: Ctx,
    id: Annotated[Text, Query(description="of a notification")] = "",
    alert: Text = "",
    channel: Text = "",
    person: Text = "",
    outcome: Literal["", "sent", "failed", "retry", "dead", "called_off", "superseded", "refused"] = "",
    lane: Text = "",
    since: Since = -FAR,
    until: Until = FAR,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> dict[str, Any]:
    """Attempts to tell somebody, the latest first."""
    where = {"id": id, "alert": alert, "channel": channel, "person": person, "outcome": outcome, "lane": lane}
    place = paging.decode(cursor, ("after_ms", "after_id", "after_attempt"), (int, str, int))
    rows = ctx.store.query("deliveries/list", **where, since_ms=since, until_ms=until, limit=limit + 1, **place)
    return paging.page(rows, limit, lambda row: (row["at_ms"], row["id"], row["attempt"]))
