"""From records to events: identities, times, keys, groups, amounts, personal data, and why a record is no event."""

from __future__ import annotations

import hmac
import pickle
from typing import Any

import pytest

from udfs.core.event import Event
from udfs.core.source import Unreadable
from udfs.core.state import NEVER
from udfs.packs.mapping import SourceMapping, compile_mapping
from udfs.packs.problems import PackError
from udfs.packs.values import plain_text

CLOUD = {"source": "trades", "keys": {"trade_id": "data.trade_id"}}
FLAT = {"source": "log", "format": "csv", "type": "concept:name", "time": "at", "keys": {"case": "case:id"}}


def cloud(**more: Any) -> dict[str, Any]:
    event = {
        "id": "e1",
        "source": "/eu",
        "type": "trade.sent",
        "time": "2026-01-05T09:00:00Z",
        "data": {"trade_id": "T1"},
    }
    return {**event, **more}


def flat(**more: Any) -> dict[str, Any]:
    return {"concept:name": "send", "at": "2026-01-05T09:00:00", "case:id": "C1", **more}


def event(definition: dict[str, Any], record: Any, key: str | None = None, position: str = "t-0-7") -> Event:
    mapping = compile_mapping(definition, pii_key=b"secret")
    return mapping.event(record, key or mapping.key_names[0], position, 99)


def refusal(definition: dict[str, Any], record: Any, key: str | None = None) -> tuple[str, str]:
    with pytest.raises(Unreadable) as caught:
        event(definition, record, key)
    return caught.value.reason, caught.value.detail


def test_a_cloudevent_needs_no_more_than_a_key() -> None:
    record = cloud()
    assert event(CLOUD, record) == Event(
        id="e1", source="/eu", type="trade.sent", time=1_767_603_600_000, key="T1", data=record, received=99
    )


def test_a_flat_record_is_named_by_its_mapping() -> None:
    read = event(FLAT, flat())
    assert (read.source, read.type, read.key, read.time) == ("log", "send", "C1", 1_767_603_600_000)


def test_a_record_without_an_id_is_named_by_its_position_in_its_file() -> None:
    first, again = (
        event(FLAT, flat(_position="5"), position="a-0-1"),
        event(FLAT, flat(_position="5"), position="b-3-9"),
    )
    assert first.id == again.id
    assert len(first.id) == 32
    assert event(FLAT, flat(_position="6")).id != first.id
    assert event({**FLAT, "source": "other"}, flat(_position="5")).id != first.id


def test_a_record_without_an_id_or_a_file_is_named_by_its_place_in_kafka() -> None:
    assert event(FLAT, flat(), position="a-0-1").id == event(FLAT, flat(), position="a-0-1").id
    assert event(FLAT, flat(), position="a-0-1").id != event(FLAT, flat(), position="a-0-2").id
    assert event(CLOUD, cloud(id=None)).id == event(CLOUD, cloud(id="")).id != "e1"


def test_an_id_is_a_text_or_a_number_or_several_of_them() -> None:
    assert event({**FLAT, "id": "n"}, flat(n=7)).id == "7"
    assert event({**FLAT, "id": ["n", "x"]}, flat(n=7, x="a")).id == "7/a"
    assert refusal({**FLAT, "id": "n"}, flat(n=[1]))[0] == "invalid_event"


def test_parts_of_an_id_can_not_be_shifted_into_each_other() -> None:
    both = {**FLAT, "id": ["n", "x"]}
    assert event(both, flat(n="a/b", x="c")).id != event(both, flat(n="a", x="b/c")).id
    assert event(both, flat(n="a%2Fb", x="c")).id != event(both, flat(n="a/b", x="c")).id


def test_a_part_that_is_missing_leaves_the_id_to_the_position() -> None:
    assert len(event({**FLAT, "id": ["n", "x"]}, flat(n="a")).id) == 32


@pytest.mark.parametrize(
    ("value", "key"), [("T1", "T1"), (17, "17"), (-3, "-3"), (10**18, str(10**18)), (" é ", " é ")]
)
def test_a_key_is_a_text_or_a_whole_number(value: Any, key: str) -> None:
    assert event(CLOUD, cloud(data={"trade_id": value})).key == key


@pytest.mark.parametrize("value", [None, "", 1.5, 2.0, True, [], ["T1"], {}, 10**4000])
def test_nothing_else_is_a_key(value: Any) -> None:
    reason, detail = refusal(CLOUD, cloud(data={"trade_id": value}))
    assert reason == "no_key"
    assert "`data.trade_id`, where the mapping looks for it" in detail


def test_an_event_has_the_key_that_is_asked_for() -> None:
    two = {**CLOUD, "keys": {"trade_id": "data.trade_id", "order_id": "data.order_id"}}
    record = cloud(data={"trade_id": "T1", "order_id": "O1"})
    assert (event(two, record, "trade_id").key, event(two, record, "order_id").key) == ("T1", "O1")
    assert compile_mapping(two).key_paths == (("data", "trade_id"), ("data", "order_id"))


def test_a_cloudevent_may_have_no_data_at_all() -> None:
    record = cloud()
    del record["data"]
    assert refusal(CLOUD, record)[0] == "no_key"
    assert event({**CLOUD, "keys": {"subject": "subject"}}, {**record, "subject": "S"}).key == "S"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": None}, "no_type"),
        ({"type": ""}, "no_type"),
        ({"type": 5}, "no_type"),
        ({"time": None}, "no_time"),
        ({"time": ""}, "no_time"),
        ({"time": 1_767_603_600_000}, "bad_time"),
        ({"time": "2026-01-05T09:00:00"}, "bad_time"),
        ({"time": "yesterday"}, "bad_time"),
        ({"time": "1969-12-31T23:59:59Z"}, "bad_time"),
        ({"time": "2200-01-01T00:00:00Z"}, "bad_time"),
        ({"time": {"at": 1}}, "bad_time"),
        ({"id": {"n": 1}}, "invalid_event"),
        ({"source": 5}, "invalid_event"),
        ({"id": "x" * 1025}, "invalid_event"),
        ({"id": "\ud800"}, "invalid_event"),
    ],
)
def test_a_record_that_is_no_event_says_why(change: dict[str, Any], reason: str) -> None:
    assert refusal(CLOUD, cloud(**change))[0] == reason


@pytest.mark.parametrize("record", [None, [], "text", 5, True])
def test_what_is_no_object_is_no_event(record: Any) -> None:
    assert refusal(CLOUD, record)[0] == "not_an_object"


def test_the_edges_of_the_bounded_years_are_inside_and_outside() -> None:
    assert event(CLOUD, cloud(time="1970-01-01T00:00:00Z")).time == 0
    assert event(CLOUD, cloud(time="2199-12-31T23:59:59.999Z")).time == 7_258_118_399_999


def test_a_unit_that_is_mistaken_is_a_bad_time() -> None:
    seconds = {**FLAT, "time": {"path": "at", "format": "epoch_s"}}
    reason, detail = refusal(seconds, flat(at=1_767_603_600_000))
    assert reason == "bad_time"
    assert detail == (
        "can't read the time at `at`: `1767603600000`: it looks like milliseconds, and the mapping reads seconds"
    )
    reason, detail = refusal(seconds, flat(at=10**17))
    assert reason == "bad_time"
    assert detail == "the time at `at` is `100000000000000000`, not between the years 1970 and 2200; mind the unit"


def test_flat_times_without_an_offset_are_utc_unless_the_mapping_names_a_zone() -> None:
    amsterdam = {**FLAT, "time": {"path": "at", "zone": "Europe/Amsterdam"}}
    assert event(FLAT, flat()).time - event(amsterdam, flat()).time == 3_600_000


def test_a_cloudevent_without_an_offset_is_read_when_the_mapping_names_a_zone() -> None:
    zoned = {**CLOUD, "time": {"path": "time", "zone": "UTC"}}
    assert event(zoned, cloud(time="2026-01-05T09:00:00")).time == 1_767_603_600_000


def test_the_start_of_work_is_optional_but_not_arbitrary() -> None:
    started = {**FLAT, "started": {"path": "begun", "format": "epoch_s"}}
    assert event(started, flat(begun=5)).started == 5_000
    assert event(started, flat()).started is None
    assert event(started, flat(begun="")).started is None
    assert refusal(started, flat(begun="soon"))[0] == "bad_time"


def test_groups_are_texts_and_those_without_a_value_are_left_out() -> None:
    grouped = {**FLAT, "groups": {name: name for name in "abcdefg"}}
    record = flat(a="x", b=5, c=1.5, d=True, e=None, f="", g=[1])
    assert event(grouped, record).groups == (("a", "x"), ("b", "5"), ("c", "1.5"), ("d", "true"))


@pytest.mark.parametrize(
    ("value", "amount"),
    [(5, 5.0), (1.5, 1.5), ("26.85", 26.85), ("", None), ("much", None), (True, None), (None, None), ("nan", None)],
)
def test_an_amount_is_a_finite_number_or_nothing(value: Any, amount: float | None) -> None:
    assert event({**FLAT, "amount": "sum"}, flat(sum=value)).amount == amount


def test_when_says_which_records_are_meant() -> None:
    mapping = compile_mapping({**CLOUD, "when": {"source": ["/eu", "/us"], "data.n": 1}})
    assert mapping.matches(cloud(data={"n": 1}))
    assert not mapping.matches(cloud(data={"n": True}))
    assert not mapping.matches(cloud(source="/asia", data={"n": 1}))
    assert compile_mapping(CLOUD).matches({})


def test_personal_data_is_masked_or_hashed_in_a_copy() -> None:
    mapping = compile_mapping({**CLOUD, "pii": {"data.name": "mask", "data.legs[1].iban": "hash"}}, pii_key=b"secret")
    record = cloud(data={"name": "Jo", "legs": [{"iban": "A"}, {"iban": "B"}], "n": 1})
    masked = mapping.masked(record)
    assert masked["data"]["name"] == "***"
    assert masked["data"]["legs"][0] == {"iban": "A"}
    assert masked["data"]["legs"][1]["iban"] == hmac.new(b"secret", b"B", "sha256").hexdigest()[:16]
    assert masked["data"]["n"] == 1
    assert record["data"] == {"name": "Jo", "legs": [{"iban": "A"}, {"iban": "B"}], "n": 1}


def test_without_personal_data_the_record_is_not_copied() -> None:
    record = cloud()
    assert compile_mapping(CLOUD).masked(record) is record


def test_absent_personal_data_stays_absent() -> None:
    mapping = compile_mapping({**CLOUD, "pii": {"data.a.b": "mask", "data.l[3]": "hash", "x": "mask"}})
    assert mapping.masked(cloud(data="text", x=None)) == cloud(data="text", x=None)


def test_a_hashed_key_stands_for_itself_everywhere() -> None:
    hashed = {**CLOUD, "groups": {"who": "data.trade_id"}, "pii": {"data.trade_id": "hash"}}
    read = event(hashed, cloud())
    masked = compile_mapping(hashed, pii_key=b"secret").masked(cloud())
    assert read.key == read.groups[0][1] == masked["data"]["trade_id"] != "T1"
    assert compile_mapping(hashed, pii_key=b"other").event(cloud(), "trade_id", "", 0).key != read.key


def test_the_secret_of_hashes_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    hashed = {**CLOUD, "pii": {"data.trade_id": "hash"}}
    monkeypatch.setenv("DAYMARK_PII_KEY", "secret")
    assert compile_mapping(hashed).event(cloud(), "trade_id", "", 0).key == event(hashed, cloud()).key


def test_a_mapping_travels_by_pickle() -> None:
    mapping = compile_mapping({**CLOUD, "groups": {"m": "data.m"}, "pii": {"data.m": "hash"}}, pii_key=b"secret")
    copy: SourceMapping = pickle.loads(pickle.dumps(mapping))  # noqa: S301
    record = cloud(data={"trade_id": "T", "m": "x"})
    assert copy.event(record, "trade_id", "p", 1) == mapping.event(record, "trade_id", "p", 1)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{", "not_json"),
        (b"\xff", "not_json"),
        (b'{"a": NaN}', "not_json"),
        (b"[]", "not_an_object"),
        (b"5", "not_an_object"),
    ],
)
def test_bytes_that_hold_no_object_are_refused(raw: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        compile_mapping(CLOUD).parse(raw)
    assert caught.value.reason == reason


def test_a_faulty_mapping_is_refused_with_all_its_faults() -> None:
    with pytest.raises(PackError) as caught:
        compile_mapping({"source": 5, "keys": {}, "tpye": "x"})
    assert len(caught.value.problems) == 3


def test_a_number_too_long_to_tell_from_its_neighbours_is_no_id_and_no_key() -> None:
    for digits in ("100000000000000000001", "100000000000000000002"):
        record = compile_mapping(FLAT).parse(b'{"n": %s}' % digits.encode())["n"]
        with pytest.raises(Unreadable, match="too long to tell from its neighbours"):
            plain_text(record, "n")


def test_a_mapping_may_require_that_times_name_their_zone() -> None:
    strict = {**FLAT, "time": {"path": "at", "zone": "required"}}
    assert event(strict, flat(at="2026-01-05T10:00:00+01:00")).time == 1_767_603_600_000
    reason, detail = refusal(strict, flat())
    assert reason == "bad_time"
    assert "it has no zone" in detail


def test_a_mapping_knows_its_limits_and_its_heartbeat() -> None:
    plain = compile_mapping(CLOUD)
    assert (plain.future, plain.past, plain.heartbeat, plain.types) == (86_400_000, NEVER, 0, frozenset())
    watched = compile_mapping({**CLOUD, "heartbeat": "5m", "types": ["a", "b"], "time": {"path": "time", "past": "1h"}})
    assert (watched.heartbeat, watched.grace, watched.past) == (300_000, 60_000, 3_600_000)
    assert watched.types == {"a", "b"}
