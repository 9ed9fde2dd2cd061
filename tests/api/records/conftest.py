"""The relational store, once in SQLite and once in PostgreSQL where that is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.records.database import Records, url_of
from api.stack import ports
from tests.kafka_help import eventually


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


@pytest.fixture(params=["sqlite", "postgres"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Records]:
    """An empty store with its tables."""
    url = "" if request.param == "sqlite" else request.getfixturevalue("postgres")
    opened = Records(url_of(url, tmp_path))
    if url:
        with opened.transaction() as tx:
            tx.connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            tx.connection.exec_driver_sql("CREATE SCHEMA public")
    opened.migrate()
    yield opened
    opened.close()
