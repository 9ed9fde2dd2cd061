"""After an erasure no table of either store holds what was erased, also when Kafka is read again; the rest stays."""

from __future__ import annotations

import re
import threading
from typing import Any

import pytest
from starlette.testclient import TestClient

from api import customerlinks
from api.access import audit, erasure
from api.access.erased import Erased, digest, masked, phrases
from api.inserts import Message
from api.loader import Loader
from api.metrics import Metrics
from api.records.database import Change, Records
from api.records.tables import metadata
from api.settings import Settings
from api.store import TABLES, Store
from tests.api.access.conftest import NOW, records_of, signed_in
from tests.api.access.test_erasures import MAIL, rows
from tests.api.alertrows import alert, delivery, incident, logged
from tests.api.rows import Row, insert, lines


def about(key: str, mail: str) -> dict[str, list[Row]]:
    """Everything that may be known of somebody."""
    fingerprint, number = digest(key)[:32], digest(mail)[:32]
    said = f"{mail} called about {key}."
    return rows(key, mail) | {
        "alerts": [alert(key=key, id=fingerprint), alert(key="other", id=number, acked_by=mail, summary=f"like {key}")],
        "alertlog": [
            logged(alert=fingerprint, why=said),
            logged(alert=number, n=1, who=mail, what="commented", why=f"see {key}, {key}/{mail}: {said}"),
        ],
        "incidents": [
            incident(id=number, title=f"{key} is late", note=said, evidence=[said, "x"], groups={"mail": [mail, "x"]})
        ],
        "deliveries": [delivery(id=number, person=mail, detail=f"550 <{mail}> is unknown", alerts=[fingerprint])],
    }


def everything(store: Store) -> str:
    return str([store.run("SELECT * FROM {t:Identifier}", t=table) for table in TABLES])


def relational(client: TestClient) -> str:
    with records_of(client).reading() as connection:
        return str([[*map(tuple, connection.execute(table.select()))] for table in metadata.sorted_tables])


def write(client: TestClient, mail: str, key: str) -> None:
    """What the audit keeps of a comment, and an answer that is kept for a day."""
    with records_of(client).transaction() as tx:
        for number in range(3):
            after = {"text": f"{mail} called about {key}", "n": number} if number < 2 else {"text": f"{key}0"}
            tx.changed(Change(NOW, "ben", "comment", "alert/x", None, after))
        row = {"id": digest(key), "request": "", "status": 200, "headers": {}, "created_ms": NOW}
        customerlinks.make(tx, "mail", mail, "root", NOW, 1 << 50)
        answers = metadata.tables["answers"]
        tx.connection.execute(answers.insert().values(**row, body=f'{{"key": "{key}", "mail": "{mail}"}}'.encode()))


@pytest.mark.parametrize("kind", ["key", "value"])
def test_no_table_of_either_store_holds_it_any_more(
    guarded: TestClient, store: Store, settings: Settings, kind: str
) -> None:
    root = signed_in(guarded, "root", "admin")
    known = about("K-1", MAIL)
    others = about("K-10", "someone@example.org")
    for table in known:
        insert(store, table, *known[table], *others[table])
    write(guarded, MAIL, "K-1")
    before = everything(store)
    assert MAIL in before
    answer = root.post("/api/v1/erasures", json={"key": "K-1"} if kind == "key" else {"value": MAIL})
    assert answer.status_code == 201, answer.text
    assert answer.json()["redacted"] == 2
    if kind == "key":
        root.post("/api/v1/erasures", json={"value": MAIL})
    else:
        root.post("/api/v1/erasures", json={"key": "K-1"})
    loader = Loader(store, settings, Metrics())
    names = {table: topic for topic, table in loader.tables.items()}
    for _ in range(2):
        held = everything(store) + relational(guarded)
        assert MAIL not in held
        assert re.findall(r".{60}K-1(?!0).{30}", held) == []
        loader.load(
            [Message(names[table], 0, 1, 1, lines(many)) for table, many in known.items()],
            threading.Event(),
            lambda _: None,
        )
    held = everything(store)
    assert "someone@example.org called about K-10." in held
    assert "550 <someone@example.org> is unknown" in held
    assert "550 <[erased]> is unknown" in held
    assert "K-10" in relational(guarded)


def test_the_audit_holds_after_an_erasure_and_no_other_change_hides_behind_it(guarded: TestClient) -> None:
    root = signed_in(guarded, "root", "admin")
    write(guarded, MAIL, "K-1")
    with records_of(guarded).reading() as connection:
        head = audit.verify(connection).head
    root.post("/api/v1/erasures", json={"key": "K-1"})
    root.post("/api/v1/erasures", json={"value": MAIL})
    with records_of(guarded).reading() as connection:
        verdict = audit.verify(connection, head)
        [first, *_] = audit.entries(connection, action="comment", limit=9)[::-1]
    assert (verdict.fault, verdict.redacted) == ("", 2), "each twice, and whoever kept a head finds it"
    assert first["after"]["text"] == "[erased] called about [erased]"
    table = metadata.tables["audit"]
    with records_of(guarded).transaction() as tx:
        row = tx.connection.execute(table.select().where(table.c.id == first["id"])).one()
        tx.connection.execute(
            table.update().where(table.c.id == row.id).values(entry=row.entry.replace("called", "never called"))
        )
    with records_of(guarded).reading() as connection:
        verdict = audit.verify(connection, head)
    assert (verdict.at, "was changed" in verdict.fault) == (first["id"], True)


def test_no_erasure_owns_up_to_what_somebody_had_changed_before(records: Records) -> None:
    for who in ("anna", "bob"):
        with records.transaction() as tx:
            tx.changed(Change(NOW, who, "put", "user/x", None, {"note": f"of {MAIL}, C-1029", "role": "viewer"}))
    table = metadata.tables["audit"]
    with records.transaction() as tx:
        told = tx.connection.execute(table.select().where(table.c.id == 1)).one().entry
        tx.connection.execute(table.update().where(table.c.id == 1).values(entry=told.replace("viewer", "admin")))
    for values in (["C-1029"], [MAIL]):
        with records.transaction() as tx:
            ids = erasure.redact(tx, values)
            assert ids == [2]
            tx.changed(Change(NOW, "root", "erase", "e", None, {"redacted": audit.redactions(tx.connection, ids)}))
    with records.reading() as connection:
        verdict = audit.verify(connection)
        assert (verdict.at, "was changed" in verdict.fault) == (1, True)
        texts = [entry["after"]["note"] for entry in audit.entries(connection, action="put")]
    assert texts == ["of [erased], [erased]"] * 2, "it is gone from the changed one, too"


def test_an_entry_that_is_erased_twice_by_one_call_is_owned_up_to(records: Records) -> None:
    with records.transaction() as tx:
        tx.changed(Change(NOW, "anna", "put", f"link/{MAIL}/1", None, {"note": f"of {MAIL}, C-1029"}))
    with records.transaction() as tx:
        ids = erasure.redact(tx, ["C-1029", MAIL])
        tx.changed(Change(NOW, "root", "erase", "e", None, {"redacted": audit.redactions(tx.connection, ids)}))
    with records.reading() as connection:
        verdict = audit.verify(connection)
        [_, first] = audit.entries(connection)
    assert (verdict.fault, verdict.redacted) == ("", 1)
    assert (first["subject"], first["after"]["note"]) == ("link/[erased]/1", "of [erased], [erased]")


def test_a_text_is_found_where_it_stands_for_itself() -> None:
    assert masked("K-1 K-1,K-10 K-1-2 aK-1 (K-1)", "K-1") == "[erased] [erased],K-10 K-1-2 aK-1 ([erased])"
    assert "Ann O'Brien" in set(phrases("so Ann O'Brien, called"))
    assert "a@b.c" in set(phrases("ask <a@b.c>."))
    erased = Erased.of([{"kind": "value", "digest": digest("Ann O'Brien")}])
    [kept] = [erased.without("alertlog", lines([logged(why="so Ann O'Brien, called")]))]
    assert b"so [erased], called" in kept
    row: dict[str, Any] = logged(why="nobody")
    assert erased.without("alertlog", lines([row])) == lines([row])
