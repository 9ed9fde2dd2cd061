"""Items, one by one and page by page."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from api import paging
from api.context import Ctx
from api.models import Item, Page
from api.models.stories import ItemDetail
from api.paging import FAR, At, Cursor, GroupFilter, Limit, PathText, Text
from api.problems import documented, not_found
from api.routes.item import story
from api.words import sentence

router = APIRouter(prefix="/api/v1", tags=["items"], responses=documented(401, 422, 503))
Sort = Annotated[
    Literal["updated", "started", "due"],
    Query(description="updated, started: the latest first; due: the next deadline first"),
]
Status = Annotated[Literal["", "in_flight", "completed", "failed", "expired", "closed"], Query()]


@router.get("/items", response_model=Page[Item], responses=documented(400))
def list_items(
    ctx: Ctx,
    workflow: Text = "",
    lane: Text = "",
    status: Status = "",
    step: Text = "",
    key: Annotated[Text, Query(description="how the key begins")] = "",
    group: GroupFilter = "",
    has_findings: bool | None = None,
    sort: Sort = "updated",
    limit: Limit = 50,
    cursor: Cursor = "",
) -> dict[str, Any]:
    """Items that fit all filters; each run of a key is a row."""
    rows = ctx.store.query(
        "items/list",
        workflow=workflow,
        lane=lane,
        status=status,
        step=step,
        key_prefix=key,
        has_findings=-1 if has_findings is None else int(has_findings),
        sort=sort,
        limit=limit + 1,
        **paging.split_group(group),
        **paging.after_item(cursor),
    )
    return paging.page_of_items(rows, limit)


@router.get("/items/{workflow}/{key:key}", response_model=ItemDetail, responses=documented(404))
def get_item(ctx: Ctx, workflow: PathText, key: PathText, lane: Text = "", run: At = FAR) -> dict[str, Any]:
    """The story of an item's run: its steps with their records, its deadlines, pending and broken, its findings with
    the rule and the event that each is due to, its alerts, its other keys, and the items that these lead to.

    A key may be in several lanes (`lanes`); without `lane` the one with the latest news answers. A key that
    came again has several runs (`runs`): without `run`, which is any instant of the one wanted, the newest answers.
    """
    told = story(ctx, workflow, key, lane, run)
    if told is None:
        where = f" in lane {lane!r}" * bool(lane) + f" under way at {run}" * (run != FAR)
        raise not_found(f"No item {key!r} of the workflow {workflow!r}{where}.")
    found: dict[str, Any] = told["item"]
    records = [hop for hop in found["timeline"] if hop["event"]]
    for finding in found["findings"]:
        why = told["why"][finding["id"]]
        finding["text"] = sentence(finding, found["now_ms"])
        finding["why"] = {**why, "started_by": records[why["started"] - 1]["event_id"] if why["started"] else ""}
    aliases = [{"name": name, "value": value} for name, value in found["aliases"]]
    return {**found, "aliases": aliases, "alerts": told["alerts"]}
