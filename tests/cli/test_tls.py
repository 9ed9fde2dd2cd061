"""`daymark up` serves https by certificate files, and this machine's commands trust that very certificate."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from api.cli import app
from api.commands.run import tls_files
from api.stack import ports
from api.stack.ask import ask
from api.stack.errors import Exit, StackError
from api.stack.home import Home, State, running
from api.stack.parts import Options, serving
from api.tls import CERT, KEY, trusting
from tests.api.access.test_a_real_process import certificate
from tests.kafka_help import eventually

ELSEWHERE = "192.0.2.7"  # what the certificate is for: not the address by which this machine's commands come


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    monkeypatch.setenv("DAYMARK_HOME", str(tmp_path / "home"))
    made = certificate(tmp_path, ELSEWHERE)
    monkeypatch.setenv(CERT, str(made[0]))
    monkeypatch.setenv(KEY, str(made[1]))
    return made


def test_the_files_of_the_environment_are_taken_as_whole_paths(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files[0].parent)
    monkeypatch.setenv(CERT, "cert.pem")
    assert tls_files() == files
    monkeypatch.delenv(CERT)
    monkeypatch.delenv(KEY)
    assert tls_files() is None


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        (KEY, "", "belong together"),
        (CERT, "/nowhere/cert.pem", "No such file"),
        (KEY, "cert.pem", "without a password"),
        (CERT, "key.pem", "without a password"),
        (KEY, "other/key.pem", "MISMATCH"),
    ],
)
def test_files_that_no_server_can_use_are_refused_before_anything_starts(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    folder = files[0].parent
    (folder / "other").mkdir()
    certificate(folder / "other")
    monkeypatch.chdir(folder)
    monkeypatch.setenv(name, value)
    with pytest.raises(StackError, match=said) as refused:
        tls_files()
    assert refused.value.code == Exit.USAGE
    assert CliRunner().invoke(app, ["up"]).exit_code == Exit.USAGE


@pytest.fixture
def served(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[State]:
    """The serving process as `daymark up` starts it."""
    monkeypatch.setenv("DAYMARK_LOADER", "false")
    monkeypatch.setenv("DAYMARK_SIGN_IN", "required")
    monkeypatch.delenv("DAYMARK_API_TOKEN", raising=False)
    options = Options(Home().path, http_port=ports.free(), kafka_port=ports.free(), tls=tls_files())
    Home().prepare(0)
    part = serving(options)
    part.start()
    try:
        eventually(part.alive)
        eventually(lambda: part.ready() or ports.answers(options.http_port), 60)
        yield State(running(os.getpid()), time.time(), ports={"http": options.http_port}, tls_cert=options.tls_cert)
    finally:
        part.stop()


@pytest.mark.real
def test_a_stack_serves_https_and_its_commands_find_it(served: State, tmp_path: Path) -> None:
    assert served.url.startswith("https://127.0.0.1:")
    assert eventually(lambda: ask(served, "me"))["name"] == "cli"
    assert httpx.get(f"{served.url}/healthz", verify=trusting(served.tls_cert)).status_code == 200
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://127.0.0.1:{served.ports['http']}/healthz")
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{served.url}/healthz")
    (tmp_path / "other").mkdir()
    stranger, _ = certificate(tmp_path / "other", ELSEWHERE)
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{served.url}/healthz", verify=trusting(str(stranger)))
    assert State.from_json(served.to_json()).url == served.url
