"""Links with which a customer sees their figures without signing in: made, listed, renewed, taken back."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from api import customerlinks
from api.clock import now_ms
from api.context import Ctx
from api.customerlinks import CustomerLink
from api.levels import DAY_MS
from api.paging import PathText
from api.problems import documented, not_found
from api.routes.customers import figures

PLACE = "/api/v1/customers/{group}/{value:key}/links"
router = APIRouter(tags=["customers"], responses=documented(401, 403, 422, 503))
Id = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]


class LinkFor(BaseModel):
    """How long a link counts."""

    model_config = ConfigDict(extra="forbid")

    days: Annotated[int, Field(ge=1, le=400)] = 90


class MadeLink(BaseModel):
    """A link with its token, which is shown this once."""

    id: str
    token: str
    expires_ms: int
    json_path: str
    badge_path: str


class Link(BaseModel):
    """A link as it is listed."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    made_by: str
    made_ms: int
    expires_ms: int


@router.post(PLACE, status_code=201, response_model=MadeLink, responses=documented(404))
def create_customer_link(ctx: Ctx, group: PathText, value: PathText, body: LinkFor) -> MadeLink:
    """A token with which a customer sees these figures, as JSON and as a badge, without signing in."""
    figures(ctx, group, value, 1)
    now, who = now_ms(), ctx.who.name if ctx.who else ""
    with ctx.records.transaction() as tx:
        link, token = customerlinks.make(tx, group, value, who, now, now + body.days * DAY_MS)
        tx.changed(ctx.change("put", _subject(link), None, _told(link)))
    return _made(link, token)


@router.get(PLACE, response_model=list[Link])
def list_customer_links(ctx: Ctx, group: PathText, value: PathText) -> list[CustomerLink]:
    """The links of a customer that count now, without their tokens, the newest first."""
    with ctx.records.reading() as connection:
        return customerlinks.listed(connection, group, value, now_ms())


@router.post(f"{PLACE}/{{id}}/rotation", status_code=201, response_model=MadeLink, responses=documented(404))
def rotate_customer_link(ctx: Ctx, group: PathText, value: PathText, id: Id) -> MadeLink:
    """Another token for a link; the one before shows nothing any more. To let both count for a while make a second
    link, and take the first one back later."""
    with ctx.records.transaction() as tx:
        found = customerlinks.rotate(tx, group, value, id, now_ms())
        if found is None:
            raise not_found(_MISSING)
        tx.changed(ctx.change("rotate", _subject(found[0]), None, _told(found[0])))
    return _made(*found)


@router.delete(f"{PLACE}/{{id}}", status_code=204, response_class=Response, responses=documented(404))
def revoke_customer_link(ctx: Ctx, group: PathText, value: PathText, id: Id) -> Response:
    """Take a link back: its token shows nothing from now on. Others go on."""
    with ctx.records.transaction() as tx:
        link = customerlinks.revoke(tx, group, value, id, now_ms())
        if link is None:
            raise not_found(_MISSING)
        tx.changed(ctx.change("delete", _subject(link), _told(link), None))
    return Response(status_code=204)


_MISSING = "There is no such link of this customer, or it has expired."


def _made(link: CustomerLink, token: str) -> MadeLink:
    return MadeLink(
        id=link.id,
        token=token,
        expires_ms=link.expires_ms,
        json_path=f"/api/v1/public/customers/{quote(token, safe='')}",
        badge_path=f"/status/customers/{quote(token, safe='')}.svg",
    )


def _subject(link: CustomerLink) -> str:
    return f"customer-link/{link.group}:{link.value}/{link.id}"


def _told(link: CustomerLink) -> dict[str, int]:
    return {"expires_ms": link.expires_ms}
