"""An app where people have to sign in, and people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from api.access import audit, passwords, people
from api.access.people import User
from api.access.roles import Limits
from api.main import create_app
from api.records.database import Records, url_of
from api.settings import Settings
from api.store import Store

PASSWORD = "correct horse battery"
NOW = 1_700_000_000_000
HOME = {"Origin": "http://127.0.0.1"}  # what a browser says that sends one of our own forms


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 with little memory: what is tested is not how long it takes."""
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(1, 8, 1))


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """The relational store alone, with the audit."""
    opened = Records(url_of("", tmp_path))
    opened.migrate()
    opened.watchers.append(audit.append)
    yield opened
    opened.close()


@pytest.fixture
def app_of(store: Store) -> Iterator[Callable[[Settings], TestClient]]:
    """Makes the app of given settings on the same data as `store`, without its threads, which nothing here needs."""
    made: list[TestClient] = []

    def make(settings: Settings) -> TestClient:
        app = create_app(settings)
        context = app.state.context
        context.records.migrate()
        context.doorkeeper.open()
        made.append(TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False))
        return made[-1]

    yield make
    for client in made:
        context = client.app.state.context  # type: ignore[attr-defined]
        context.records.close()
        context.store.close()


@pytest.fixture
def guarded(app_of: Callable[[Settings], TestClient], settings: Settings) -> TestClient:
    """A client of an app where people have to sign in. It speaks as one of our own pages does."""
    client = app_of(settings.model_copy(update={"sign_in": "required", "rate_limit": 0}))
    client.headers.update(HOME)
    return client


def records_of(client: TestClient) -> Records:
    """The relational store of the app."""
    found: Records = client.app.state.context.records  # type: ignore[attr-defined]
    return found


def put_user(records: Records, name: str, role: str, **more: Any) -> User:
    """A user with the password of all tests."""
    with records.transaction() as tx:
        return people.put(tx, User(name, role, **more), "test", "", NOW, PASSWORD)


def signed_in(client: TestClient, name: str, role: str, limits: Limits | None = None) -> TestClient:
    """Sign in as a new user, in place of who was."""
    put_user(records_of(client), name, role, limits=limits or Limits())
    client.cookies.clear()
    answer = client.post("/login", data={"name": name, "password": PASSWORD}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return client
