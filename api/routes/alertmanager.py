"""Alertmanager's API v2, so that amtool, Karma and Grafana work. Errors are JSON texts here, as they expect them.

What it can't say is at /api/v1: acknowledgements, incidents, maintenance windows, who is on call.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Coroutine
from datetime import datetime
from importlib.metadata import version
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from api import alerting, alertmanager, foreign
from api.actor import Actor, Who
from api.alertmodels import ACTIVE
from api.clock import now_ms
from api.context import Context, Ctx
from api.paging import plain_text
from api.problems import ProblemError
from api.publish import PublishError, Record
from api.records import documents
from api.records.documents import Document
from api.routes.alerts import listed
from udfs.alerting.matchers import Matcher
from udfs.alerting.policy import Policy
from udfs.packs.alertmodel import NOBODY

MOST_ALERTS = 10_000
MOST_POSTED = 1_000
LabelName = Annotated[str, Field(min_length=1, max_length=256)]
LabelValue = Annotated[str, AfterValidator(plain_text), Field(max_length=4_096)]
KEPT_MS = 5 * 86_400_000  # a silence that has ended is shown for so long, as Alertmanager does
STARTED = now_ms()
Filters = Annotated[list[str], Query(alias="filter", description='such as alertname="reply"; all must fit')]
ReceiverMatchers = Annotated[list[str], Query(description="receivers have no labels here")]
Flag = Annotated[bool, Query()]


class _Route(APIRoute):
    """Turns what is wrong into a JSON text."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def handle(request: Request) -> Response:
            try:
                return await handler(request)
            except RequestValidationError as error:
                told = "; ".join(f"{'.'.join(map(str, e['loc'][1:]))}: {e['msg']}" for e in error.errors())
                return JSONResponse(told, 400)
            except ProblemError as error:
                problem = error.problem
                return JSONResponse(problem.detail, 400 if problem.status in (413, 422) else problem.status)

        return handle


router = APIRouter(prefix="/api/v2", tags=["alertmanager"], route_class=_Route)


class PostedMatcher(BaseModel):
    """On one label."""

    name: Annotated[str, Field(min_length=1, max_length=256)]
    value: Annotated[str, Field(max_length=4_096)]
    isRegex: bool
    isEqual: bool = True


class PostedSilence(BaseModel):
    """With an id it changes a silence, without one it is new."""

    model_config = ConfigDict(extra="ignore")

    id: Annotated[str, Field(max_length=64)] = ""
    matchers: Annotated[list[PostedMatcher], Field(min_length=1, max_length=100)]
    startsAt: AwareDatetime
    endsAt: AwareDatetime
    createdBy: Annotated[str, Field(max_length=256)]
    comment: Annotated[str, Field(max_length=10_000)]


class PostedAlert(BaseModel):
    """Somebody else's alert. Without an end, or with one to come, it goes on."""

    model_config = ConfigDict(extra="ignore")

    labels: Annotated[dict[LabelName, LabelValue], Field(min_length=1, max_length=64)]
    annotations: Annotated[dict[LabelName, LabelValue], Field(max_length=64)] = {}
    startsAt: AwareDatetime | None = None
    endsAt: AwareDatetime | None = None

    def told(self) -> tuple[dict[str, str], dict[str, str], int | None, int | None]:
        """Labels, annotations, begin and end (epoch ms); the year 1 is how Go writes no instant."""
        begin, end = (None if one is None or one.year == 1 else _ms(one) for one in (self.startsAt, self.endsAt))
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
    if _matchers(receiver_matchers):
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
    try:
        ctx.publisher.publish([Record(topic, row["key"].encode(), orjson.dumps(row)) for row in rows])
    except PublishError as error:
        told = f"Kafka not available ({error}): none was taken, send them again."
        raise ProblemError(503, "Kafka not available", told) from error
    return Response(status_code=200)


@router.get("/silences")
def get_silences(
    ctx: Ctx,
    filter: Filters = [],  # noqa: B006
    active: Flag = True,
    expired: Flag = True,
    pending: Flag = True,
) -> list[dict[str, Any]]:
    """The silences, those in force first."""
    asked = [state for state, wanted in (("active", active), ("expired", expired), ("pending", pending)) if wanted]
    matchers, now = _matchers(filter), now_ms()
    with ctx.records.reading() as connection:
        found = [_shown(one, now) for one in alerting.seen(ctx, documents.listed(connection, "silence"))]
    return alertmanager.in_order(
        one for one in found if one["status"]["state"] in asked and alertmanager.has(one, matchers)
    )


@router.post("/silences")
def post_silence(ctx: Ctx, who: Who, said: PostedSilence) -> dict[str, str]:
    """Make a silence, or change one. Where its matchers change, or it has ended, it becomes another one."""
    now = now_ms()
    begin, end = max(_ms(said.startsAt), now), _ms(said.endsAt)
    if end <= now:
        raise ProblemError(422, "Invalid silence", "Failed to create silence: end time can't be in the past")
    if begin >= end:
        raise ProblemError(422, "Invalid silence", "Failed to create silence: start time must be before end time")
    try:
        body = alertmanager.body_of_silence(said.model_dump(), begin, end)
    except ValueError as fault:
        raise ProblemError(422, "Invalid silence", str(fault)) from None
    body = alerting.within_limits(ctx, body)
    known = _silence(ctx, said.id) if said.id else None
    if known and known.body["match"] == body["match"] and _state(known, now) != "expired":
        began = alertmanager.span(known.body)[0]
        if began <= now:
            body["from"] = known.body["from"]  # when it began is history
        alerting.put(ctx, who, "silence", said.id, body, known.version)
        return {"silenceID": said.id}
    name = str(uuid.uuid4())
    alerting.put(ctx, who, "silence", name, body, 0)
    if known:
        _expire(ctx, who, known, now)
    _sweep(ctx, who, now)
    return {"silenceID": name}


@router.get("/silence/{id}")
def get_silence(ctx: Ctx, id: str) -> dict[str, Any]:
    """One silence."""
    return _shown(_silence(ctx, id), now_ms())


@router.delete("/silence/{id}")
def delete_silence(ctx: Ctx, who: Who, id: str) -> Response:
    """End a silence. It is shown as expired for five days more."""
    _expire(ctx, who, _silence(ctx, id), now_ms())
    return Response(status_code=200)


def _rows(
    ctx: Context, policy: Policy, texts: list[str], receiver: str, receiver_matchers: list[str], **wanted: bool
) -> list[dict[str, Any]]:
    matchers = _matchers(texts)
    if _matchers(receiver_matchers):
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


def _matchers(texts: list[str]) -> tuple[Matcher, ...]:
    """Raises a 400 problem if one is no matcher."""
    try:
        return alertmanager.filters(texts)
    except ValueError as fault:
        raise ProblemError(400, "Invalid matcher", str(fault)) from None


def _silence(ctx: Context, name: str) -> Document:
    with ctx.records.reading() as connection:
        found = documents.read(connection, "silence", name)
    if found is None or not alerting.seen(ctx, [found]):
        raise ProblemError(404, "Not found", f"silence {name} not found")
    return found


def _expire(ctx: Context, actor: Actor, known: Document, now: int) -> None:
    """Let it end now; one that was to come never holds."""
    begin, end = alertmanager.span(known.body)
    if end > now:
        ended = {**known.body, "from": alertmanager.stamp(min(begin, now - 1)), "until": alertmanager.stamp(now)}
        alerting.put(ctx, actor, "silence", known.name, ended, known.version)


def _sweep(ctx: Context, actor: Actor, now: int) -> None:
    """Delete the silences that ended long ago, of whatever origin (of those that whoever asks sees): their versions
    stay."""
    with ctx.records.reading() as connection:
        known = alerting.seen(ctx, documents.listed(connection, "silence"))
    old = [one for one in known if alertmanager.span(one.body)[1] < now - KEPT_MS]
    for one in old:
        alerting.remove(ctx, actor, one.kind, one.name, alerting.ANY)


def _shown(one: Document, now: int) -> dict[str, Any]:
    return alertmanager.silence(one.name, one.body, one.updated_ms, now)


def _state(one: Document, now: int) -> str:
    return str(_shown(one, now)["status"]["state"])


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
