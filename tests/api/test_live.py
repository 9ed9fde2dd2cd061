"""Live screens: rendered once for all who watch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from api import live
from api.live import Live
from api.problems import ProblemError


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "EVERY_S", 0.02)
    monkeypatch.setattr(live, "LEAST_S", 0.01)
    monkeypatch.setattr(live, "LOOK_S", 0.001)
    monkeypatch.setattr(live, "SHARE", 0)


async def shown(stream: AsyncIterator[bytes], many: int) -> list[str]:
    """The data of the next `many` events of a stream, beats left out."""
    found: list[str] = []
    while len(found) < many:
        text = (await anext(stream)).decode()
        if "event: beat" not in text:
            found.append(text.partition("data: ")[2].strip())
    return found


def test_fifty_who_watch_cost_one_rendering_at_a_time() -> None:
    async def scenario() -> None:
        hub, calls = Live(), 0

        def render() -> str:
            nonlocal calls
            calls += 1
            return f"turn {min(calls, 3)}"

        streams = [hub.watch("wall", render) for _ in range(50)]
        seen = await asyncio.gather(*(shown(stream, 1) for stream in streams))
        assert calls < 50
        assert hub.channels["wall"].watchers == 50
        assert all(texts[0].startswith("turn") for texts in seen)
        for stream in streams:
            await stream.aclose()  # type: ignore[attr-defined]
        assert hub.channels == {}, "nothing is rendered for nobody"
        done = calls
        await asyncio.sleep(0.1)
        assert calls <= done + 1

    asyncio.run(scenario())


def test_only_changes_are_sent_and_a_failure_is_told_and_mended() -> None:
    async def scenario() -> None:
        hub = Live()
        texts = iter(["a", "a", "a", "b", "", "b"])

        def render() -> str:
            text = next(texts, "b")
            if not text:
                raise RuntimeError("the store is away")
            return text

        stream = hub.watch("x", render)
        assert await shown(stream, 4) == ["a", "b", "No answer from the store", "b"]
        await stream.aclose()  # type: ignore[attr-defined]

    asyncio.run(scenario())


def test_streams_end_when_the_server_is_about_to_stop() -> None:
    async def scenario() -> None:
        hub = Live()
        stream = hub.watch("x", lambda: "a")
        await shown(stream, 1)
        hub.stopping = lambda: True
        assert [part async for part in stream] == []
        assert hub.channels == {}

    asyncio.run(scenario())


def test_a_stream_ends_soon_after_who_watches_is_let_in_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "RIGHTS_S", 0.05)

    async def scenario() -> None:
        hub, let_in = Live(), True
        stream = hub.watch("x", lambda: "a", lambda: let_in)
        other = hub.watch("x", lambda: "a", lambda: True)
        await shown(stream, 1)
        await shown(other, 1)
        await asyncio.sleep(0.1)
        let_in = False
        assert [part async for part in stream] == []
        assert hub.channels["x"].watchers == 1, "the others go on"
        await other.aclose()  # type: ignore[attr-defined]

    asyncio.run(scenario())


def test_one_viewer_has_so_many_streams_and_no_more_and_others_have_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_OPEN", 2)

    async def scenario() -> None:
        hub = Live()
        opened = [hub.stream(f"x{n}", lambda: "a", viewer="anna").body_iterator for n in range(2)]
        for stream in opened:
            await anext(stream)  # type: ignore[call-overload]
        with pytest.raises(ProblemError) as refused:
            hub.stream("x3", lambda: "a", viewer="anna")
        assert refused.value.problem.status == 429
        hub.stream("x3", lambda: "a", viewer="ben")
        await opened[0].aclose()  # type: ignore[union-attr]
        hub.stream("x3", lambda: "a", viewer="anna")
        await opened[1].aclose()  # type: ignore[union-attr]
        assert not hub.open
        assert hub.channels == {}

    asyncio.run(scenario())


def test_what_came_in_is_shown_without_waiting_for_the_next_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "EVERY_S", 3600)

    async def scenario() -> None:
        inserts = 0
        hub = Live(lambda: inserts)
        stream = hub.watch("x", lambda: f"{inserts} rows")
        assert await shown(stream, 1) == ["0 rows"]
        await asyncio.sleep(0.05)
        assert hub.rendered == 1, "nothing came, and the hour is not over"
        inserts += 1
        assert await asyncio.wait_for(shown(stream, 1), 30) == ["1 rows"]
        await stream.aclose()  # type: ignore[attr-defined]

    asyncio.run(scenario())
