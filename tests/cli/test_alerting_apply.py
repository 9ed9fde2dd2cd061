"""`daymark alerting apply`: a file is put in force as a whole, and what the API refuses is told fault by fault."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from api.cli import app
from api.commands.alerting import anything_in_force
from api.stack.errors import StackError
from api.stack.home import Home, State, running

FILE = Path(__file__).parents[2] / "rules" / "alerting.yaml"
DONE = {"changed": ["person/anna"], "deleted": [], "unchanged": ["person/ben"], "warnings": []}
REFUSED = {"detail": "no", "errors": [{"field": "routes/main.escalation", "message": "there is no escalation `x`"}]}


class Api(BaseHTTPRequestHandler):
    """Keeps what it is sent and answers as it is told to."""

    answer: tuple[int, Any] = (200, DONE)
    asked: list[Any] = []

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.asked.append((self.path, orjson.loads(body)))
        status, said = self.answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(orjson.dumps(said))

    def do_GET(self) -> None:
        status, said = self.answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(orjson.dumps(said))

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Api]]:
    server = HTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state = State(running(os.getpid()), time.time(), ports={"http": server.server_port})
    monkeypatch.setattr(Home, "require_running", lambda self: state)
    monkeypatch.setattr(Api, "asked", [])
    yield Api
    server.shutdown()
    server.server_close()


def apply(*words: object) -> Any:
    return CliRunner().invoke(app, ["alerting", "apply", *map(str, words)])


def test_a_file_is_sent_as_documents_and_what_changed_is_told(api: type[Api]) -> None:
    result = apply(FILE, "--prune")
    assert result.exit_code == 0, result.output
    [(path, body)] = api.asked
    assert (path, body["prune"]) == ("/api/v1/alerting", True)
    assert body["documents"]["person/anna"]["email"] == "anna@example.com"
    assert "changed: person/anna" in result.output


def test_what_the_api_refuses_is_told_fault_by_fault(api: type[Api], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Api, "answer", (422, REFUSED))
    result = apply(FILE)
    assert result.exit_code == 1
    assert "routes/main.escalation: there is no escalation `x`" in result.output


def test_a_file_with_faults_is_never_sent(api: type[Api], tmp_path: Path) -> None:
    file = tmp_path / "alerting.yaml"
    file.write_text("routes: {escalation: nobody_there}\n")
    assert apply(file).exit_code != 0
    assert api.asked == []


def test_without_a_running_stack_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAYMARK_HOME", str(tmp_path))
    assert apply(FILE).exit_code == 3


def test_whether_anything_is_in_force_is_what_the_api_says(api: type[Api], monkeypatch: pytest.MonkeyPatch) -> None:
    state = Home().require_running()
    for said in ([], [{"kind": "person", "name": "anna"}]):
        monkeypatch.setattr(Api, "answer", (200, said))
        assert anything_in_force(state) == bool(said)
    monkeypatch.setattr(Api, "answer", (503, {}))
    with pytest.raises(StackError, match="does not say which alerting documents"):
        anything_in_force(state)
