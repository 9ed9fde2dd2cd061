"""What is erased is gone from every table, stays gone when Kafka is read again, and nobody else's goes with it."""

from __future__ import annotations

import base64
import threading

import orjson
from starlette.testclient import TestClient

from api.access import audit
from api.access.erased import Erased, digest
from api.inserts import Message
from api.loader import Loader
from api.metrics import Metrics
from api.settings import Settings
from api.store import Store
from tests.api.access.conftest import records_of, signed_in
from tests.api.alertrows import alert
from tests.api.rows import Row, event, finding, insert, item, lines, transition

MAIL = "o'brien@example.org"
TABLES = ("events", "transitions", "items", "findings", "alerts", "dead_letters")


def letter(raw: bytes, **given: object) -> Row:
    row = {
        "lane": "main",
        "topic": "t",
        "partition": 0,
        "offset": 1,
        "received_ms": 1,
        "reason": "not_json",
        "detail": "",
    }
    return row | {"raw": base64.b64encode(raw).decode()} | given


def rows(key: str, mail: str) -> dict[str, list[Row]]:
    data = orjson.dumps({"data": {"id": key, "who": {"mails": [mail]}}}).decode()
    return {
        "events": [event(key=key, id=f"e-{key}", data=data)],
        "transitions": [transition(key=key, event_id=f"e-{key}")],
        "items": [item(key=key, groups={"mail": mail})],
        "findings": [finding(key=key, id=digest(key)[:32])],
        "alerts": [alert(key=key, id=digest(key)[:32])],
        "dead_letters": [letter(f'{{"id": "{key}", "mail": "{mail}"'.encode(), offset=len(key))],
    }


def fill(store: Store) -> dict[str, list[Row]]:
    both = [rows("K-1", MAIL), rows("K-10", "someone@example.org")]
    tables = {name: [*both[0][name], *both[1][name]] for name in both[0]}
    for name, many in tables.items():
        insert(store, name, *many)
    return tables


def counts(store: Store) -> dict[str, int]:
    return {table: len(store.run("SELECT 1 FROM {table:Identifier} FINAL", table=table)) for table in TABLES}


def test_a_key_is_erased_everywhere_and_the_audit_says_so_without_naming_it(guarded: TestClient, store: Store) -> None:
    tables = fill(store)
    signed_in(guarded, "root", "admin")
    answer = guarded.post("/api/v1/erasures", json={"key": "K-1", "why": "request 77"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["rows"] == {
        **dict.fromkeys(TABLES, 1),
        "alertlog": 0,
        "dead_letters": 2,
    }  # K-10's holds the text too
    assert counts(store) == {**dict.fromkeys(TABLES, 1), "dead_letters": 0}
    assert store.run("SELECT key FROM items FINAL") == [{"key": "K-10"}]
    with records_of(guarded).reading() as connection:
        told = audit.entries(connection, limit=2)
    assert [row["after"]["state"] for row in told] == ["done", "begun"]
    assert "K-1" not in str(told)
    assert guarded.get("/api/v1/erasures").json()[0]["digest"] == digest("K-1")
    again = guarded.post("/api/v1/erasures", json={"key": "K-1"}).json()
    assert again["rows"] == dict.fromkeys([*TABLES, "alertlog"], 0)
    assert again["note"].startswith("No row was found. It is erased as it is written")
    assert tables


def test_a_value_is_erased_wherever_a_record_holds_it(guarded: TestClient, store: Store) -> None:
    fill(store)
    signed_in(guarded, "root", "admin")
    gone = guarded.post("/api/v1/erasures", json={"value": MAIL}).json()["rows"]
    assert gone.pop("alertlog") == 0
    assert gone == {"events": 1, "transitions": 0, "items": 1, "findings": 0, "alerts": 0, "dead_letters": 1}
    assert MAIL not in str(store.run("SELECT * FROM events")) + str(store.run("SELECT * FROM items"))


def test_what_was_erased_is_not_loaded_again_and_the_rest_is(
    guarded: TestClient, store: Store, settings: Settings
) -> None:
    signed_in(guarded, "root", "admin")
    guarded.post("/api/v1/erasures", json={"key": "K-1"})
    guarded.post("/api/v1/erasures", json={"value": MAIL})
    loader, committed = Loader(store, settings, Metrics()), []
    names = {table: topic for topic, table in loader.tables.items()}
    for made in (rows("K-1", "x@y.z"), rows("K-2", MAIL), rows("K-30", "someone@example.org")):
        batch = [Message(names[table], 0, 1, 1, lines(many)) for table, many in made.items()]
        loader.load(batch, threading.Event(), committed.append)
    assert len(committed) == 3
    found = {
        table: {row["key"] for row in store.run("SELECT key FROM {t:Identifier}", t=table)} for table in TABLES[:5]
    }
    assert found["events"] == {"K-30"}
    assert found["items"] == {"K-30"}
    assert (
        found["transitions"] == found["findings"] == found["alerts"] == {"K-2", "K-30"}
    )  # they hold nothing of the value
    assert counts(store)["dead_letters"] == 1


def test_a_batch_under_way_is_waited_for(guarded: TestClient, store: Store) -> None:
    signed_in(guarded, "root", "admin")
    app_store: Store = guarded.app.state.context.store  # type: ignore[attr-defined]
    app_store.loading.acquire()
    asked = threading.Thread(target=lambda: guarded.post("/api/v1/erasures", json={"key": "K-1"}))
    asked.start()
    insert(store, "items", *rows("K-1", MAIL)["items"])  # the batch that began before
    assert counts(store)["items"] == 1
    app_store.loading.release()
    asked.join(20)
    assert counts(store)["items"] == 0


def test_too_little_is_not_erased(guarded: TestClient) -> None:
    signed_in(guarded, "root", "admin")
    for body in ({}, {"key": "a"}, {"value": "  "}, {"key": "K-1", "value": "K-1"}, {"key": "K\0-1"}):
        assert guarded.post("/api/v1/erasures", json=body).status_code == 422


def test_rows_are_matched_by_whole_values() -> None:
    erased = Erased.of([{"kind": "key", "digest": digest("K-1")}, {"kind": "value", "digest": digest("77")}])
    kept = [event(key="K-10", data={"n": 770}), event(key="K-2", data='{"cut": "77')]
    gone = [event(key="K-1"), event(key="K-3", data={"n": [77]}), event(key="K-3", groups={"g": "77"})]
    assert erased.without("events", lines([*kept[:1], *gone])) == lines(kept[:1])
    assert erased.without("events", lines(kept[1:])) == b""  # a record that was cut is compared word by word
    assert erased.without("events", b"no json") == b"no json"
    letters = [letter(b'K-1,"x'), letter(b'{"id": "K-1"}'), letter(b'{"id": "K-10"}'), letter(b"\xff\xfe")]
    assert erased.without("dead_letters", lines(letters)) == lines(letters[2:])
    assert not Erased()
