"""Flink's REST interface: closed to web pages, open to Daymark's own stop and cancel."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from api.stack import ports
from api.stack.flink import ENDED, FlinkCluster
from api.stack.kafka import KafkaBroker
from tests.flink.lane import Lane
from tests.kafka_help import eventually

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlinkCluster]:
    running = FlinkCluster(tmp_path_factory.mktemp("rest"), ports.free())
    running.start()
    try:
        yield running.wait()
    finally:
        running.stop()


@pytest.fixture
def lane(broker: KafkaBroker, cluster: FlinkCluster, request: pytest.FixtureRequest) -> Iterator[Lane]:
    started = Lane(f"rest-{abs(hash(request.node.name)) % 10**8}", broker.bootstrap, cluster).start()
    yield started
    started.end()


def test_no_web_page_is_allowed_to_read_what_flink_answers(cluster: FlinkCluster) -> None:
    answer = httpx.get(f"http://127.0.0.1:{cluster.rest_port}/overview", headers={"Origin": "http://evil.example"})
    assert answer.status_code == httpx.codes.OK
    assert answer.headers["access-control-allow-origin"] == "http://127.0.0.1"


def test_nobody_uploads_a_jar_or_cancels_in_the_web_ui(cluster: FlinkCluster) -> None:
    base = f"http://127.0.0.1:{cluster.rest_port}"
    features = httpx.get(f"{base}/config").json()["features"]
    assert (features["web-submit"], features["web-cancel"]) == (False, False)
    assert httpx.post(f"{base}/jars/upload").status_code == httpx.codes.NOT_FOUND


def test_our_own_cancel_still_works(cluster: FlinkCluster, lane: Lane) -> None:
    cluster.cancel(lane.job)
    assert not cluster.job_is_alive(lane.job)


def test_our_own_stop_with_savepoint_still_works(cluster: FlinkCluster, lane: Lane) -> None:
    assert "savepoint-" in cluster.stop_with_savepoint(lane.job, lane.name)
    eventually(lambda: not cluster.job_is_alive(lane.job))


def test_a_get_cancels_a_job_as_the_page_on_running_says(cluster: FlinkCluster, lane: Lane) -> None:
    """Flink has no setting against it. When this test fails, docs/running.md must no longer warn of it."""
    httpx.get(f"http://127.0.0.1:{cluster.rest_port}/jobs/{lane.job}/yarn-cancel").raise_for_status()
    eventually(lambda: next(job["state"] for job in cluster.jobs() if job["jid"] == lane.job) in ENDED)
