"""Items, one by one and page by page."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from api import paging, views
from api.context import Ctx
from api.models import Item, ItemDetail, Page
from api.paging import FAR, At, Cursor, GroupFilter, Limit, PathText, Text
from api.problems import documented, not_found
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
    """The story of an item's run: its steps with their records, its deadlines, pending and broken, and its findings.

    A key may be in several lanes (`lanes`); without `lane` the one with the latest news answers. A key that
    came again has several runs (`runs`): without `run`, which is any instant of the one wanted, the newest answers.
    """
    found = views.item(ctx.store, workflow, key, lane, ctx.settings.stale_after_s, at_ms=run)
    if found is None:
        where = f" in lane {lane!r}" * bool(lane) + f" under way at {run}" * (run != FAR)
        raise not_found(f"No item {key!r} of the workflow {workflow!r}{where}.")
    for finding in found["findings"]:
        finding["text"] = sentence(finding, found["now_ms"])
    return found
