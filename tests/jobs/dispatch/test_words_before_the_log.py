"""An action that is applied while a message is put into words is honoured: the log is read to its end behind that."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from jobs.channels import outbox as outbox_module
from jobs.channels.outbox import Outbox
from jobs.channels.sender import Tools
from jobs.channels.vault import Vault
from jobs.dispatch.dispatcher import Dispatcher
from jobs.dispatch.metrics import DispatcherMetrics
from jobs.dispatch.records import Halt
from tests.jobs.dispatch.steps import notice
from tests.jobs.receivers import Answer, HttpReceiver, http_receiver
from udfs.renderer import render_within


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver(lambda _: Answer()) as found:
        yield found


class Rows:
    """Stands for the writer: keeps what is written."""

    def __init__(self) -> None:
        self.found: list[dict[str, Any]] = []

    async def write(self, _topic: str, _key: str, value: bytes) -> None:
        self.found.append(json.loads(value))


def deliver(monkeypatch: pytest.MonkeyPatch, receiver: HttpReceiver, *halts: dict[str, int]) -> list[dict[str, Any]]:
    """The rows of a notice about `a` and `b`, while each putting into words takes until the next halt is in the log."""
    coming, unread = list(halts), []

    async def slow(*what: Any) -> Any:
        if coming:
            unread.append(Halt(coming.pop(0)))
        return await render_within(*what)

    async def run() -> list[dict[str, Any]]:
        async with httpx.AsyncClient(timeout=2) as http:
            document = {"type": "webhook", "url": receiver.url}
            outbox = Outbox({"channel/web": document}, Tools(Vault({}), http, None), "http://d.example", "s" * 40)
            metrics, rows = DispatcherMetrics(), Rows()
            dispatcher = Dispatcher("127.0.0.1:1", "", outbox, {}, rows, place="here", metrics=metrics)

            async def caught_up() -> None:
                while unread:
                    dispatcher.plan.take(dispatcher.plan.position, unread.pop(0), 1)

            dispatcher.log.caught_up = caught_up
            dispatcher.plan.take(0, notice("n", "web", alerts={"a": 5, "b": 5}), 1)
            await dispatcher._deliver(dispatcher.plan.start("web", 1))
            return rows.found

    monkeypatch.setattr(outbox_module, "render_within", slow)
    return asyncio.run(run())


def test_nothing_is_sent_of_what_is_acknowledged_while_it_is_put_into_words(
    monkeypatch: pytest.MonkeyPatch, receiver: HttpReceiver
) -> None:
    [row] = deliver(monkeypatch, receiver, {"a": 5, "b": 5})
    assert (row["outcome"], row["attempt"], receiver.requests) == ("called_off", 1, [])


def test_what_is_acknowledged_of_a_message_meanwhile_is_left_out_and_the_rest_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, receiver: HttpReceiver
) -> None:
    [row] = deliver(monkeypatch, receiver, {"a": 5})
    assert (row["outcome"], row["attempt"], row["alerts"]) == ("sent", 1, ["b"])
    assert [one["id"] for one in json.loads(receiver.requests[0].body)["alerts"]] == ["b"]
    receiver.requests.clear()
    [row] = deliver(monkeypatch, receiver, {"a": 5}, {"b": 5})
    assert (row["outcome"], row["attempt"], receiver.requests) == ("called_off", 1, [])
