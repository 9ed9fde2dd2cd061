"""The serving process: API, page and loader. `python -m api.main` runs it with the settings of the environment."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import uvicorn
from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response
from starlette.middleware.trustedhost import TrustedHostMiddleware

from api import problems
from api.access import audit
from api.access.guard import Guard, authorize
from api.access.oidc import Oidc
from api.access.rates import Rates
from api.access.who import Doorkeeper
from api.assets import ASK, FOR_EVER, assets
from api.context import Context
from api.listener import Listener
from api.live import Live
from api.loader import Loader
from api.logs import configure
from api.metrics import Metrics
from api.migrations import MigrationError, migrate, set_retention
from api.openapi import document
from api.publish import Publisher
from api.records.database import Records, RecordsError, url_of
from api.records.outbox import Relay
from api.refusals import Refusals
from api.routes import (
    account,
    ack,
    actions,
    alerting,
    alertmanager,
    alertmanagersilences,
    alertquestions,
    alerts,
    alertstream,
    console,
    customerlinks,
    customers,
    deliveries,
    erasures,
    events,
    findings,
    health,
    incidents,
    item,
    items,
    logs,
    maps,
    overview,
    packs,
    pages,
    rulehistory,
    rulepages,
    rules,
    rulewrites,
    signin,
    slo,
    status,
    step,
    tokenpages,
    trends,
    users,
    workflows,
)
from api.routes import audit as audit_routes
from api.rulebook import Rulebook
from api.settings import LOOPBACK, Settings, SettingsError, from_env
from api.standstill import Standstill
from api.statistics import Statistics
from api.status.cache import Cache
from api.status.page import load_page
from api.store import Store, StoreError
from api.tls import TlsError, usable
from udfs.packs.problems import PackError

log = logging.getLogger(__name__)
LOADER_STOP_S = 15.0


def create_app(settings: Settings) -> FastAPI:
    """The app, with its store and loader, which live as long as its lifespan.

    Raises SettingsError if it would serve other machines without a token, PackError for an unusable mapping, pack or
    status page, RecordsError for an unusable URL. Its lifespan raises MigrationError, StoreError or RecordsError if a
    store can't be opened.
    """
    settings.require_safe()
    store, metrics = Store(settings.store_dsn), Metrics()
    loader = Loader(store, settings, metrics) if settings.loader else None
    app = FastAPI(
        title="Daymark",
        version=version("daymark"),
        summary="What did not happen: missing, late, out of order, duplicated.",
        description="Instants are epoch ms, UTC. Lists come in pages: pass `next` as `cursor`. Errors: problem+json.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
        generate_unique_id_function=lambda route: route.name,  # operation ids: what generated clients call them
        dependencies=[Depends(authorize)],
    )
    publisher, records = Publisher(settings), Records(url_of(settings.records_url, settings.home))
    relay = Relay(records, publisher, f"{settings.topic_prefix}alerting", f"{settings.topic_prefix}rules")
    records.watchers.append(audit.append)
    doorkeeper = Doorkeeper(settings, records)
    oidc = Oidc(settings) if settings.oidc_issuer else None
    rulebook = Rulebook(settings)
    live = Live(lambda: store.inserts)
    parts = (store, publisher, loader, metrics, rulebook, records, relay, Listener(publisher, records), live)
    more = (doorkeeper, oidc, load_page(settings.status_page), Cache(), Refusals(store, settings, rulebook))
    app.state.context = Context(settings, *parts, *more)
    for subject in (logs, workflows, items, findings, events, rules, rulewrites, rulehistory, packs, health):
        app.include_router(subject.router)
    for subject in (overview, item, maps, step, trends, console, rulepages, pages):
        app.include_router(subject.router)
    for subject in (signin, account, tokenpages, users, audit_routes, erasures):
        app.include_router(subject.router)
    for subject in (alertstream, actions, alerts, deliveries, incidents, alertquestions, alerting, ack):
        app.include_router(subject.router)
    for subject in (alertmanager, alertmanagersilences, slo, status, customerlinks, customers):
        app.include_router(subject.router)
    app.mount("/static/vendor", assets(rulepages.VENDOR, FOR_EVER), name="vendor")
    app.mount("/static", assets(Path(__file__).parent / "static", ASK), name="static")
    problems.install(app)
    document.install(app)
    _measure(app, metrics)
    rates = Rates(settings.rate_limit)
    app.add_middleware(Guard, doorkeeper=doorkeeper, rates=rates, records=records, url=settings.public_url)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=settings.public_hosts, www_redirect=False)
    return app


def _prepare(ctx: Context) -> None:
    """Bring both stores to this version's schema. Raises MigrationError, StoreError or RecordsError."""
    migrate(ctx.store)
    ctx.records.migrate()
    ctx.doorkeeper.open()
    set_retention(ctx.store, ctx.settings.retention)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    ctx: Context = app.state.context
    _prepare(ctx)
    stop = threading.Event()
    thread = threading.Thread(target=ctx.loader.run, args=(stop,), name="loader", daemon=True) if ctx.loader else None
    if thread:
        thread.start()
    statistics = Statistics(ctx.store, ctx.publisher, ctx.settings)
    standstill = Standstill(ctx.store, ctx.publisher, ctx.settings, ctx.rulebook)
    looking = [
        threading.Thread(target=statistics.run, args=(stop,), name="statistics", daemon=True),
        threading.Thread(target=standstill.run, args=(stop,), name="standstill", daemon=True),
        threading.Thread(target=ctx.rulebook.run, args=(stop, ctx.publisher.reachable), name="rulebook", daemon=True),
        threading.Thread(target=ctx.relay.run, args=(stop,), name="outbox", daemon=True),
        threading.Thread(target=ctx.listener.run, args=(stop,), name="listener", daemon=True),
    ]
    for one in looking:
        one.start()
    log.info("serving", extra={"host": ctx.settings.host, "port": ctx.settings.port, "embedded": ctx.store.embedded})
    try:
        yield
    finally:
        stop.set()
        ctx.relay.wake()
        if thread:
            thread.join(LOADER_STOP_S)
        for one in looking:
            one.join(LOADER_STOP_S)
        ctx.backtests.close()
        ctx.publisher.close()
        ctx.records.close()
        ctx.store.close()
        log.info("stopped")


def _measure(app: FastAPI, metrics: Metrics) -> None:
    """Time every request under its route's template, so that keys in paths don't become labels."""

    @app.middleware("http")
    async def _timed(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        began = time.perf_counter()
        answer = await call_next(request)
        route = getattr(request.scope.get("route"), "path", "other")
        metrics.requests.labels(request.method, route, str(answer.status_code)).observe(time.perf_counter() - began)
        return answer


def main() -> int:
    """Serve until SIGTERM or SIGINT. Returns 1, after one clear line in the log, if it can't start."""
    configure()
    try:
        settings = from_env()
        configure(settings.log_level)
        app = create_app(settings)
        if settings.tls_cert and settings.tls_key:
            usable(settings.tls_cert, settings.tls_key)
        _prepare(app.state.context)  # here, not in the lifespan, whose failure uvicorn would tell with a traceback
    except (SettingsError, PackError, MigrationError, StoreError, RecordsError, TlsError) as error:
        log.critical(str(error))
        return 1
    if settings.host not in LOOPBACK and settings.tls_cert is None:
        log.warning("passwords come in the clear unless a proxy in front serves https; see DAYMARK_TLS_CERT")
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        ssl_certfile=settings.tls_cert,
        ssl_keyfile=settings.tls_key,
        timeout_graceful_shutdown=5,
    )
    server = uvicorn.Server(config)
    app.state.context.live.stopping = lambda: server.should_exit
    server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
