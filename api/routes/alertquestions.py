"""What the alerting documents say: who is on call, who would be told, what a window hides, how a message looks."""

from __future__ import annotations

import uuid
from dataclasses import asdict
from typing import Annotated, Any, Literal

from anyio import from_thread
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api import alerting
from api.actor import Who
from api.alertmodels import ACTIVE
from api.clock import now_ms
from api.context import Context, Ctx
from api.paging import MAX_LIMIT, At, PathText
from api.problems import Fault, ProblemError, documented, not_found
from api.records import documents
from api.routes.actions import Moment, Name
from api.routes.alerts import listed
from api.routes.deliveries import Sent, handed
from udfs.alerting.matchers import labels_of
from udfs.alerting.render.message import EXAMPLE
from udfs.alerting.render.texts import RenderError
from udfs.packs import alertquestions
from udfs.renderer import render_within

router = APIRouter(prefix="/api/v1", tags=["alerting"], responses=documented(401, 422, 503))
NOW = -(2**53)
Count = Annotated[int, Query(ge=1, le=100)]
SAMPLE: dict[str, Any] = {
    "id": "0" * 32,
    "lane": "main",
    "workflow": "trade_lifecycle",
    "rule": "reply",
    "kind": "missing",
    "severity": "high",
    "key": "T-123",
    "groups": {"market": "EU"},
    "step": "reply",
    "state": "open",
    "summary": "reply is missing: T-123 (EU)",
    "runbook": "",
    "hidden": 0,
}


class Shift(BaseModel):
    """A stretch in which the same people are on call; nobody, where there are none."""

    begin_ms: int
    end_ms: int | None = Field(description="null: for good")
    people: list[str]


class OnCall(BaseModel):
    """Who is on call by a schedule."""

    schedule: str
    at_ms: int
    people: list[str]


class Opening(BaseModel):
    """A stretch in which a silence or maintenance window holds."""

    id: str
    kind: Literal["silence", "maintenance"]
    begin_ms: int
    end_ms: int


class Question(BaseModel):
    """An alert by its labels, opening at an instant (default: now)."""

    model_config = ConfigDict(extra="forbid")

    labels: dict[Name, Name]
    at: Moment | None = None


class Recipient(BaseModel):
    """One who is told."""

    channel: str
    person: str
    address: str


class Told(BaseModel):
    """A step of an escalation."""

    step: int
    due_ms: int
    recipients: list[Recipient]


class Explained(BaseModel):
    """A route that the alert takes."""

    route: dict[str, Any]
    steps: list[Told]


class Explanation(BaseModel):
    """What becomes of an alert if nobody answers."""

    routes: list[Explained]
    mute: dict[str, Any] | None = Field(description="the silence or maintenance window that keeps it from being told")
    ack_ms: int
    respond_ms: int


class Draft(BaseModel):
    """A silence or maintenance window that may not be there yet."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["silence", "maintenance"]
    name: Name = "preview"
    body: dict[str, Any]
    at: Moment | None = None


class Hidden(BaseModel):
    """What a window is about."""

    alerts: list[str] = Field(description="ids of active alerts that fit, of the 1,000 that opened last")
    openings: list[Opening] = Field(description="when it holds next, 10 at most")


class Sending(BaseModel):
    """Whom a test message is for: a person, or else whoever the channel reaches by itself."""

    model_config = ConfigDict(extra="forbid")

    person: Name = ""


@router.get("/on-call", response_model=list[OnCall])
def who_is_on_call(ctx: Ctx, at: At = NOW) -> list[OnCall]:
    """Who is on call at an instant (default: now), by every schedule."""
    policy, when = alerting.policy(ctx), _instant(at)
    names = sorted(policy.on_calls)
    return [OnCall(schedule=name, at_ms=when, people=list(policy.on_call(name, when))) for name in names]


@router.get("/on-call/{schedule}", response_model=list[Shift], responses=documented(404))
def list_shifts(ctx: Ctx, schedule: PathText, at: At = NOW, count: Count = 5) -> list[Shift]:
    """The shifts of a schedule from the one at `at` on, with gaps."""
    try:
        found = alertquestions.next_shifts(alerting.policy(ctx), schedule, _instant(at), count)
    except KeyError:
        raise not_found(f"There is no on-call schedule {schedule!r}.") from None
    return [Shift(begin_ms=one.begin, end_ms=one.end, people=list(one.people)) for one in found]


@router.get("/windows", response_model=list[Opening])
def list_windows(ctx: Ctx, at: At = NOW, count: Count = 20) -> list[Opening]:
    """The silences and maintenance windows that hold at `at` (default: now), and the next that begin."""
    return [_opening(one) for one in alertquestions.next_openings(alerting.policy(ctx), _instant(at), count)]


@router.post("/alerting/explain", response_model=Explanation)
def explain(ctx: Ctx, question: Question) -> dict[str, Any]:
    """Which routes an alert takes and who is told when, as long as nobody answers."""
    when = _instant(NOW if question.at is None else question.at)
    found = alertquestions.explain(alerting.policy(ctx), question.labels, when)
    return {
        "routes": [
            {
                "route": asdict(one.route),
                "steps": [
                    {"step": told.step, "due_ms": told.due, "recipients": [who._asdict() for who in told.recipients]}
                    for told in one.steps
                ],
            }
            for one in found.routes
        ],
        "mute": found.mute._asdict() if found.mute else None,
        "ack_ms": found.ack_ms,
        "respond_ms": found.respond_ms,
    }


@router.post("/alerting/preview", response_model=Hidden)
def preview_window(ctx: Ctx, draft: Draft) -> Hidden:
    """What a silence or maintenance window would hide now, and when it holds."""
    active = listed(ctx.store, states=ACTIVE, limit=MAX_LIMIT)
    with ctx.records.reading() as connection:
        others = alerting.bodies(connection)
    labels, when = [labels_of(row) for row in active], _instant(NOW if draft.at is None else draft.at)
    try:
        fits, openings = alertquestions.preview(draft.kind, draft.name, draft.body, others, labels, when)
    except ValueError as faults:
        found = [Fault(field="body", message=line) for line in str(faults).splitlines()]
        raise ProblemError(422, "Invalid alerting document", str(faults), found) from None
    return Hidden(alerts=[active[index]["id"] for index in fits], openings=[_opening(one) for one in openings])


@router.get("/alerting/channel/{name}/preview", responses=documented(404))
def preview_message(
    ctx: Ctx, name: PathText, alert: Annotated[str, Query(description="an alert's id; default: a made-up one")] = ""
) -> dict[str, Any]:
    """How a message through a channel looks: title, text, HTML or payload; without secrets."""
    rows = ctx.store.query("alerts/some", ids=[alert]) if alert else [SAMPLE]
    if not rows:
        raise not_found(f"There is no alert {alert!r}.")
    now = _instant(NOW)
    row = {"breach_ms": now - 60_000, "opened_ms": now, "ended_ms": None, **rows[0]}
    about = {"id": "0" * 32, "at_ms": now, "reason": "opened", "lane": row["lane"], "title": row["summary"]}
    notification = {**about, "type": "notify", "alerts": [row], "count": 1, "channel": name, "dedup_key": row["id"]}
    try:
        message = from_thread.run(render_within, _channel(ctx, name), notification, EXAMPLE)
    except RenderError as fault:
        raise ProblemError(422, "Invalid template", str(fault)) from None
    return {name: value for name, value in asdict(message).items() if value}


@router.post("/alerting/channel/{name}/test", status_code=202, response_model=Sent, responses=documented(404))
def send_test(ctx: Ctx, who: Who, name: PathText, sending: Sending | None = None) -> Sent:
    """Have the dispatcher send one message with a made-up alert through a channel. 202 when it was handed over."""
    _channel(ctx, name)
    person = sending.person if sending else ""
    address = ""
    if person:
        contact = alerting.policy(ctx).people.get(person)
        if contact is None or name not in contact.addresses:
            raise ProblemError(422, "Nobody to tell", f"{person!r} can't be reached through {name!r}.")
        address = contact.addresses[name]
    record = {"type": "test", "id": uuid.uuid4().hex, "channel": name, "person": person, "address": address}
    return handed(ctx, who, record, f"channel/{name}")


def _channel(ctx: Context, name: str) -> dict[str, Any]:
    with ctx.records.reading() as connection:
        found = documents.read(connection, "channel", name)
    if found is None:
        raise not_found(f"There is no channel {name!r}.")
    return found.body


def _opening(one: alertquestions.Opening) -> Opening:
    kind: Any = one.kind
    return Opening(id=one.id, kind=kind, begin_ms=one.begin, end_ms=one.end)


def _instant(at: int) -> int:
    return now_ms() if at == NOW else at
