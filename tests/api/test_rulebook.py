"""The serving process knows the rules as the job does, a moment after they changed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.rulebook import Rulebook, RulesUnknown
from api.settings import Settings


class Turns:
    """In place of an Event: is set after some turns."""

    def __init__(self, turns: int) -> None:
        self.left = turns

    def wait(self, seconds: float) -> bool:
        self.left -= 1
        return self.left < 0


@pytest.fixture
def book(tmp_path: Path) -> Rulebook:
    return Rulebook(Settings(home=tmp_path, loader=False))


def test_it_is_refreshed_again_and_again_whether_or_not_steps_are_looked_at(
    book: Rulebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(book, "refresh", lambda: seen.append(1))
    book.run(Turns(3), lambda: True)  # type: ignore[arg-type]
    assert len(seen) == 3


def test_a_broker_that_cannot_be_reached_is_not_asked(book: Rulebook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "refresh", lambda: pytest.fail("asked"))
    book.run(Turns(2), lambda: False)  # type: ignore[arg-type]


def test_that_the_topic_cannot_be_read_is_told_once_and_once_more_after_it_could(
    book: Rulebook, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def outcomes() -> Iterator[str]:
        yield from ("away", "away", "", "away", "away")

    turns = outcomes()

    def refresh() -> None:
        if fault := next(turns):
            raise RulesUnknown(fault)

    monkeypatch.setattr(book, "refresh", refresh)
    book.run(Turns(5), lambda: True)  # type: ignore[arg-type]
    assert [record.getMessage() for record in caplog.records] == ["rules that change now are not known here: away"] * 2


def test_threads_that_refresh_at_once_read_one_after_the_other(book: Rulebook, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, most = [0], [0]
    pause = threading.Event()

    def read() -> None:
        inside[0] += 1
        most[0] = max(most[0], inside[0])
        pause.wait(0.01)
        inside[0] -= 1

    monkeypatch.setattr(book, "_read", read)
    threads = [threading.Thread(target=book.refresh) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
