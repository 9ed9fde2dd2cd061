"""Alertmanager's API v2, so that amtool, Karma and Grafana work; silences are in `alertmanagersilences`.

What it can't say is at /api/v1: acknowledgements, incidents, maintenance windows, who is on call.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body, Query
from fastapi.responses import Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from api import alerting, alertmanager, foreign
from api.actor import Who
from api.alertmodels import ACTIVE
from api.clock import now_ms
from api.context import Context, Ctx
from api.paging import plain_text
from api.problems import ProblemError
from api.publish import PublishError, Record
from api.records.database import Change
from api.routes.alerts import listed
from api.routes.jsontexts import Filters, Flag, JsonTextRoute, epoch_ms, matchers_of
from api.store import StoreError
from udfs.alerting.policy import Policy
from udfs.packs.alertmodel import NOBODY

MOST_ALERTS = 10_000
MOST_POSTED = 1_000
MOST_AUDITED = 100  # of one request, by name
AUDITED = ("rule", "key", "at_ms")
LabelName = Annotated[str, Field(min_length=1, max_length=256)]
LabelValue = Annotated[str, AfterValidator(plain_text), Field(max_length=4_096)]
STARTED = now_ms()
ReceiverMatchers = Annotated[list[str], Query(description="receivers have no labels here")]

router = APIRouter(prefix="/api/v2", tags=["alertmanager"], route_class=JsonTextRoute)


class PostedAlert(BaseModel):
    """Somebody else's alert. Without an end, or with one to come, it goes on."""

    model_config = ConfigDict(extra="ignore")

    labels: Annotated[dict[LabelName, LabelValue], Field(min_length=1, max_length=64)]
    annotations: Annotated[dict[LabelName, LabelValue], Field(max_length=64)] = {}
    startsAt: AwareDatetime | None = None
    endsAt: AwareDatetime | None = None

    def told(self) -> tuple[dict[str, str], dict[str, str], int | None, int | None]:
        """Labels, annotations, begin and end (epoch ms); the year 1 is how Go writes no instant."""
        begin, end = (None if one is None or one.year == 1 else epoch_ms(one) for one in (self.startsAt, self.endsAt))
        return self.labels, self.annotations, begin, end


@router.get("/status")
def get_status(ctx: Ctx) -> dict[str, Any]:
    """The version, and no cluster."""
    named = ("version", "revision", "branch", "buildUser", "buildDate", "goVersion")
    return {
        "cluster": {"status": "disabled", "peers": []},
        "versionInfo": dict.fromkeys(named, "") | {"version": f"daymark {version('daymark')}"},
        "config": {"original": "# Daymark's alerting documents are at /api/v1/alerting\n"},
        "uptime": alertmanager.stamp(STARTED),
    }


@router.get("/receivers")
def get_receivers(ctx: Ctx, receiver_matchers: ReceiverMatchers = []) -> list[dict[str, Any]]:  # noqa: B006
    """The escalations."""
    if matchers_of(receiver_matchers):
        return []
    return [{"name": name, "labels": {}} for name in [NOBODY, *sorted(alerting.policy(ctx).escalations)]]


@router.get("/alerts")
def get_alerts(
    ctx: Ctx,
    filter: Filters = [],  # noqa: B006 (FastAPI copies it)
    active: Flag = True,
    silenced: Flag = True,
    inhibited: Flag = True,
    unprocessed: Flag = True,
    receiver: str = "",
    receiver_matchers: ReceiverMatchers = [],  # noqa: B006
) -> list[dict[str, Any]]:
    """The alerts that have not ended, 10,000 at most."""
    policy, now = alerting.policy(ctx), now_ms()
    flags = {"active": active, "silenced": silenced, "inhibited": inhibited, "unprocessed": unprocessed}
    rows = _rows(ctx, policy, filter, receiver, receiver_matchers, **flags)
    return [alertmanager.alert(row, policy, now) for row in rows]


@router.get("/alerts/groups")
def get_alert_groups(
    ctx: Ctx,
    filter: Filters = [],  # noqa: B006
    active: Flag = True,
    silenced: Flag = True,
    inhibited: Flag = True,
    muted: Flag = True,
    receiver: str = "",
    receiver_matchers: ReceiverMatchers = [],  # noqa: B006
) -> list[dict[str, Any]]:
    """The same alerts by receiver and group."""
    policy, now = alerting.policy(ctx), now_ms()
    flags = {"active": active, "silenced": silenced, "inhibited": inhibited}
    found = alertmanager.groups(_rows(ctx, policy, filter, receiver, receiver_matchers, **flags), policy, now)
    return [one for one in found if muted or any(row["status"]["state"] != "suppressed" for row in one["alerts"])]


@router.post("/alerts")
def post_alerts(ctx: Ctx, who: Who, posted: Annotated[list[PostedAlert], Body(max_length=MOST_POSTED)]) -> Response:
    """Alerts of others, as Prometheus and amtool send them: each becomes a finding. All are taken, or none; of somebody
    with limits, those whose labels are within their groups."""
    now = now_ms()
    try:
        rows = [foreign.finding(*one.told(), ctx.settings.lane, now) for one in posted]
    except ValueError as fault:
        raise ProblemError(422, "Invalid alert", str(fault)) from None
    if why := foreign.beyond(rows, alerting.limits_of(ctx)):
        raise ProblemError(403, "Not allowed", why)
    topic = f"{ctx.settings.topic_prefix}findings"
    if news := _news(ctx, rows):
        entry = {"many": len(news), "alerts": [{name: row[name] for name in AUDITED} for row in news[:MOST_AUDITED]]}
        with ctx.records.transaction() as tx:  # before they are sent: a kill in between must leave a trace
            tx.changed(Change(now, who.name, "post", "alerts", None, entry, who.origin))
    try:
        ctx.publisher.publish([Record(topic, row["key"].encode(), orjson.dumps(row)) for row in rows])
    except PublishError as error:
        told = f"Kafka not available ({error}): none was taken, send them again."
        raise ProblemError(503, "Kafka not available", told) from error
    return Response(status_code=200)


def _news(ctx: Context, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of some findings that are new, or over by now: Prometheus says each minute what it said before. All of them
    while the store is away."""
    ids, instants = [row["id"] for row in rows], [row["deadline_ms"] for row in rows]
    try:
        stored = ctx.store.query("findings/known", lane=ctx.settings.lane, ids=ids, instants=instants, limit=len(ids))
    except StoreError:
        return rows
    known = {row["id"]: row["at_ms"] for row in stored}
    return [row for row in rows if row["id"] not in known or (row["at_ms"] is not None and known[row["id"]] is None)]


def _rows(
    ctx: Context, policy: Policy, texts: list[str], receiver: str, receiver_matchers: list[str], **wanted: bool
) -> list[dict[str, Any]]:
    matchers = matchers_of(texts)
    if matchers_of(receiver_matchers):
        return []  # receivers have no labels
    try:
        whose = alertmanager.receiver_filter(receiver)
    except ValueError as fault:
        raise ProblemError(400, "Invalid receiver", f"failed to parse receiver param: {fault}") from None
    hidden = {sort for sort, shown in wanted.items() if not shown}
    found: list[dict[str, Any]] = []
    place: dict[str, Any] = {}
    while len(found) < MOST_ALERTS:  # filtered here, since labels are made here
        rows = listed(ctx.store, states=ACTIVE, limit=MOST_ALERTS, **place)
        found += alertmanager.chosen(rows, policy, matchers, whose, hidden)
        if len(rows) < MOST_ALERTS:
            break
        place = {"resumed": 1, "after_place": rows[-1]["place"], "after_id": rows[-1]["id"]}
    return found[:MOST_ALERTS]
