"""POST /events: everything that is wrong is said at once, and nothing goes in unless all is right."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from api.cloudevents import Posted, read
from api.publish import Publisher
from api.settings import Settings
from api.stack.kafka import KafkaBroker
from tests.kafka_help import create_topic, records

GOOD = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "time": "2026-03-01T08:00:00Z", "data": {"n": 1}}
URL = "/api/v1/events"


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


@pytest.mark.parametrize(
    ("event", "field", "says"),
    [
        (without("id"), "id", "required"),
        (without("source"), "source", "required"),
        (without("type"), "type", "required"),
        (without("time"), "time", "RFC 3339 with a zone"),
        (without("specversion"), "specversion", "required"),
        (GOOD | {"specversion": "0.3"}, "specversion", "1.0"),
        (GOOD | {"id": ""}, "id", "not empty"),
        (GOOD | {"id": 7}, "id", "text"),
        (GOOD | {"time": "2026-03-01T08:00:00"}, "time", "zone"),
        (GOOD | {"time": "2026-02-30T08:00:00Z"}, "time", "RFC 3339"),
        (GOOD | {"time": 1700000000}, "time", "RFC 3339"),
        (GOOD | {"time": "0001-01-01T00:00:00Z"}, "time", "years"),
        (GOOD | {"Big": "x"}, "Big", "lower-case"),
        (GOOD | {"extra": {"a": 1}}, "extra", "extension"),
        (GOOD | {"data_base64": "eA=="}, "data_base64", "not both"),
        (GOOD | {"subject": ""}, "subject", "not empty"),
        (GOOD | {"data": "x" * 1_000_001}, "data", "bytes"),
        ([1], "", "JSON object"),
        ([], "", "no event"),
        (None, "", "JSON object"),
    ],
)
def test_a_fault_is_named_with_its_attribute(client: TestClient, event: Any, field: str, says: str) -> None:
    answer = client.post(URL, content=orjson.dumps(event), headers={"content-type": "application/cloudevents+json"})
    assert answer.status_code == 422
    [fault] = answer.json()["errors"]
    assert fault["field"] == field
    assert says in fault["message"]


def test_a_batch_names_every_fault_with_its_index(client: TestClient) -> None:
    answer = client.post(URL, json=[GOOD, without("id"), GOOD, GOOD | {"time": "noon", "source": ""}])
    assert answer.status_code == 422
    assert [(f["index"], f["field"]) for f in answer.json()["errors"]] == [(1, "id"), (3, "source"), (3, "time")]
    assert "nothing was accepted" in answer.json()["detail"]


def test_what_is_not_json_or_too_much_is_refused(client: TestClient) -> None:
    json_type = {"content-type": "application/json"}
    assert client.post(URL, content=b"{nope", headers=json_type).status_code == 422
    assert client.post(URL, content=b"[" * 100_000, headers=json_type).status_code == 422
    assert client.post(URL, content=b"{}", headers={"content-type": "text/plain"}).status_code == 415
    assert client.post(URL, content=b" " * 5_000_001, headers=json_type).status_code == 413
    assert "10,000" in client.post(URL, json=[GOOD] * 10_001).json()["detail"]
    assert client.post(URL, json=GOOD, params={"lane": "Not A Lane"}).status_code == 422


def test_kafka_being_away_is_a_503_that_says_to_send_again(client: TestClient) -> None:
    answer = client.post(URL, json=GOOD)
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert "0 of 1 events were acknowledged" in answer.json()["detail"]


def mapped(settings: Settings, folder: Path, *texts: str) -> Settings:
    """Settings with source mappings."""
    files = [folder / f"mapping{number}.yaml" for number in range(len(texts))]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    return settings.model_copy(update={"mappings": files})


def posted(*events: dict[str, Any]) -> list[Posted]:
    found, faults = read(orjson.dumps(list(events)))
    assert faults == []
    return found


def test_the_bytes_of_an_event_go_on_as_they_came(settings: Settings) -> None:
    odd = b'{"specversion":"1.0", "id":"1","source":"/s","type":"t","time":"2026-03-01T08:00:00Z",'
    odd += b' "data":{"big":98765432109876543210987,"small":1.10000000000000000001,"a":1,"a":2}}'
    for body in (odd, b" " + odd + b"\n", b"[" + odd + b" , " + odd + b"]"):
        events, faults = read(body)
        assert faults == []
        records, _ = Publisher(settings).addressed("main", events)
        assert {record.value for record in records} == {odd}


TRADES = "source: trades\nkeys: {trade_id: data.trade_id}\n"


def test_an_event_that_no_mapping_can_read_is_refused_with_its_fault(
    serve: Callable[[Settings], TestClient], settings: Settings, tmp_path: Path
) -> None:
    client = serve(mapped(settings, tmp_path, TRADES, "source: b\nkeys: {id: data.id}\nwhen: {type: [z]}\n"))
    readable = GOOD | {"data": {"trade_id": "T-1"}}
    answer = client.post(URL, json=[readable, GOOD, readable | {"data": {"trade_id": ""}}])
    assert answer.status_code == 422
    faults = answer.json()["errors"]
    assert [(fault["index"], fault["field"]) for fault in faults] == [(1, "data"), (2, "data")]
    assert "data.trade_id" in faults[0]["message"]
    assert "mapping b: its `when` does not hold" in faults[0]["message"]
    assert client.post(URL, json=readable).status_code == 503, "what can be read is sent, here to a Kafka that is away"


def test_an_event_goes_to_the_topic_of_the_mapping_that_reads_it(settings: Settings, tmp_path: Path) -> None:
    shop = "source: shop\ntopic: shop.orders\nkeys: {order: data.order}\n"
    publisher = Publisher(mapped(settings, tmp_path, TRADES, shop))
    events = [GOOD | {"data": {"trade_id": "T-1"}}, GOOD | {"data": {"order": "O-1"}}]
    records, faults = publisher.addressed("main", posted(*events))
    assert [(record.topic, record.key) for record in records] == [
        ("daymark.events.main", b"T-1"),
        ("shop.orders", b"O-1"),
    ]
    assert faults == []
    _, faults = publisher.addressed("other", posted(*events))
    assert [fault.index for fault in faults] == [1], "the job of another lane does not read the shop's topic"


def test_without_mappings_an_event_goes_to_the_lanes_topic_under_its_subject_or_id(settings: Settings) -> None:
    records, _ = Publisher(settings).addressed("x", posted(GOOD | {"subject": "S-1"}, GOOD))
    assert [(record.topic, record.key) for record in records] == [
        ("daymark.events.x", b"S-1"),
        ("daymark.events.x", b"1"),
    ]


def test_the_tutorials_order_is_refused_and_taken_as_its_third_step_says(
    serve: Callable[[Settings], TestClient], settings: Settings, tmp_path: Path
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "tutorial.md").read_text()
    [order] = re.findall(r"-d '(\{.*?\})'\n", page, re.DOTALL)
    own, cloud = (text for text in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if "/mapping.yaml" in text)
    kind = {"content-type": "application/cloudevents+json"}
    refused = serve(mapped(settings, tmp_path, own)).post(URL, content=order, headers=kind)
    assert refused.status_code == 422
    [promised] = re.findall(r"The answer is 422, with what is wrong: `(.*?)`", page)
    assert promised in refused.json()["detail"]
    records, faults = Publisher(mapped(settings, tmp_path, cloud)).addressed("main", read(order.encode())[0])
    assert [(record.topic, record.key) for record in records] == [("daymark.events.main", b"4")]
    assert faults == []


@pytest.mark.real
def test_accepted_events_are_in_the_lanes_topic_in_order_under_their_correlation_key(
    serve: Callable[[Settings], TestClient], settings: Settings, broker: KafkaBroker, tmp_path: Path
) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("source: trades\nkeys: {trade_id: data.trade_id}\n")
    topic = create_topic(broker.bootstrap, "daymark.events.posting", 4)
    update = {"kafka": broker.bootstrap, "lane": "posting", "mappings": [mapping]}
    client = serve(settings.model_copy(update=update))
    traded = [GOOD | {"id": str(n), "data": {"trade_id": f"T-{n % 3}"}} for n in range(60)]
    answer = client.post(URL, json=traded)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 60, "lane": "posting", "topics": [topic]})
    found = [record for part in records(broker.bootstrap, topic).values() for record in part]
    assert {orjson.loads(record.value)["id"]: record.key for record in found} == {
        str(n): f"T-{n % 3}".encode() for n in range(60)
    }
    for key in (b"T-0", b"T-1", b"T-2"):
        numbers = [int(orjson.loads(record.value)["id"]) for record in found if record.key == key]
        assert numbers == sorted(numbers)


@pytest.mark.real
def test_a_lane_without_a_topic_is_a_503_before_long(
    serve: Callable[[Settings], TestClient], settings: Settings, broker: KafkaBroker
) -> None:
    client = serve(settings.model_copy(update={"kafka": broker.bootstrap}))
    answer = client.post(URL, json=[GOOD] * 50, params={"lane": "nosuchlane"})
    assert answer.status_code == 503
    assert "daymark.events.nosuchlane" in answer.json()["detail"]
