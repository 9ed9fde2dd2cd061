"""A client that breaks off in the middle of a write: half a request is none."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping

import orjson
import pytest
from sqlalchemy import select
from starlette.requests import ClientDisconnect
from starlette.testclient import TestClient
from starlette.types import Message

from api.access.tables import answers
from api.access.who import COOKIE
from tests.api.access.conftest import HOME, records_of, signed_in

STEPS = "workflow: w\nkey: id\nsteps:\n  a: {on: a, start: true}\n  b: {on: b, end: completed}\nflow:\n  - a -> b\n"
DEADLINES = "deadlines:\n  - {id: b, after: a, expect: b, within: 2h}\n"


def broken_off(client: TestClient, method: str, path: str, half: bytes, headers: Mapping[str, str]) -> list[Message]:
    """What is answered to a request of which only `half` arrives, for it is cut off then."""
    given = {"Host": "127.0.0.1", "Content-Length": str(2 * len(half)), **HOME, **headers}
    given["Cookie"] = f"{COOKIE}={client.cookies[COOKIE]}"
    parts = [{"type": "http.request", "body": half, "more_body": True}, {"type": "http.disconnect"}]
    sent: list[Message] = []
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "http_version": "1.1",
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
    }

    async def receive() -> Message:
        return parts.pop(0) if len(parts) > 1 else parts[0]

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(client.app(scope, receive, send))  # type: ignore[arg-type]
    return sent


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "k"}])
def test_nothing_is_done_of_half_a_form_that_would_be_sound_by_itself(guarded: TestClient, key: dict[str, str]) -> None:
    signed_in(guarded, "root", "admin")
    half = f"do=put&text={STEPS}".replace("\n", "%0A").replace(" ", "+").encode()
    form = {"Content-Type": "application/x-www-form-urlencoded", **key}
    with contextlib.suppress(ClientDisconnect):  # there is nobody to answer
        broken_off(guarded, "POST", "/new-rule", half, form)
    assert guarded.get("/api/v1/rules/w").status_code == 404


def test_a_write_that_was_cut_off_is_done_when_it_is_sent_again(guarded: TestClient) -> None:
    signed_in(guarded, "root", "admin")
    body = orjson.dumps({"text": STEPS + DEADLINES})
    key = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    assert broken_off(guarded, "PUT", "/api/v1/rules/w", body[: len(body) // 2], key) == []
    with records_of(guarded).reading() as connection:
        assert connection.execute(select(answers)).all() == []
    assert guarded.put("/api/v1/rules/w", content=body, headers=key).status_code == 202
