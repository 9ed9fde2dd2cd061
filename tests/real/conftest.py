"""Kafka, two Flink TaskManagers and a serving process, shared by all tests of this folder."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.stack import ports
from api.stack.flink import FlinkCluster
from api.stack.kafka import KafkaBroker
from api.stack.parts import Options, create_topics, serving
from tests.real.lane import Lane

SHARED = Path(__file__).resolve().parents[3] / "shared"


@pytest.fixture(scope="package")
def flink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlinkCluster]:
    running = FlinkCluster(tmp_path_factory.mktemp("flink"), ports.free(), taskmanagers=2)
    running.start()
    try:
        yield running.wait()
    finally:
        running.stop()


@pytest.fixture(scope="package")
def api(broker: KafkaBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a serving process on embedded ClickHouse, which loads from the broker."""
    home = tmp_path_factory.mktemp("serving")
    options = Options(home=home, kafka_port=int(broker.bootstrap.rpartition(":")[2]), http_port=ports.free())
    create_topics(options, "main")
    part = serving(options)
    part.start()
    try:
        deadline = time.monotonic() + 90
        while not part.ready():
            assert time.monotonic() < deadline, part.log.read_text()[-3000:]
            time.sleep(0.2)
        yield f"http://{ports.HOST}:{options.http_port}"
    finally:
        part.stop()


@pytest.fixture
def lane(broker: KafkaBroker, flink: FlinkCluster, api: str) -> Callable[[str], Lane]:
    """Makes lanes, by name."""
    return lambda name: Lane(name, broker.bootstrap, flink, api)


@pytest.fixture(scope="session")
def shared() -> Path:
    if not (SHARED / "data").is_dir():
        pytest.skip(f"{SHARED}/data is not there: the real logs are test input that the repository does not hold")
    return SHARED
