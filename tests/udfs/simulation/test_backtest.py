"""Two versions of a rule over one history, which is stored as the event log stores it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from udfs.packs.compile import compile_workflow
from udfs.simulation.backtest import compare, run
from udfs.simulation.history import History, caveats

T0 = 1_700_000_000_000
MINUTE = 60_000
RULE: dict[str, Any] = {
    "workflow": "trade",
    "key": "trade_id",
    "steps": {"send": {"on": "sent", "start": True}, "reply": {"on": "replied", "end": "completed"}},
    "flow": ["send -> reply"],
    "deadlines": [{"id": "reply", "after": "send", "expect": "reply", "within": "5m"}],
}
MAPPING: dict[str, Any] = {"source": "trades", "keys": {"trade_id": "data.id", "order_id": "data.order"}}


def row(key: str, kind: str, at: int, **data: Any) -> dict[str, Any]:
    record = {"id": f"{key}{kind}", "source": "/s", "type": kind, "time": "2023-11-14T22:13:20Z", "data": data}
    fields = {"source": "/s", "id": f"{key}{kind}", "type": kind, "time_ms": T0 + at, "received_ms": T0 + at}
    return {**fields, "key_name": "trade_id", "key": key, "groups": {}, "data": json.dumps(record), "truncated": 0}


HISTORY = [
    row("A", "sent", 0),
    row("A", "replied", 2 * MINUTE),
    row("B", "sent", 10 * MINUTE),
    row("B", "replied", 18 * MINUTE),
    row("C", "sent", 20 * MINUTE),
]


def within(span: str, **more: Any) -> dict[str, Any]:
    return RULE | {"deadlines": [RULE["deadlines"][0] | {"within": span}]} | more


def played(definition: dict[str, Any], until: int = T0 + 60 * MINUTE) -> Any:
    history = History([MAPPING], {"trade_id"})
    records = [(one["time_ms"], history.copies(one)) for one in HISTORY if one["time_ms"] < until]
    spec = compile_workflow(definition, version=1, lane="main")
    return run(spec, records, T0, until, lambda done: None)


def test_a_longer_span_takes_findings_away_and_keeps_the_same_ones() -> None:
    result = compare(played(RULE), played(within("9m")), T0, T0 + 60 * MINUTE)
    assert (result["before"], result["after"]) == (3, 1), "B missing and late, C missing; then C missing"
    assert (result["same"], result["new"], result["gone"]) == (1, 0, 2)
    assert [(one["key"], one["kind"]) for one in result["gone_findings"]] == [("B", "missing"), ("B", "late")]
    assert {"rule": "reply", "kind": "missing", "before": 2, "after": 1} in result["counts"]


def test_a_shorter_span_brings_new_ones() -> None:
    result = compare(played(RULE), played(within("1m")), T0, T0 + 60 * MINUTE)
    assert [(one["key"], one["kind"]) for one in result["new_findings"]] == [("A", "missing"), ("A", "late")]
    assert result["gone"] == 0


def test_where_nothing_is_in_force_all_is_new() -> None:
    result = compare(None, played(RULE), T0, T0 + 60 * MINUTE)
    assert (result["before"], result["new"]) == (None, 3)


@pytest.mark.parametrize(("until", "count"), [(15 * MINUTE, 0), (15 * MINUTE + 1, 1), (16 * MINUTE, 1)])
def test_time_ends_where_the_span_ends(until: int, count: int) -> None:
    """B is due 15 minutes after the beginning: what is due at the end of the span is not in it."""
    said = played(RULE, T0 + until)
    assert len(said.within(T0, T0 + until)) == count


def test_what_fell_due_before_the_span_is_not_counted() -> None:
    assert len(played(RULE).within(T0 + 15 * MINUTE + 1, T0 + 60 * MINUTE)) == 1


def test_other_keys_are_read_out_of_the_record_and_masked_ones_are_counted() -> None:
    history = History([MAPPING], {"trade_id", "order_id"})
    copies = history.copies(row("A", "sent", 0, id="A", order="O-1"))
    assert {name: one.key for name, one in copies.items()} == {"trade_id": "A", "order_id": "O-1"}
    assert "order_id" not in history.copies(row("A", "sent", 0, id="A", order="***"))
    assert history.unusable == {"order_id": 1}


def test_a_hashed_key_is_not_hashed_again() -> None:
    mapping = MAPPING | {"pii": {"data.order": "hash"}}
    history = History([mapping], {"order_id"})
    assert history.copies(row("A", "sent", 0, id="A", order="3f2a"))["order_id"].key == "3f2a"


@pytest.mark.parametrize("broken", [{"data": "no json"}, {"data": "[]"}, {"data": '{"a', "truncated": 1}])
def test_a_record_that_was_not_kept_whole_still_has_its_own_key(broken: dict[str, Any]) -> None:
    history = History([MAPPING], {"trade_id"})
    assert history.copies(row("A", "sent", 0) | broken)["trade_id"].key == "A"


def test_what_history_cannot_answer_is_said() -> None:
    steps = {"send": {"on": "sent", "start": True, "where": {"data.iban": "X"}}}
    rule = RULE | {"steps": steps, "key": ["trade_id", "order_id"], "duplicates": {"policy": "alert"}, "predict": {}}
    told = caveats(rule, [MAPPING | {"pii": {"data.iban": "mask", "data.order": "mask"}}])
    assert [next(word for word in ("iban", "order_id", "copies", "stalled") if word in one) for one in told] == [
        "iban",
        "order_id",
        "copies",
        "stalled",
    ]
    assert caveats(RULE, [MAPPING]) == []


def test_the_worker_does_it_in_a_process_of_its_own(tmp_path: Path) -> None:
    events = tmp_path / "events.ndjson"
    events.write_text("".join(f"{json.dumps(one)}\n" for one in HISTORY))
    job = {"events": str(events), "lane": "main", "mappings": [MAPPING], "before": RULE, "after": within("9m")}
    job |= {"begin": T0, "since": T0, "until": T0 + 60 * MINUTE}
    command = [sys.executable, "-m", "udfs.simulation.worker"]
    done = subprocess.run(command, input=json.dumps(job), capture_output=True, text=True, timeout=60, check=True)
    *progress, last = map(json.loads, done.stdout.splitlines())
    assert progress[-1] == {"done": 10, "total": 10}
    assert (last["result"]["before"], last["result"]["after"], last["result"]["events"]) == (3, 1, 5)


def test_the_worker_says_why_it_cannot(tmp_path: Path) -> None:
    (tmp_path / "none").touch()
    job = {"events": str(tmp_path / "none"), "lane": "main", "mappings": [], "before": None, "after": {"workflow": "w"}}
    command = [sys.executable, "-m", "udfs.simulation.worker"]
    done = subprocess.run(command, input=json.dumps(job), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "can't be run" in json.loads(done.stdout)["error"]
