"""What was found."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from api import paging
from api.context import Ctx
from api.models import Finding, FindingCount, Page
from api.paging import FAR, MAX_LIMIT, Cursor, GroupFilter, Limit, Most, Since, Text, Until
from api.problems import documented
from api.words import sentence

router = APIRouter(prefix="/api/v1", tags=["findings"], responses=documented(401, 422, 503))
Severity = Annotated[Literal["", "critical", "high", "medium", "low"], Query()]
AFTER = ("after_ms", "after_lane", "after_id")


@router.get("/findings", response_model=Page[Finding], responses=documented(400))
def list_findings(
    ctx: Ctx,
    workflow: Text = "",
    lane: Text = "",
    kind: Annotated[Text, Query(examples=["missing"])] = "",
    rule: Annotated[Text, Query(description="a deadline's id, `order` or `duplicates`")] = "",
    severity: Severity = "",
    step: Text = "",
    key: Text = "",
    group: GroupFilter = "",
    since: Since = -FAR,
    until: Until = FAR,
    limit: Limit = 50,
    cursor: Cursor = "",
) -> dict[str, Any]:
    """Findings that fit all filters, the latest deadline first. `since` and `until` are about the deadline."""
    rows = ctx.store.query(
        "findings/list",
        workflow=workflow,
        lane=lane,
        kind=kind,
        rule=rule,
        severity=severity,
        step=step,
        key=key,
        since_ms=since,
        until_ms=until,
        limit=limit + 1,
        **paging.split_group(group),
        **paging.decode(cursor, AFTER, (int, str, str)),
    )
    for row in rows:
        row["text"] = sentence(row)
    return paging.page(rows, limit, lambda row: (row["deadline_ms"], row["lane"], row["id"]))


@router.get("/findings/counts", response_model=list[FindingCount])
def count_findings(
    ctx: Ctx,
    response: Response,
    workflow: Text = "",
    lane: Text = "",
    group: Annotated[Text, Query(description="count by the values of this group")] = "",
    since: Since = -FAR,
    until: Until = FAR,
    limit: Most = MAX_LIMIT,
) -> list[dict[str, Any]]:
    """Findings by lane, workflow, rule, kind and severity."""
    where = {"workflow": workflow, "lane": lane, "group": group, "since_ms": since, "until_ms": until}
    return paging.cut(ctx.store.query("findings/counts", **where, limit=limit + 1), limit, response)
