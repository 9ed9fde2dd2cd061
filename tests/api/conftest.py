"""A real store in a directory of its own, and a real app over it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.main import create_app
from api.migrations import migrate, set_retention
from api.settings import Settings
from api.stack import ports
from api.store import Store
from tests.api.job import Job
from tests.kafka_help import eventually


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """No loader, a Kafka address where nothing listens, and nobody has to sign in."""
    return Settings(home=tmp_path, loader=False, kafka="127.0.0.1:1", sign_in="off")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose ClickHouse has the schema: to copy it takes half the time that making it anew does."""
    settings = Settings(home=tmp_path_factory.mktemp("template"), loader=False)
    opened = Store(settings.store_dsn)
    migrate(opened)
    set_retention(opened, settings.retention)
    opened.close()
    return settings.home


@pytest.fixture
def amtool_program() -> str:
    """Alertmanager's own client."""
    program = shutil.which("amtool") or shutil.which(f"{sys.prefix}/amtool/usr/bin/amtool")
    return program or pytest.skip("amtool is not there; `make amtool` fetches it")


@pytest.fixture
def store(settings: Settings, template: Path) -> Iterator[Store]:
    """Embedded ClickHouse with the schema; the engine lets go of the directory afterwards."""
    shutil.copytree(template / "clickhouse", settings.home / "clickhouse", symlinks=True)
    opened = Store(settings.store_dsn)
    yield opened
    opened.close()


@pytest.fixture
def serve(store: Store) -> Iterator[Callable[[Settings], TestClient]]:
    """Starts the app with given settings, on the same data as `store`."""
    clients: list[TestClient] = []

    def start(settings: Settings) -> TestClient:
        client = TestClient(create_app(settings), base_url="http://127.0.0.1", raise_server_exceptions=False)
        clients.append(client.__enter__())
        return client

    yield start
    for client in clients:
        client.__exit__(None, None, None)


@pytest.fixture
def client(serve: Callable[[Settings], TestClient], settings: Settings) -> TestClient:
    return serve(settings)


@pytest.fixture
def job(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> Job:
    """The client's app talks to this instead of Kafka."""
    return Job(client, monkeypatch)


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL of the session's own. It refuses to run as root, so then it runs as nobody."""
    if not (shutil.which("initdb") and shutil.which("postgres")):
        pytest.skip("PostgreSQL (initdb, postgres) is not installed")
    user = "nobody" if os.getuid() == 0 else None
    home = Path(tempfile.mkdtemp(prefix="daymark-postgres-"))
    if user:
        shutil.chown(home, user)
    port = ports.free()
    options = {"user": user, "cwd": home, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    create = ["initdb", "-D", home / "data", "-U", "daymark", "--auth=trust", "--no-sync", "--no-instructions"]
    subprocess.run(create, check=True, **options)
    command = ["postgres", "-D", home / "data", "-p", str(port), "-h", "127.0.0.1", "-k", home, "-c", "fsync=off"]
    server = subprocess.Popen(command, **options)
    try:
        eventually(lambda: ports.answers(port))
        yield f"postgresql://daymark@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()
        server.wait(20)
        shutil.rmtree(home)
