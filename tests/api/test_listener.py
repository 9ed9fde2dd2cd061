"""Actions on a real broker: from the request through the outbox to the topic, and the job's answer back to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import orjson
import pytest
from kafka import KafkaConsumer, KafkaProducer
from starlette.testclient import TestClient

from api.settings import Settings
from api.stack.kafka import KafkaBroker
from api.store import Store
from tests.api.alertrows import FP, alert, delivery, incident, logged
from tests.api.job import Job
from tests.kafka_help import create_topic, eventually

pytestmark = pytest.mark.real
TOPICS = ("actions", "notifications", "alerts", "alerting", "alertlog", "incidents", "deliveries")


@pytest.fixture
def wired(broker: KafkaBroker, settings: Settings) -> Settings:
    """Topics of the test's own."""
    prefix = f"a{time.time_ns()}."
    for topic in TOPICS:
        create_topic(broker.bootstrap, prefix + topic, 1)
    update = {"kafka": broker.bootstrap, "topic_prefix": prefix, "loader_group": f"{prefix}loader"}
    return settings.model_copy(update=update)


@pytest.fixture
def answering(wired: Settings) -> Iterator[list[float]]:
    """An alert job that applies every action at once; the instants at which it did."""
    stop, done = threading.Event(), []

    def work() -> None:
        topic = f"{wired.topic_prefix}actions"
        consumer = KafkaConsumer(topic, bootstrap_servers=wired.kafka, auto_offset_reset="earliest")
        producer = KafkaProducer(bootstrap_servers=wired.kafka)
        while not stop.is_set():
            for records in consumer.poll(timeout_ms=100).values():
                for record in records:
                    answer = orjson.dumps(Job.applied(orjson.loads(record.value)))
                    producer.send(f"{wired.topic_prefix}notifications", answer).get(10)
                    done.append(time.monotonic())
        consumer.close()
        producer.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield done
    stop.set()
    thread.join(20)


def test_an_action_goes_to_the_job_and_its_answer_comes_back_soon(
    serve: Callable[[Settings], TestClient], wired: Settings, answering: list[float]
) -> None:
    client = serve(wired.model_copy(update={"action_wait_s": 20.0}))
    assert client.post(f"/api/v1/alerts/{FP}/ack").json()["outcome"] == "applied"  # all connect meanwhile
    began = time.monotonic()
    answers = [client.post(f"/api/v1/alerts/{FP}/ack").json() for _ in range(5)]
    assert {answer["outcome"] for answer in answers} == {"applied"}
    assert (time.monotonic() - began) / 5 < 2
    again = serve(wired)  # a restart: what was answered is known again
    place = f"/api/v1/actions/{answers[0]['id']}"
    assert eventually(lambda: again.get(place).status_code == 200)


def test_rows_of_alerts_are_loaded_and_found(
    serve: Callable[[Settings], TestClient], wired: Settings, store: Store
) -> None:
    client = serve(wired.model_copy(update={"loader": True}))
    producer = KafkaProducer(bootstrap_servers=wired.kafka)
    rows = {"alerts": alert(), "alertlog": logged(), "incidents": incident(cause=FP), "deliveries": delivery()}
    for topic, row in rows.items():
        producer.send(wired.topic_prefix + topic, orjson.dumps(row))
    producer.flush()
    producer.close()
    found = eventually(
        lambda: (
            (answer := client.get(f"/api/v1/incidents/{'i' * 32}")).status_code == 200
            and (whole := answer.json())["members"]
            and whole["timeline"]
            and whole["deliveries"]
            and whole
        )
    )
    assert found["members"][0]["id"] == FP
