"""What the screens show, and the same as JSON."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.publish import PublishError, Record
from api.runbooks import rendered, runbook
from api.screens.charts import HEIGHT, columns, unusual
from api.screens.layout import HEIGHT as NODE_HEIGHT
from api.screens.layout import WIDTH as NODE_WIDTH
from api.screens.layout import curve, layout
from api.settings import Settings
from api.store import Store
from api.templating import compact
from tests.api.rows import T0, event, finding, insert, item, progress, transition

ROOT = Path(__file__).parents[2]
HOUR = 3_600_000


def test_what_an_ended_item_missed_is_no_longer_broken(client: TestClient, store: Store) -> None:
    insert(store, "progress", progress(watermark_ms=T0 + HOUR, at_ms=T0 + HOUR))
    insert(store, "findings", finding(id="1"), finding(id="2", key="K-2"), finding(id="3", key="K-3"))
    insert(store, "findings", finding(id="4", key="K-3", kind="late", at_ms=T0 + 400_000))
    insert(store, "items", item(overdue=1, missing=1), item(key="K-2", status="failed", overdue=1, missing=1))
    insert(store, "items", item(key="K-3", missing=1, late=1))
    assert [row["key"] for row in client.get("/api/v1/overview").json()["open"]] == ["K-1"]


@pytest.mark.parametrize(("late_ms", "calm"), [(0, True), (HOUR, False)])
def test_silence_is_never_green_nor_called_calm(client: TestClient, store: Store, late_ms: int, calm: bool) -> None:
    assert "Nothing is overdue" not in client.get("/wall").text, "nothing was seen at all"
    now = time.time_ns() // 1_000_000 - late_ms
    insert(store, "progress", progress(watermark_ms=now, at_ms=now))
    insert(store, "items", item(status="completed", run_ms=now, started_ms=now, updated_ms=now, ended_ms=now))
    for path in ("/wall", "/"):
        text = client.get(path).text
        assert ("Nothing is overdue" in text, "Nothing is known to be overdue" in text) == (calm, not calm), path


def test_an_item_is_found_by_its_own_key_and_by_any_key_of_its_events(client: TestClient, store: Store) -> None:
    insert(store, "items", item(key="ORDER-1"), item(key="ORDER-2"))
    insert(store, "events", event(id="e1", key_name="execution", key="EXEC-9"))
    insert(store, "transitions", transition(key="ORDER-1", event_id="e1"))
    for key in ("ORDER-1", "EXEC-9"):
        found = client.get("/api/v1/search", params={"key": key}).json()
        assert ([row["key"] for row in found["items"]], found["next"]) == (["ORDER-1"], None), key
    led = client.get("/items", params={"key": "EXEC-9"}, follow_redirects=False)
    assert led.status_code == 303
    assert led.headers["location"].startswith("/items/w/ORDER-1?lane=main")
    assert "EXEC-9" in client.get(led.headers["location"]).text, "aliases are shown"
    listed = client.get("/items", params={"key": "ORDER"}).text
    assert listed.count('href="/items/w/ORDER-') == 2
    assert "No item fits" in client.get("/items", params={"key": "NOBODY"}).text


@pytest.mark.parametrize("limit", [1, 4, 1000])
def test_pages_of_what_a_key_leads_to_show_everything_once(client: TestClient, store: Store, limit: int) -> None:
    for _ in range(2):
        insert(store, "items", *(item(key=f"PART-{n}", updated_ms=T0 + n % 3) for n in range(9)))
        insert(store, "items", *(item(key="BATCH", lane=lane, run_ms=T0 + 1) for lane in ("main", "replay-1")))
        insert(store, "events", *(event(id=f"e{n}", key="BATCH", time_ms=T0 + n) for n in range(9)))
        insert(store, "transitions", *(transition(key=f"PART-{n}", event_id=f"e{n}", at_ms=T0 + n) for n in range(9)))
    seen: list[tuple[str, str]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get("/api/v1/search", params={"key": "BATCH", "limit": limit, "cursor": cursor}).json()
        assert page["items"]
        seen += [(row["lane"], row["key"]) for row in page["items"]]
        cursor = page["next"]
    assert len(seen) == len(set(seen)) == 11
    assert client.get("/api/v1/search", params={"key": "BATCH", "cursor": "!!!"}).status_code == 400


def test_the_map_as_it_was_counts_what_waited_then(client: TestClient, store: Store) -> None:
    """One item that stood at `a` from T0 to T0 + 60 s, then at `b`; another that still stands at `a`."""
    insert(store, "progress", progress(watermark_ms=T0 + HOUR, at_ms=T0 + HOUR))
    insert(store, "items", item(step="b", updated_ms=T0 + 60_000), item(key="K-2"))
    insert(store, "transitions", transition(), transition(key="K-2", event_id="e3"))
    insert(
        store, "transitions", transition(event_id="e2", step="b", previous="a", previous_at_ms=T0, at_ms=T0 + 60_000)
    )

    def waiting(at: int) -> dict[str, int]:
        steps = client.get("/api/v1/workflows/w/map", params={"at": at}).json()["steps"]
        return {row["step"]: row["waiting"] for row in steps if row["waiting"]}

    assert waiting(T0 - 1) == {}
    assert waiting(T0) == waiting(T0 + 59_999) == {"a": 2}
    assert waiting(T0 + 60_000) == waiting(0) == {"a": 1, "b": 1}


def test_the_map_shows_at_risk_until_it_was_done_in_time(client: TestClient, store: Store) -> None:
    insert(store, "progress", progress(watermark_ms=T0 + HOUR, at_ms=T0 + HOUR))
    insert(store, "transitions", transition())
    insert(store, "items", item(other=1, pending=[{"id": "reply", "due_ms": T0 + 120_000}]))
    warned = finding(kind="at_risk", because="a", deadline_ms=T0 + 60_000, at_ms=None)
    insert(store, "findings", warned)

    def at_risk(at: int) -> int:
        steps = client.get("/api/v1/workflows/w/map", params={"at": at}).json()["steps"]
        return sum(row["at_risk"] for row in steps)

    assert at_risk(0) == 1
    insert(store, "findings", warned | {"at_ms": T0 + 90_000, "delta_ms": -30_000})
    assert [at_risk(T0 + ms) for ms in (59_999, 60_000, 89_999, 90_000)] == [0, 1, 1, 0]
    assert at_risk(0) == 0
    page = client.get("/api/v1/findings").json()
    assert [row["at_ms"] for row in page["items"]] == [T0 + 90_000], "it is one finding"


def test_pages_of_events_show_everything_once(client: TestClient, store: Store) -> None:
    for _ in range(2):
        insert(store, "events", *(event(id=f"e{n:03}") for n in range(250)))
    seen, path = [], f"/events?lane=main&since={T0}&until={T0 + 1}"
    while path:
        page = client.get(path).text
        seen += [part.split("<")[0] for part in page.split("id <code>")[1:]]
        older = page.partition('class="button quiet" href="')[2]
        path = older.split('"')[0].replace("&amp;", "&")
    assert seen == [f"e{n:03}" for n in reversed(range(250))]


def test_a_dead_letter_is_sent_again_byte_for_byte(client: TestClient, store: Store, monkeypatch: Any) -> None:
    letter = {"lane": "main", "partition": 0, "received_ms": T0, "reason": "no_key", "detail": "d", "raw": "eyI="}
    cut = letter | {"topic": "daymark.events.main", "offset": 2, "detail": "d (only the first 9 of 10 bytes are kept)"}
    insert(store, "dead_letters", letter | {"topic": "daymark.events.main", "offset": 1}, cut)
    insert(store, "dead_letters", letter | {"topic": "daymark.rules", "offset": 3})
    sent: list[Record] = []
    publisher = client.app.state.context.publisher  # type: ignore[attr-defined]
    monkeypatch.setattr(publisher, "publish", sent.extend)
    places = [
        {"topic": topic, "partition": 0, "offset": offset}
        for topic, offset in (("daymark.events.main", 1), ("daymark.events.main", 2), ("daymark.rules", 3), ("no", 4))
    ]
    answer = client.post("/api/v1/dead-letters/retry", json={"letters": places})
    assert answer.status_code == 200
    assert sent == [Record("daymark.events.main", b"", b'{"')]
    assert answer.json()["sent"] == 1
    assert len(answer.json()["refused"]) == 3
    [told] = client.get("/api/v1/audit", params={"action": "retry"}).json()["items"]
    assert told["after"] == {"letters": ["daymark.events.main/0@1"]}

    def away(_: object) -> None:
        raise PublishError("no broker")

    monkeypatch.setattr(publisher, "publish", away)
    assert client.post("/api/v1/dead-letters/retry", json={"letters": places}).status_code == 503
    assert client.post("/api/v1/dead-letters/retry", json={"letters": []}).status_code == 422


def test_a_csv_file_holds_no_formula_and_the_other_files_hold_what_was_sent(client: TestClient, store: Store) -> None:
    insert(store, "events", event(id="=1+2", key="+cmd|' /C calc'!A0", time_ms=T0))
    span = {"lane": "main", "since": T0, "until": T0 + 1}
    text = client.get("/api/v1/events/export", params={**span, "format": "csv"}).text
    assert '"\'=1+2"' in text
    assert '"+cmd' not in text
    assert '"=1+2"' in client.get("/api/v1/events/export", params={**span, "format": "ndjson"}).text


@pytest.mark.parametrize("path", ["/map", "/steps", "/items", "/events", "/dead-letters", "/wall", "/"])
def test_an_empty_store_says_what_to_do(client: TestClient, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert 'class="empty"' in page.text


@pytest.mark.parametrize("path", ["/map", "/steps?step=%3Cb%3E", "/items?key=%3Cb%3E", "/events?text=%3Cb%3E"])
def test_screens_escape_what_they_are_given(
    client: TestClient, store: Store, path: str, serve: Callable[[Settings], TestClient]
) -> None:
    evil = "<b>"
    now = time.time_ns() // 1_000_000
    insert(store, "items", item(step=evil, key=evil, groups={evil: evil}, updated_ms=now))
    insert(store, "transitions", transition(step=evil, previous="a", at_ms=now - 5, groups={evil: evil}, duration_ms=1))
    insert(store, "events", event(data=evil, type=evil, source=evil, key=evil, time_ms=now))
    insert(store, "progress", progress(watermark_ms=now, at_ms=now))
    page = client.get(path)
    assert page.status_code == 200
    assert evil not in page.text
    assert "&lt;b&gt;" in page.text
    for inline in ("style=", "<style", "onclick", "<script>"):
        assert inline not in page.text


@pytest.mark.parametrize(
    ("count", "usual", "said"),
    [(9, 20.0, ""), (6, 20.0, "low"), (41, 20.0, "high"), (39, 20.0, ""), (0, 3.0, ""), (0, None, ""), (0, 9.0, "low")],
)
def test_a_rate_is_unusual_where_it_is_half_or_twice_and_no_chance(count: int, usual: float | None, said: str) -> None:
    assert unusual(count, usual) == said


@given(st.lists(st.one_of(st.none(), st.floats(0, 1e12)), min_size=1, max_size=80))
def test_columns_stay_within_their_chart(values: list[float | None]) -> None:
    chart = columns(values, values)
    assert all(0 <= bar["y"] <= HEIGHT and bar["y"] + bar["height"] <= HEIGHT for bar in chart["bars"])


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=14, unique=True), st.integers(1, 8))
def test_no_two_nodes_of_a_map_lie_on_one_another(pairs: list[tuple[int, int]], count: int) -> None:
    names = tuple(f"s{n}" for n in range(count))
    edges = tuple((f"s{a}", f"s{b}") for a, b in pairs if a < count and b < count and a != b)
    placed = layout(names, edges, frozenset({"s0"}))
    assert placed.nodes.keys() == set(names)
    assert placed.edges.keys() == set(edges)
    spots = list(placed.nodes.values())
    for place, (x, y) in enumerate(spots):
        assert 0 <= x <= placed.width - NODE_WIDTH
        assert 0 <= y <= placed.height - NODE_HEIGHT
        for a, b in spots[:place]:
            assert abs(a - x) >= NODE_WIDTH or abs(b - y) >= NODE_HEIGHT
    assert all(curve(points).startswith("M") for points in placed.edges.values())


def test_a_runbook_is_markdown_without_anything_that_runs(tmp_path: Path) -> None:
    text = (
        "# What to do\n\n[ok](https://wiki) [no](javascript:alert(1)) <script>alert(1)</script> <img src=x onerror=y>"
    )
    html = rendered(text)
    assert "<h3>What to do</h3>" in html
    assert 'href="https://wiki"' in html
    assert "javascript:" not in html.replace("(javascript:alert(1))", "")
    assert "<script" not in html
    assert "<img" not in html
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "a.md").write_text("yes")
    (tmp_path / "secret.md").write_text("no")
    assert "yes" in (runbook([tmp_path / "pack"], "a.md") or "")
    assert runbook([tmp_path / "pack"], "../secret.md") is None
    assert runbook([tmp_path / "pack"], "") is None


@pytest.mark.parametrize(
    ("number", "text"), [(None, "-"), (0, "0"), (9_999, "9,999"), (12_345, "12.3k"), (4_500_000, "4.5M"), (2e9, "2bn")]
)
def test_numbers_on_tiles_are_short(number: float | None, text: str) -> None:
    assert compact(number) == text


def test_nobody_is_shown_where_they_may_not_go(serve: Callable[[Settings], TestClient], settings: Settings) -> None:
    assert 'href="/audit"' in serve(settings).get("/events").text
    closed = serve(settings.model_copy(update={"sign_in": "required"}))
    page = closed.get("/login").text
    assert 'href="/events"' not in page
    assert 'href="/audit"' not in page
