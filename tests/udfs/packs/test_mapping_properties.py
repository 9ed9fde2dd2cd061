"""Whatever a record holds: an event that can be stored, or Unreadable with a reason that dead letters know."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.effort import examples
from udfs.core.source import Unreadable
from udfs.packs.mapping import compile_mapping

REASONS = {"not_an_object", "no_key", "no_type", "no_time", "bad_time", "invalid_event"}

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=10**4000, max_value=10**4200)
    | st.floats()
    | st.text(st.characters())
    | st.text(st.characters(categories=["Cs", "Lu"]), max_size=4)
    | st.datetimes().map(lambda moment: moment.isoformat())
    | st.sampled_from(
        ["", "x" * 2000, "2026-01-01T00:00:00Z", "1700000000", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"]
    )
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcxyz"), inner, max_size=3)
)
fields = ["id", "source", "type", "time", "started", "_position", "a", "b", "data"]
times = {
    "iso": "2026-01-05T09:00:00Z",
    "epoch_s": 1_767_603_600,
    "epoch_ms": 1_767_603_600_000,
    "epoch_us": 1_767_603_600_000_000,
    "%d.%m.%Y %H:%M": "05.01.2026 09:00",
}
damage = st.dictionaries(st.sampled_from(fields), values, max_size=2)


@settings(max_examples=examples(800), deadline=None)
@given(
    record=values | damage,
    whole=st.booleans(),
    form=st.sampled_from(list(times)),
    zone=st.sampled_from([None, "Europe/Amsterdam"]),
    kind=st.sampled_from(["cloudevents", "json"]),
    hidden=st.sampled_from([{}, {"a": "hash", "b": "hash"}]),
)
def test_a_record_becomes_an_event_or_says_why_not(
    record: Any, whole: bool, form: str, zone: str | None, kind: str, hidden: dict[str, str]
) -> None:
    if whole and isinstance(record, dict):  # a sound record, with some of its fields spoilt
        record = {"id": "e1", "type": "t", "time": times[form], "a": "K", **record}
    at = {"path": "time", "format": form, **({"zone": zone} if zone else {})}
    definition = {
        "source": "s",
        "format": kind,
        "id": ["id", "b"] if form == "iso" else "id",
        "type": "type",
        "time": at,
        "started": {**at, "path": "started"},
        "keys": {"k": "a"},
        "groups": {"g": "b", "h": "data.x", "i": "data[0]"},
        "amount": "data.y",
        "pii": hidden,
    }
    mapping = compile_mapping(definition, pii_key=b"s")
    try:
        event = mapping.event(record, "k", "t-0-1", 5)
    except Unreadable as caught:
        refusal: Unreadable | None = caught
    else:
        refusal = None
    if refusal:
        assert refusal.reason in REASONS, refusal
        refusal.detail.encode()
    else:
        assert 0 <= event.time < 7_258_118_400_000
        texts = (event.id, event.source, event.type, event.key, *(text for _, text in event.groups))
        assert all(texts)
        assert max(map(len, texts)) <= 1024
        "".join(texts).encode()


@settings(max_examples=examples(200), deadline=None)
@given(record=st.dictionaries(st.sampled_from("abx"), values))
def test_masking_takes_out_what_it_names_and_nothing_else(record: dict[str, Any]) -> None:
    mapping = compile_mapping({"source": "s", "keys": {"k": "k"}, "pii": {"a.x": "mask", "b[0]": "mask"}})
    before = repr(record)
    masked = mapping.masked(record)
    assert repr(record) == before
    assert repr(masked.get("x")) == repr(record.get("x"))
    for value in (
        masked["a"].get("x") if isinstance(masked.get("a"), dict) else None,
        (masked.get("b") or [None])[0] if isinstance(masked.get("b"), list) else None,
    ):
        assert value in (None, "***")


@settings(max_examples=examples(300), deadline=None)
@given(raw=st.binary() | st.text(st.characters(exclude_categories=["Cs"])).map(lambda text: json.dumps(text).encode()))
def test_any_bytes_are_parsed_or_refused(raw: bytes) -> None:
    mapping = compile_mapping({"source": "s", "keys": {"k": "k"}})
    try:
        outcome: Any = mapping.parse(raw)
    except Unreadable as caught:
        outcome = caught.reason
    assert isinstance(outcome, dict) or outcome in {"not_json", "not_an_object"}
