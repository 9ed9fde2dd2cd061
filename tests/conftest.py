"""Real parts for tests, started once a session on free ports and stopped by process id."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.stack import ports
from api.stack.kafka import KafkaBroker


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaBroker]:
    """A Kafka broker for the whole session; tests keep apart by the names of their topics and groups."""
    home: Path = tmp_path_factory.mktemp("broker")
    running = KafkaBroker(home, ports.free())
    running.start()
    try:
        yield running.wait()
    finally:
        running.stop()
