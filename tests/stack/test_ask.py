"""The command line asks the API with the token that the environment has, and without one where there is none."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from api.stack.ask import TOKEN, ask
from api.stack.home import VARIABLE, State, running


class Echo(BaseHTTPRequestHandler):
    """Answers with the Authorization header."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f'"{self.headers.get("Authorization")}"'.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def state() -> Iterator[State]:
    server = HTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield State(running(os.getpid()), time.time(), ports={"http": server.server_port})
    server.shutdown()
    server.server_close()


def test_the_homes_token_goes_where_the_environment_has_none(
    state: State, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(TOKEN, raising=False)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    (tmp_path / "token").write_text("of-the-home\n")
    assert ask(state, "lanes") == "Bearer of-the-home"


@pytest.mark.parametrize(("token", "header"), [("x" * 20, f"Bearer {'x' * 20}"), ("", "None")])
def test_the_token_goes_with_the_question(
    state: State, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, token: str, header: str
) -> None:
    monkeypatch.setenv(TOKEN, token)
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert ask(state, "lanes") == header
