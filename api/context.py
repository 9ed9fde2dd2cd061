"""What a request needs of the process: made once in `main.create_app`, found through the app."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

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


def context_of(request: Request) -> Context:
    """The context of the app that a request came to."""
    context: Context = request.app.state.context
    return context


Ctx = Annotated[Context, Depends(context_of)]
