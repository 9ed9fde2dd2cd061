"""What a channel is handed, and what all of them share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from jobs.channels.vault import SecretError, Vault
from jobs.dispatch.outcomes import Result
from jobs.dispatch.records import Notify
from udfs.alerting.render.message import Message

__all__ = ["Outgoing", "Publish", "Result", "Sender", "Tools"]

Publish = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Tools:
    """What channels work with. `publish` writes a record for open browsers."""

    vault: Vault
    http: httpx.AsyncClient
    publish: Publish


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message on its way: the channel's document, the notice, and how it is rendered.

    `taken` are the recipients that an earlier try has reached; a channel adds to them as they take it.
    """

    document: Mapping[str, Any]
    notice: Notify
    message: Message
    tools: Tools
    taken: set[str] = field(default_factory=set)

    def setting(self, name: str, default: str | None = None) -> str:
        """A setting of the channel, found where the document says. Raises SecretError where there is none."""
        if (value := self.document.get(name)) is None and default is not None:
            return default
        return self.tools.vault.reveal(value, name)

    def recipients(self) -> list[str]:
        """Who is still to get it: of the notice's address, or else of the channel's own list. Raises SecretError for
        nobody."""
        own = self.document.get("to") or []
        found = [one.strip() for one in self.notice.address.split(",") if one.strip()]
        found = found or ([own] if isinstance(own, str) else list(own))
        if not found:
            raise SecretError(f"there is no address for {self.notice.person or 'it'}, and the channel has no `to`")
        return [one for one in found if one not in self.taken]


Sender = Callable[[Outgoing], Awaitable[Result]]
