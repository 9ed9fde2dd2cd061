"""A stream that stays open shows nothing any more to who may no longer see it, and holds up no shutdown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from api.access import people, tokens
from api.access.roles import Limits
from api.access.who import COOKIE
from api.clock import now_ms
from api.context import Context, context_of
from api.listener import Listener
from api.routes.alertstream import changes
from tests.api.access.conftest import NOW, put_user, records_of, signed_in


def context_for(client: TestClient, **headers: str) -> Context:
    """What a route has that was asked for with these headers."""
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "app": client.app, "headers": pairs, "client": ("127.0.0.1", 1), "method": "GET"}
    request = Request({**scope, "path": "/live/wall", "query_string": b"", "state": {}})
    app: Any = client.app
    request.state.who = app.state.context.doorkeeper.who(request)
    assert request.state.who is not None
    return context_of(request)


def change(client: TestClient, name: str, **more: Any) -> None:
    with records_of(client).transaction() as tx:
        user = people.read(tx.connection, name)
        assert user is not None
        people.put(tx, people.User(**{**vars(user), **more}), "test", "", NOW)


@pytest.mark.parametrize(
    "less",
    [
        lambda client: client.post("/logout"),
        lambda client: change(client, "anna", disabled=True),
        lambda client: change(client, "anna", limits=Limits(frozenset({"orders"}))),
        lambda client: change(client, "anna", role="viewer"),
    ],
    ids=["signed out", "disabled", "limited", "another role"],
)
def test_whoever_may_less_than_when_the_stream_began_is_let_in_no_more(
    guarded: TestClient, less: Callable[[TestClient], object]
) -> None:
    signed_in(guarded, "anna", "operator")
    ctx = context_for(guarded, cookie=f"{COOKIE}={guarded.cookies[COOKIE]}")
    assert ctx.still_let_in()
    less(guarded)
    assert not ctx.still_let_in()


def test_a_stream_by_a_token_ends_with_the_token(guarded: TestClient) -> None:
    records = records_of(guarded)
    put_user(records, "anna", "operator")
    with records.transaction() as tx:
        token, secret = tokens.create(tx, "anna", "t", frozenset({"read"}), Limits(), 1, "anna", "", now_ms())
    ctx = context_for(guarded, authorization=f"Bearer {secret}")
    assert ctx.still_let_in()
    with records.transaction() as tx:
        tokens.revoke(tx, token.id, "", "root", "", now_ms())
    assert not ctx.still_let_in()


def test_the_alerts_line_ends_within_a_moment_when_it_is_over(guarded: TestClient) -> None:
    async def scenario() -> None:
        app: Any = guarded.app
        listener: Listener = app.state.context.listener
        ended = False

        async def over() -> bool:
            return ended

        stream = changes(listener, over=over)
        assert b"watching" in await anext(stream)
        rest = asyncio.ensure_future(anext(stream, b"end"))
        await asyncio.sleep(0.05)
        ended = True
        assert await asyncio.wait_for(rest, 3) == b"end", "the next beat is 15 s away"
        assert not listener._watchers

    asyncio.run(scenario())
