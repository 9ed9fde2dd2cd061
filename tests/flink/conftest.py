"""A Flink cluster with two TaskManagers for the tests of this folder, and lanes of their own on it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from api.stack import ports
from api.stack.flink import FlinkCluster
from api.stack.kafka import KafkaBroker
from tests.flink.lane import Lane


@pytest.fixture(scope="package")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlinkCluster]:
    home: Path = tmp_path_factory.mktemp("flink")
    running = FlinkCluster(home, ports.free(), taskmanagers=2)
    running.start()
    try:
        yield running.wait()
    finally:
        running.stop()
    crashes = [report.read_text()[:1000] for report in home.rglob("hs_err_pid*.log")]
    assert not crashes, crashes[0]


@pytest.fixture
def lane(broker: KafkaBroker, cluster: FlinkCluster) -> Iterator[Callable[..., Lane]]:
    """Starts a detect job for a lane of the test's own; ends it afterwards."""
    started: list[Lane] = []

    def start(**settings: object) -> Lane:
        started.append(Lane(f"t-{uuid.uuid4().hex[:8]}", broker.bootstrap, cluster, **settings))
        return started[-1].start()

    yield start
    for one in started:
        one.end()
