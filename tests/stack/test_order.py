"""In which order a stack starts and stops: rules hold before time begins, and the mail server outlives its client."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.stack import supervisor
from api.stack.home import Home
from api.stack.parts import Options


class Noted:
    """A part that is ready at once and notes what is done with it."""

    jobs = ()

    def __init__(self, name: str, notes: list[str]) -> None:
        self.name, self.notes = name, notes

    def start(self) -> None:
        self.notes.append(f"start {self.name}")

    def ready(self) -> bool:
        self.notes.append(f"{self.name} is ready")
        return True

    def pids(self) -> list[int]:
        return []

    def stop(self) -> None:
        self.notes.append(f"stop {self.name}")


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[supervisor.Supervisor, list[str]]:
    """A supervisor of noted parts, and the notes."""
    monkeypatch.setattr(supervisor, "create_topics", lambda *_: None)
    monkeypatch.setattr(supervisor.ports, "require", lambda *_: None)
    notes: list[str] = []
    home = Home(tmp_path)
    home.prepare()
    one = supervisor.Supervisor(home, Options(home=tmp_path), lambda _: None)
    for name in ("broker", "detection", "serving"):
        setattr(one, name, Noted(name, notes))
    one.senders = [Noted("mailbox", notes), Noted("dispatcher", notes)]
    monkeypatch.setattr(one, "_make_clocks", lambda: [Noted("ticker", notes)])
    one.before_time = lambda _: notes.append("alerting is put in force")
    return one, notes


def test_alerting_is_put_in_force_when_the_api_answers_and_no_clock_runs(
    made: tuple[supervisor.Supervisor, list[str]],
) -> None:
    one, notes = made
    one._start_all()
    assert notes[-4:] == ["serving is ready", "alerting is put in force", "start ticker", "ticker is ready"]


def test_the_clock_stops_first_and_the_dispatcher_before_the_server_that_it_sends_to(
    made: tuple[supervisor.Supervisor, list[str]],
) -> None:
    one, notes = made
    one._start_all()
    notes.clear()
    one._stop_all()
    assert notes == [f"stop {name}" for name in ("ticker", "detection", "dispatcher", "mailbox", "serving", "broker")]
