"""Who changed what."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from api import paging
from api.access import audit
from api.context import Ctx
from api.models import Page
from api.models.access import AuditEntry, AuditVerdict
from api.paging import Cursor, Limit, Text
from api.problems import documented
from api.templating import templates

router = APIRouter(tags=["access"], responses=documented(401, 403, 422, 503))
Head = Annotated[str, Query(pattern=r"^([0-9a-f]{64})?$", description="the last hash, as you kept it elsewhere")]


@router.get("/api/v1/audit", response_model=Page[AuditEntry], responses=documented(400))
def list_audit(
    ctx: Ctx,
    who: Text = "",
    action: Text = "",
    subject: Annotated[Text, Query(description="how it begins, such as user/")] = "",
    limit: Limit = 50,
    cursor: Cursor = "",
) -> dict[str, Any]:
    """Changes, the newest first: who, when, from where, what was before and after, place by place in `changes`."""
    before = paging.decode(cursor, ("before",), (int,))["before"]
    with ctx.records.reading() as connection:
        rows = audit.entries(connection, before=before, limit=limit + 1, who=who, action=action, subject=subject)
    return paging.page(rows, limit, lambda row: (row["id"],))


@router.get("/api/v1/audit/verification", response_model=AuditVerdict)
def verify_audit(ctx: Ctx, head: Head = "") -> dict[str, Any]:
    """Follow the chain of hashes from the first entry to the last. Keep `head` elsewhere: it shows later whether
    entries were cut off at the end."""
    with ctx.records.reading() as connection:
        verdict = audit.verify(connection, head)
    return {"intact": not verdict.fault, **vars(verdict)}


@router.get("/audit", response_class=HTMLResponse, include_in_schema=False)
def audit_page(request: Request, ctx: Ctx, who: Text = "", subject: Text = "", cursor: Cursor = "") -> Response:
    """The audit as a page."""
    before = paging.decode(cursor, ("before",), (int,))["before"]
    with ctx.records.reading() as connection:
        rows = audit.entries(connection, before=before, limit=101, who=who, subject=subject)
    about = paging.page(rows, 100, lambda row: (row["id"],)) | {"who": who, "subject": subject}
    return templates.TemplateResponse(request, "audit.html", about)
