"""What people do to alerts: acknowledge, suppress, resolve and so on, one or many at once; and what became of it."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from api.actions import Outcome, act, outcome_of, within_limits
from api.actor import Who
from api.context import Ctx
from api.paging import PathText, instant, plain_text
from api.problems import ProblemError, documented, not_found

router = APIRouter(prefix="/api/v1", tags=["alerts"], responses=documented(401, 422, 503))
MOST_ALERTS = 10_000
Kind = Literal["ack", "unack", "suppress", "unsuppress", "resolve", "comment", "assign", "escalate"]
Said = Annotated[str, AfterValidator(plain_text), Field(max_length=10_000)]
Name = Annotated[str, AfterValidator(plain_text), Field(max_length=256)]
Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
Moment = Annotated[int, BeforeValidator(instant, json_schema_input_type=int | str), Field(ge=0, lt=1 << 53)]
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "daymark.action")
Key = Annotated[
    str | None,
    Header(alias="Idempotency-Key", max_length=256, description="what is sent twice with the same key is done once"),
]


def _new_id(request: Request, who: Who, key: Key = None) -> str:
    """The id of the action that a request asks for: the same at each request of somebody with the same key."""
    if not key:
        return str(uuid.uuid4())
    return str(uuid.uuid5(NAMESPACE, "\n".join((who.account or who.name, request.url.path, key))))


NewId = Annotated[str, Depends(_new_id)]


class Doing(BaseModel):
    """What goes with an action. `until` ends an acknowledgement or a suppression: epoch ms, or ISO 8601 with a zone."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"why": "the bank is on it", "until": "2026-03-02T10:00:00Z"}]}
    )

    why: Said = ""
    until: Moment | None = None
    assignee: Name = ""
    text: Said = ""

    def fields(self) -> dict[str, Any]:
        """As fields of the action record."""
        return {"why": self.why, "until_ms": self.until, "assignee": self.assignee, "text": self.text}


class Bulk(Doing):
    """One action on many alerts."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"kind": "ack", "alerts": ["0" * 32], "why": "one outage, all the same"}]}
    )

    kind: Kind
    alerts: Annotated[list[Id], Field(min_length=1, max_length=MOST_ALERTS)]

    @model_validator(mode="after")
    def _whole(self) -> Bulk:
        require(self.kind, self)
        return self


class Changed(BaseModel):
    """An alert as an action left it."""

    model_config = ConfigDict(extra="ignore")

    id: str
    state: str
    rev: int


class Answer(BaseModel):
    """What became of an action."""

    id: str = Field(description="of the action; ask for it at /api/v1/actions/{id}")
    outcome: Literal["applied", "refused", "pending"] = Field(description="pending: the alert job has not answered yet")
    detail: str
    alerts: list[Changed]
    at_ms: int | None = Field(description="when it was applied, in the time of the alert job")


def require(kind: str, doing: Doing) -> None:
    """Raises ValueError if an action lacks what it can't do without."""
    lacking = {"comment": ("text", doing.text), "suppress": ("until", doing.until)}
    name, value = lacking.get(kind, ("", "-"))
    if value in ("", None):
        raise ValueError(f"{kind} needs `{name}`")


def answered(outcome: Outcome, response: Response) -> Answer:
    """The outcome for the client: 200 where it is applied, 202 and where to ask while it is pending.

    Raises a 409 problem where the job refused it.
    """
    said = outcome.answer
    if said is None:
        response.status_code = 202
        response.headers["Location"] = f"/api/v1/actions/{outcome.id}"
        detail = "The alert job has not answered yet; the action is kept until it does. Ask at the place in Location."
        return Answer(id=outcome.id, outcome="pending", detail=detail, alerts=[], at_ms=None)
    detail = str(said.get("detail", ""))
    if outcome.refused:
        raise ProblemError(409, "Action refused", detail or "The alert job refused it and gave no reason.")
    alerts = [Changed.model_validate(row) for row in said.get("alerts", [])]
    return Answer(id=outcome.id, outcome="applied", detail=detail, alerts=alerts, at_ms=said.get("at_ms"))


@router.post("/alerts/actions", response_model=Answer, responses={202: {"model": Answer}, **documented(404, 409)})
async def act_on_many(ctx: Ctx, who: Who, response: Response, bulk: Bulk, new: NewId) -> Answer:
    """The same action on up to 10,000 alerts. It is refused where it fits none of them; `detail` says which it left
    out. For somebody with limits it is done to what is inside of them, and 404 where that is nothing."""
    asked = list(dict.fromkeys(bulk.alerts))
    alerts = await within_limits(ctx, asked)
    if not alerts:
        raise not_found(f"None of these {len(asked)} alerts is there.")
    outcome = await act(ctx, who, new, bulk.kind, alerts=alerts, **bulk.fields())
    answer = answered(outcome, response)
    if left := len(asked) - len(alerts):
        answer.detail = " ".join(filter(None, (answer.detail, f"{left} of {len(asked)} alerts are not there.")))
    return answer


@router.post("/alerts/{id}/{kind}", response_model=Answer, responses={202: {"model": Answer}, **documented(404, 409)})
async def act_on_one(
    ctx: Ctx, who: Who, response: Response, id: Id, kind: Kind, new: NewId, doing: Doing | None = None
) -> Answer:
    """Acknowledge an alert, and so on. Answers when the alert job has done it: once an acknowledgement is applied,
    nobody is told of the alert any more. 202 if the job doesn't answer in time, 409 if it refuses; 404 to somebody with
    limits for an alert outside of them."""
    doing = doing or Doing()
    try:
        require(kind, doing)
    except ValueError as fault:
        raise ProblemError(422, "Invalid action", f"{fault}.") from None
    if not await within_limits(ctx, [id]):
        raise not_found(f"There is no alert {id!r}.")
    outcome = await act(ctx, who, new, kind, alerts=[id], **doing.fields())
    return answered(outcome, response)


@router.get("/actions/{id}", response_model=Answer, responses={202: {"model": Answer}, **documented(404, 409)})
async def get_action(ctx: Ctx, response: Response, id: PathText) -> Answer:
    """What became of an action of the last week: 202 while the alert job has not answered it, 409 if it refused, 404
    for one that nobody sent, or that is about alerts which you don't see."""
    known = await outcome_of(ctx, id)
    about = [row["id"] for row in (known.answer or {}).get("alerts", [])] if known else []
    if known is None or len(await within_limits(ctx, about)) < len(about):
        raise not_found(f"Nobody has sent an action {id!r} within the last week.")
    return answered(known, response)
