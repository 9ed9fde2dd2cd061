"""An item's page says why each finding was made, and what alerts there were."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.screens.why import reasons, written
from api.settings import Settings
from api.store import Store
from tests.api.alertrows import alert
from tests.api.rows import T0, event, finding, insert, item, transition

PACK = """
workflow: w
key: id
steps:
  a: {on: a, start: true}
  b: {on: b, end: completed}
deadlines:
  - {id: reply, after: a, expect: b, within: 5m, severity: critical}
duplicates: {policy: alert, by: id}
"""


def hop(number: int, **more: Any) -> dict[str, Any]:
    return {"step": "a", "at_ms": T0, "event_id": f"e{number}", "event": {"id": f"e{number}"}, **more}


def why(timeline: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    told = finding(**more)
    return reasons({"timeline": timeline, "findings": [told]}, lambda *_: None)[told["id"]]


def test_the_event_that_started_the_clock_is_the_one_at_its_step_and_instant() -> None:
    timeline = [hop(1, at_ms=T0 - 1), hop(2, step="x"), hop(3)]
    assert why(timeline)["started"] == 3
    assert why(timeline, since_ms=T0 + 1)["started"] is None
    assert why(timeline, since_ms=None)["started"] is None


def test_records_that_are_no_longer_kept_are_not_numbered() -> None:
    assert why([hop(1, event=None), hop(2, step="x"), hop(3)])["started"] == 2
    assert why([hop(1, event=None)])["started"] is None


def test_the_evidence_is_the_event_that_the_finding_names() -> None:
    assert why([hop(1), hop(2, step="b")], kind="late", event_id="e2")["evidence"] == 2
    assert why([hop(1, event_id="")], event_id="")["evidence"] is None


@pytest.mark.parametrize(
    ("kind", "instant", "timer"),
    [
        ("missing", "Deadline", True),
        ("at_risk", "Warned at", True),
        ("late", "Deadline", False),
        ("duplicate", "", False),
    ],
)
def test_an_instant_is_called_what_it_is_and_a_timer_only_where_one_told_it(
    kind: str, instant: str, timer: bool
) -> None:
    assert (why([], kind=kind)["instant"], why([], kind=kind)["timer"]) == (instant, timer)


def test_a_rule_is_quoted_as_it_was_written() -> None:
    definition = {
        "deadlines": [{"id": "reply", "after": "a", "within": "5m"}],
        "schedules": [{"id": "daily", "by": "07:00"}],
        "duplicates": {"policy": "alert"},
    }
    assert written(definition, "reply") == "{id: reply, after: a, within: 5m}"
    assert written(definition, "daily") == "{id: daily, by: '07:00'}"
    assert written(definition, "duplicates") == "{policy: alert}"
    assert written(definition, "gone") == written(None, "reply") == ""


def test_the_page_has_rule_clock_deadline_evidence_alias_and_alerts(
    serve: Callable[[Settings], TestClient], settings: Settings, store: Store, tmp_path: Path
) -> None:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "workflow.yaml").write_text(PACK)
    client = serve(settings.model_copy(update={"packs": [tmp_path / "pack"]}))
    insert(store, "items", item(missing=1, late=1, step="b", events=2))
    insert(store, "events", event(), event(id="e2", type="b", time_ms=T0 + 400_000, key_name="ref", key="R-9"))
    insert(store, "transitions", transition())
    insert(store, "transitions", transition(event_id="e2", step="b", previous="a", at_ms=T0 + 400_000))
    insert(store, "findings", finding(id="1" * 32))
    insert(store, "findings", finding(id="2" * 32, kind="late", at_ms=T0 + 400_000, delta_ms=100_000, event_id="e2"))
    insert(
        store, "findings", finding(id="3" * 32, kind="late", at_ms=T0 + 400_000, delta_ms=1, event_id="e2", version=9)
    )
    insert(store, "alerts", alert(summary="reply is missing: K-1"), alert(id="b" * 32, key="K-2", summary="another's"))
    page = client.get("/items/w/K-1").text
    assert page.count("{id: reply, after: a, expect: b, within: 5m, severity: critical}") == 2, "of that version alone"
    assert page.count("told by a timer") == 1
    assert 'href="#event-1">its event' in page
    assert 'href="#event-2"><code>e2' in page
    assert 'id="event-2"' in page
    assert "R-9" in page
    assert f'href="/alerts/{"a" * 32}"' in page
    assert "another's" not in page
    told = client.get("/api/v1/items/w/K-1").json()
    reasons_told = {one["id"][0]: one["why"] for one in told["findings"]}
    assert reasons_told["1"] == {
        "rule": "{id: reply, after: a, expect: b, within: 5m, severity: critical}",
        "instant": "Deadline",
        "timer": True,
        "started_by": "e1",
    }
    assert not reasons_told["2"]["timer"]
    assert reasons_told["3"]["rule"] == "", "of another version"
    assert told["aliases"] == [{"name": "ref", "value": "R-9"}]
    assert [one["id"] for one in told["alerts"]] == ["a" * 32]
    assert told["related"] == []
