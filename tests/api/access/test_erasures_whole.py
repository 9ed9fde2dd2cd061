"""One call erases a person whatever their key or value looks like in what is stored, and leaves what is others'."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from starlette.testclient import TestClient

from api.access import forms
from api.access.together import Together, together
from api.inserts import Message
from api.loader import Loader
from api.metrics import Metrics
from api.settings import Settings
from api.store import Store
from tests.api.access.conftest import HOME, signed_in
from tests.api.rows import Row, event, insert, item, lines, transition
from udfs.packs.pii import hashed

KEY = b"a secret of hashes"


@pytest.fixture
def root(app_of: Callable[[Settings], TestClient], settings: Settings) -> TestClient:
    """An admin of a server that knows the secret of hashed fields."""
    client = app_of(settings.model_copy(update={"sign_in": "required", "pii_key": KEY.decode()}))
    client.headers.update(HOME)
    return signed_in(client, "root", "admin")


def erase(root: TestClient, **what: str) -> Row:
    answer = root.post("/api/v1/erasures", json=what)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def records(store: Store) -> dict[str, Any]:
    """The events that are there, by id: what they say."""
    return {row["id"]: orjson.loads(row["data"]) for row in store.run("SELECT id, data FROM events FINAL")}


def read_again(store: Store, settings: Settings, **tables: list[Row]) -> None:
    """Kafka is read from its beginning, as after a restore."""
    loader = Loader(store, settings, Metrics())
    names = {table: topic for topic, table in loader.tables.items()}
    batch = [Message(names[table], 0, 1, 1, lines(rows)) for table, rows in tables.items()]
    loader.load(batch, threading.Event(), lambda _: None)


def heard(id: str, key: str, **data: Any) -> Row:
    return event(id=id, key=key, data=orjson.dumps({"data": data}).decode())


EVENTS = [
    heard("order", "ORDER-1", name="Ann"),
    heard("exec", "EXEC-9", order="ORDER-1", name="Ann"),
    heard("exec2", "EXEC-9", name="Ann"),  # moved nothing: a copy
    heard("batch", "BATCH-7", orders=["ORDER-1", "ORDER-2", "ORDER-10"], note="first ORDER-1, then\nORDER-1"),
    heard("part", "BATCH-7", order="ORDER-1", name="Ann"),
    heard("other", "ORDER-2", name="Ben"),
]
MOVES = [
    transition(key="ORDER-1", event_id="order"),
    transition(key="ORDER-1", event_id="exec"),
    transition(key="ORDER-1", event_id="batch"),
    transition(key="ORDER-2", event_id="batch"),
    transition(key="ORDER-1", event_id="part"),
    transition(key="ORDER-2", event_id="other"),
]


@pytest.mark.parametrize(("key", "also"), [("ORDER-1", ["EXEC-9"]), ("EXEC-9", ["ORDER-1"])])
def test_an_item_goes_with_the_keys_that_are_its_own_and_others_keep_what_is_shared(
    root: TestClient, store: Store, settings: Settings, key: str, also: list[str]
) -> None:
    insert(store, "items", item(key="ORDER-1"), item(key="ORDER-2"))
    insert(store, "transitions", *MOVES)
    insert(store, "events", *EVENTS)
    told = erase(root, key=key)
    assert (told["also"], told["shared"], told["note"]) == (also, ["BATCH-7"], "")
    for _ in range(2):
        left = records(store)
        assert set(left) == {"batch", "other"}
        assert left["batch"]["data"] == {
            "orders": ["[erased]", "ORDER-2", "ORDER-10"],
            "note": "first [erased], then\n[erased]",
        }
        assert {row["key"] for row in store.run("SELECT key FROM transitions FINAL")} == {"ORDER-2"}
        assert {row["key"] for row in store.run("SELECT key FROM items FINAL")} == {"ORDER-2"}
        read_again(store, settings, events=EVENTS, transitions=MOVES, items=[item(key="ORDER-1")])
    audit = root.get("/api/v1/audit").text
    assert "ORDER-1" not in audit
    assert "EXEC-9" not in audit
    assert {row["kind"] for row in root.get("/api/v1/erasures").json()} == {"key"}


def test_a_parents_children_stay_and_are_named(root: TestClient, store: Store) -> None:
    insert(store, "transitions", transition(key="child", event_id="c"), transition(key="parent", event_id="c"))
    insert(store, "events", heard("c", "child", of="parent"))
    assert erase(root, key="parent")["shared"] == ["child"]
    assert records(store)["c"]["data"] == {"of": "[erased]"}
    assert erase(root, key="child")["shared"] == []


@pytest.mark.parametrize("written", ["4471234", " 4471234 ", "4471234.0", '"4471234"'])
def test_a_number_is_found_however_json_writes_it(
    root: TestClient, store: Store, settings: Settings, written: str
) -> None:
    rows = [
        event(id="ours", data=f'{{"data": {{"n":{written},"m":[1,2]}}}}'),
        event(id="longer", data='{"data": {"n": 44712345, "m": [14471234, 4471234.5]}}'),
    ]
    insert(store, "events", *rows)
    assert erase(root, value="4471234")["rows"]["events"] == 1
    read_again(store, settings, events=[{**row, "data": orjson.loads(row["data"])} for row in rows])
    assert set(records(store)) == {"longer"}


def test_a_key_that_is_a_number_leaves_records_of_others_as_json(root: TestClient, store: Store) -> None:
    insert(store, "events", event(id="own", key="4471"), event(id="others", data='{"ids":[4471,4471, 5],"a":"4471"}'))
    erase(root, key="4471")
    assert records(store) == {"others": {"ids": ["[erased]", "[erased]", 5], "a": "[erased]"}}


@pytest.mark.parametrize("kind", ["key", "value"])
@pytest.mark.parametrize("given", ["ann@example.org", "4471234"])
def test_what_a_mapping_has_hashed_is_found_by_what_it_was(
    root: TestClient, store: Store, settings: Settings, kind: str, given: str
) -> None:
    mark = hashed(given, KEY)
    rows = [event(id="e", key=mark, data={"mail": mark}), event(id="x", key="K-2", data={"mail": hashed("ben", KEY)})]
    insert(store, "events", *({**row, "data": orjson.dumps(row["data"]).decode()} for row in rows))
    insert(store, "items", item(key=mark), item(key="K-3", groups={"mail": mark}))
    told = erase(root, **{kind: given})
    assert (told["rows"]["events"], told["rows"]["items"]) == (1, 1 if kind == "key" else 2)
    read_again(store, settings, events=rows, items=[item(key=mark)])
    assert set(records(store)) == {"x"}


@pytest.mark.parametrize(
    "written", ["Zoë Müller/中", "Zo\\u00eb M\\u00fcller/\\u4e2d", "Zo\\u00EB M\\u00FCller\\/\\u4E2D"]
)
def test_letters_of_all_scripts_are_found_however_json_writes_them(
    root: TestClient, store: Store, settings: Settings, written: str
) -> None:
    row = event(id="e", data=f'{{"name": "{written}"}}')
    insert(store, "events", row, event(id="x", data=f'{{"name": "{written}er"}}'))
    assert erase(root, value="Zoë Müller/中")["rows"]["events"] == 1
    read_again(store, settings, events=[row])
    assert set(records(store)) == {"x"}


def test_the_answer_that_names_other_keys_is_kept_nowhere(root: TestClient, store: Store) -> None:
    insert(store, "transitions", *MOVES)
    insert(store, "events", *EVENTS)
    headers = {"Idempotency-Key": "once"}
    for also in (["EXEC-9"], []):
        answer = root.post("/api/v1/erasures", json={"key": "ORDER-1"}, headers=headers)
        assert answer.json()["also"] == also, "done anew, which does no harm"


@pytest.mark.parametrize(
    ("key", "edges", "expected"),
    [
        ("K", [], Together()),
        ("K", [("K", "K")], Together()),
        ("K", [("K", "K"), ("A", "K"), ("B", "K"), ("B", "L"), ("L", "L")], Together(("A",), ("B",))),
        ("A", [("A", "K"), ("K", "K"), ("C", "K")], Together(("C", "K"), ())),
        ("A", [("A", "K"), ("A", "L"), ("K", "K")], Together((), ("K", "L"))),
        ("child", [("child", "child"), ("child", "P"), ("P", "P")], Together((), ("P",))),
        ("P", [("child", "child"), ("child", "P"), ("P", "P")], Together((), ("child",))),
    ],
)
def test_which_keys_go_together(key: str, edges: list[tuple[str, str]], expected: Together) -> None:
    assert together({key}, edges) == expected


def test_what_is_not_known_to_the_end_is_kept(root: TestClient, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.access.together.MOST_EDGES", 3)
    insert(store, "transitions", *MOVES)
    insert(store, "events", *EVENTS)
    told = erase(root, key="ORDER-1")
    assert (told["also"], "EXEC-9" in told["shared"] or "BATCH-7" in told["shared"]) == ([], True)


@pytest.mark.parametrize("what", [{"key": "ORDER-1"}, {"value": "ann@example.org"}], ids=["key", "value"])
def test_no_statement_of_it_is_cut_off_as_a_screens_is(
    root: TestClient, monkeypatch: pytest.MonkeyPatch, what: dict[str, str]
) -> None:
    asked: list[str] = []
    for name in ("run", "command"):
        real = getattr(Store, name)

        def heard(self: Store, statement: str, real: Any = real, **given: Any) -> Any:
            asked.append(statement)
            return real(self, statement, **given)

        monkeypatch.setattr(Store, name, heard)
    erase(root, **what)
    assert len(asked) > 15
    assert [statement for statement in asked if "max_execution_time = 3600" not in statement] == []


def test_what_may_stand_for_a_text() -> None:
    assert forms.values("K-1", b"")[0] == "K-1"
    assert len(forms.values("K-1", b"")) == 2
    assert forms.values("12", b"")[:2] == ["12", "12.0"]
    assert forms.values("12.50", b"")[:2] == ["12.50", "12.5"]
    assert forms.values("true", b"")[0] == "true"
    assert forms.number(["K-1"]) == forms.NEVER
    assert forms.quoted(["K-1"]) == ['"K-1"']
