"""What a request needs of the process: made once in `main.create_app`, found through the app."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.responses import StreamingResponse
from sqlalchemy.exc import SQLAlchemyError

from api.access.oidc import Oidc
from api.access.rows import seen_by
from api.access.who import Doorkeeper, Who
from api.backtests import Backtests
from api.clock import now_ms
from api.listener import Listener
from api.live import Live, Render
from api.loader import Loader
from api.metrics import Metrics
from api.publish import Publisher
from api.records.database import Change, Records
from api.records.outbox import Relay
from api.refusals import Refusals
from api.rulebook import Rulebook
from api.settings import Settings
from api.status.cache import Cache
from api.status.page import StatusPage
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
    live: Live
    doorkeeper: Doorkeeper
    oidc: Oidc | None
    page: StatusPage
    cache: Cache
    refusals: Refusals
    who: Who | None = None
    backtests: Backtests = field(default_factory=Backtests)
    request: Request | None = None

    def change(self, action: str, subject: str, before: Any = None, after: Any = None) -> Change:
        """A change that whoever asks makes now, for `Transaction.changed` and with it for the audit."""
        name, address = (self.who.name, self.who.address) if self.who else ("", "")
        return Change(now_ms(), name, action, subject, before, after, address)

    def watch(self, name: tuple[Hashable, ...], render: Render) -> StreamingResponse:
        """A live screen, shared by all who watch the same one and may see the same of it."""
        limits = self.who.permissions.limits if self.who else ""
        return self.live.stream((*name, repr(limits)), render, self.still_let_in, self.account)

    @property
    def account(self) -> str:
        """What tells whoever asks from everybody else, whatever they are called."""
        return self.who.account if self.who else ""

    def still_let_in(self) -> bool:
        """Whether who began a request that is still open may do what they might then: they are signed in, or their
        token holds, and nobody has changed what they may. While that can't be told it stays as it was."""
        if self.who is None or self.request is None:
            return True
        try:
            now = self.doorkeeper.who(self.request)
        except SQLAlchemyError:
            return True
        return now is not None and (now.account, now.permissions) == (self.who.account, self.who.permissions)


def context_of(request: Request) -> Context:
    """The context of the app that a request came to, with the store as whoever asks may see it."""
    context: Context = request.app.state.context
    who = request.state.who
    if who is None:
        return context
    return replace(context, who=who, request=request, store=seen_by(context.store, who.permissions.limits))


Ctx = Annotated[Context, Depends(context_of)]


def public_context(request: Request) -> Context:
    """The context for what is the same for everybody who asks: whoever is signed in sees no less of it."""
    context: Context = request.app.state.context
    return context


PublicCtx = Annotated[Context, Depends(public_context)]
