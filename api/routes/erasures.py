"""Erasing what is known of a person."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from api.access import audit, erasure
from api.access.erased import EVENT, KEY, VALUE, digest
from api.access.who import Who
from api.clock import now_ms
from api.context import Ctx
from api.models.access import Erased, ErasedNow
from api.problems import documented
from api.records.database import Change

router = APIRouter(prefix="/api/v1", tags=["access"], responses=documented(401, 403, 422, 503))


def _said(value: str) -> str:
    if value and (len(value.strip()) < 3 or "\0" in value):
        raise ValueError("give at least 3 characters: a shorter one would fit too much")
    return value


NOTHING = (
    "No row was found. It is erased as it is written, letter for letter; if the mapping hashes the field, the serving "
    "process needs the job's DAYMARK_PII_KEY. What comes from Kafka from now on is left out all the same."
)
Said = Annotated[str, AfterValidator(_said), Field(max_length=1024)]


class Erasure(BaseModel):
    """What to erase: all of an item's key, or all that holds a value, such as an e-mail address. One of the two."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"key": "C-1029", "why": "request 77"}]})

    key: Said = ""
    value: Said = ""
    why: Annotated[str, Field(max_length=500, description="for the audit; don't name the person here")] = ""

    @model_validator(mode="after")
    def _one(self) -> Erasure:
        if bool(self.key) == bool(self.value):
            raise ValueError("give `key` or `value`, one of the two")
        return self


@router.post("/erasures", status_code=201, response_model=ErasedNow)
def erase(request: Request, ctx: Ctx, wanted: Erasure) -> dict[str, Any]:
    """Erase a person's events, items, moves, findings, alerts and unreadable records, for good: what Kafka still holds
    is left out when it is read again. With a key go the other keys of its item that lead to nothing else (`also`). In
    what people wrote on alerts and incidents, in records about others, and in the audit, the text is replaced. The
    audit is told a digest, not what was erased."""
    who: Who = request.state.who
    kind, value = (KEY, wanted.key) if wanted.key else (VALUE, wanted.value)
    number, at_ms = digest(value), now_ms()
    about = f"erasure/{kind}/{number[:16]}"
    with ctx.records.transaction() as tx:  # before: killed half-way, the audit says that it was begun
        tx.changed(Change(at_ms, who.name, "erase", about, None, {"why": wanted.why, "state": "begun"}, who.address))
    gone = erasure.erase(ctx.store, kind, value, ctx.settings.pii_key.encode(), at_ms)
    also, shared = gone.together.also, gone.together.shared
    with ctx.records.transaction() as tx:
        redacted = audit.redactions(tx.connection, erasure.redact(tx, gone.values))
        told = {"why": wanted.why, "state": "done", "rows": gone.rows, "also": len(also), "redacted": redacted}
        tx.changed(Change(now_ms(), who.name, "erase", about, None, told, who.address))
    told = {"kind": kind, "digest": number, "at_ms": at_ms, "rows": gone.rows, "redacted": len(redacted)}
    return told | {"also": also, "shared": shared, "note": "" if any(gone.rows.values()) else NOTHING}


@router.get("/erasures", response_model=list[Erased])
def list_erasures(ctx: Ctx) -> list[dict[str, Any]]:
    """What was erased, as digests, the newest first."""
    return [row for row in ctx.store.query("erasures/list") if row["kind"] != EVENT]
