"""What a request needs of the process: made once in `main.create_app`, found through the app."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from fastapi import Depends, Request

from api.access.oidc import Oidc
from api.access.rows import seen_by
from api.access.who import Doorkeeper
from api.listener import Listener
from api.loader import Loader
from api.metrics import Metrics
from api.publish import Publisher
from api.records.database import Records
from api.records.outbox import Relay
from api.rulebook import Rulebook
from api.settings import Settings
from api.store import Store


@dataclass(frozen=True)
class Context:
    """The parts of the serving process."""

    settings: Settings
    store: Store
    publisher: Publisher
    loader: Loader | None
    metrics: Metrics
    rulebook: Rulebook
    records: Records
    relay: Relay
    listener: Listener
    doorkeeper: Doorkeeper
    oidc: Oidc | None


def context_of(request: Request) -> Context:
    """The context of the app that a request came to, with the store as whoever asks may see it."""
    context: Context = request.app.state.context
    who = request.state.who
    return replace(context, store=seen_by(context.store, who.permissions.limits)) if who else context


Ctx = Annotated[Context, Depends(context_of)]
