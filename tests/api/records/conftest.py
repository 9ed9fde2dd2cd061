"""The relational store, once in SQLite and once in PostgreSQL where that is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.records.database import Records, url_of


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
