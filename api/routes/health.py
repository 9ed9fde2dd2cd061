"""For machines that watch this process."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from api import views
from api.context import Context, Ctx
from api.metrics import StoreMetrics
from api.models import Readiness
from api.paging import FAR
from api.problems import ProblemError, documented
from api.store import StoreError

router = APIRouter(tags=["health"])


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """The process runs."""
    return {"status": "ok"}


@router.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}})
def readyz(ctx: Ctx) -> Response:
    """Whether the stores, Kafka and the loader do their work; 503 and a word for each while one does not. Who is
    signed in is told more."""
    parts = {
        "store": (ctx.store.alive(), "ok", "ClickHouse does not answer"),
        "kafka": (ctx.publisher.reachable(), "ok", f"nothing accepts connections at {ctx.settings.kafka}"),
    }
    parts["records"] = (_waiting(ctx) is not None, "ok", "the relational store does not answer")
    if ctx.loader is not None:
        parts["loader"] = (ctx.loader.working, ctx.loader.state, ctx.loader.state)
    ready = all(fine for fine, _, _ in parts.values())
    words = {name: good if fine else bad for name, (fine, good, bad) in parts.items()}
    if ctx.who is None:  # where things are is nobody's business who isn't signed in
        words = {name: "ok" if fine else "does not answer" for name, (fine, _, _) in parts.items()}
    return JSONResponse({"ready": ready, "parts": words}, 200 if ready else 503)


@router.get("/metrics", responses=documented(403))
def metrics(ctx: Ctx) -> Response:
    """Prometheus metrics: of all tenants at once."""
    if ctx.who is not None and ctx.who.permissions.limits:
        raise ProblemError(403, "Not allowed", "You are limited to some workflows or groups; this counts all of them.")
    waiting = _waiting(ctx)
    if waiting is not None:
        ctx.metrics.outbox.set(waiting)
    text = generate_latest(ctx.metrics.registry) + generate_latest(_stored(ctx))
    return Response(text, media_type=CONTENT_TYPE_LATEST)


def _waiting(ctx: Context) -> int | None:
    """How many records wait in the outbox; None if the relational store does not answer."""
    try:
        return ctx.relay.waiting()
    except SQLAlchemyError:
        return None


def _stored(ctx: Context) -> CollectorRegistry:
    """What the store says, empty while it does not answer. Each scrape has its own: those of two at once don't mix."""
    stored = StoreMetrics()
    try:
        for row in ctx.store.query(
            "findings/counts", lane="", workflow="", group="", since_ms=-FAR, until_ms=FAR, limit=views.ALL
        ):
            labels = (row["lane"], row["workflow"], row["kind"], row["severity"])
            stored.findings.labels(*labels).inc(row["findings"])
        for lane in views.lanes(ctx.store, ctx.settings.stale_after_s):
            stored.lane_age.labels(lane["lane"]).set(_age_s(lane))
    except StoreError:
        return CollectorRegistry()
    return stored.registry


def _age_s(lane: dict[str, Any]) -> float:
    return max(0.0, time.time() - float(lane["moved_ms"]) / 1000)
