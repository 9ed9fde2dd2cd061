"""Sends a notice through the channel that it names: document, words, links, and what any failure means."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiosmtplib
import httpx
import msgspec
from kafka.errors import KafkaError

from jobs.channels import browser, chats, mail, pagerduty, sms, webhook
from jobs.channels.sender import Outgoing, Result, Sender, Tools
from jobs.channels.vault import SecretError
from jobs.dispatch.records import Notify
from udfs.alerting.links import Link, url
from udfs.alerting.render.context import Addresses
from udfs.alerting.render.message import Message, render
from udfs.alerting.render.texts import RenderError
from udfs.renderer import OWN, TooMuchError, render_within

LONGEST_S = 30.0
LINK_MS = 3 * 86_400_000
HALF_TOLD = 10_000
"""Notices of which is remembered who has them already, for their next try."""

SENDERS: dict[str, Sender] = {
    "email": mail.send,
    "sms": sms.send,
    "slack": chats.send,
    "teams": chats.send,
    "pagerduty": pagerduty.send,
    "webhook": webhook.send,
    "browser": browser.send,
}

EXPECTED = (httpx.HTTPError, httpx.InvalidURL, aiosmtplib.SMTPException, OSError, KafkaError, ValueError)

log = logging.getLogger("dispatcher")


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice in words, for its channel as the document was then. `fault` is what is wrong with the channel's own
    templates, or why there is no message."""

    notice: Notify
    document: Mapping[str, Any]
    message: Message | None
    fault: str


class Outbox:
    """`documents` are alerting documents by kind and name, kept up to date by whoever reads them."""

    def __init__(self, documents: Mapping[str, Mapping[str, Any]], tools: Tools, public_url: str, secret: str) -> None:
        self.documents = documents
        self.tools = tools
        self.public_url = public_url.rstrip("/")
        self.secret = secret
        self._taken: dict[str, set[str]] = {}
        self._costly: dict[str, tuple[Mapping[str, Any], str]] = {}

    def type_of(self, channel: str) -> str:
        """The channel's type; "" if there is no such channel."""
        return str(self.documents.get(f"channel/{channel}", {}).get("type", ""))

    async def prepare(self, notice: Notify) -> Letter:
        """Put a notice into words, which may take seconds where a channel has templates of its own. Never raises."""
        document = self.documents.get(f"channel/{notice.channel}")
        if document is None:
            fault = f"there is no channel {notice.channel!r}; put one, or change who names it"
        elif document.get("type") not in SENDERS:
            fault = f"channel {notice.channel!r} is of type {document.get('type')!r}, which is unknown"
        else:
            try:
                return Letter(notice, document, *await self._message(document, notice))
            except Exception as error:
                fault = _what(error, notice)
        return Letter(notice, {}, None, fault)

    async def send(self, letter: Letter) -> Result:
        """Try once, for half a minute at most. Never raises: whatever goes wrong is a result, without secrets in it."""
        try:
            async with asyncio.timeout(LONGEST_S):
                result = await self._send(letter)
        except Exception as error:
            result = Result("failed", _what(error, letter.notice))
        return Result(result.outcome, self.tools.vault.hide(result.detail), result.status, result.wait_ms)

    async def _send(self, letter: Letter) -> Result:
        notice, document = letter.notice, letter.document
        if letter.message is None:
            return Result("failed", letter.fault)
        taken = self._taken.pop(notice.id, set())
        try:
            result = await SENDERS[document["type"]](Outgoing(document, notice, letter.message, self.tools, taken))
        finally:
            self._taken[notice.id] = taken
        if not taken or result.outcome in ("sent", "refused"):
            del self._taken[notice.id]
        if len(self._taken) > HALF_TOLD:
            del self._taken[next(iter(self._taken))]
        return Result(result.outcome, result.detail or letter.fault, result.status, result.wait_ms)

    async def _message(self, document: Mapping[str, Any], notice: Notify) -> tuple[Message, str]:
        """The message, and what is wrong with the channel's own templates: then the shipped ones tell it."""
        row = msgspec.to_builtins(notice)
        zone = str(self.documents.get(f"person/{notice.person}", {}).get("zone") or "")
        addresses = self._addresses(document, notice)
        try:
            known = self._costly.get(notice.channel)
            if known is not None and known[0] == document:  # it would cost the same seconds again
                raise RenderError(known[1])
            return await render_within(document, row, addresses, zone), ""
        except RenderError as error:
            if not any(document.get(name) for name in OWN):
                raise
            if isinstance(error, TooMuchError):
                self._costly[notice.channel] = document, str(error)
            shipped = {name: value for name, value in document.items() if name not in OWN}
            return render(shipped, row, addresses, zone), f"told in the shipped words, since {error}"

    def _addresses(self, document: Mapping[str, Any], notice: Notify) -> Addresses:
        home = f"{self.public_url}/alerts"
        episodes = {str(row["id"]): int(row.get("episode") or 1) for row in notice.alerts if row.get("id")}
        if not episodes:
            return Addresses(home)
        person = notice.person or f"channel {notice.channel}"
        expires = notice.at_ms + LINK_MS
        link = Link("ack", episodes, person, expires)
        is_brief = document.get("type") == "sms" and len(episodes) > 1  # each alert takes 30 letters of a text message
        if is_brief or len(notice.revs) > len(episodes):  # it shows some of its alerts; the link is for all
            link = Link("ack", {}, person, expires, notice.id, notice.at_ms)
        page = f"{home}/{next(iter(episodes))}" if len(episodes) == 1 else ""
        return Addresses(home, page, url(self.public_url, link, self.secret))


def _what(error: Exception, notice: Notify) -> str:
    """What went wrong, in words. A fault of ours must not stop other channels, nor lose the notice."""
    if isinstance(error, SecretError | RenderError):
        return str(error)
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if not isinstance(error, EXPECTED):
        log.error("a channel failed in a way that nobody thought of", exc_info=error, extra={"channel": notice.channel})
    return f"{type(error).__name__}: {error}"
