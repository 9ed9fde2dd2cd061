"""What the API says about what the store holds."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from api.store import Store
from tests.api.rows import T0, event, finding, history, insert, item, progress, transition

DEAD = {
    "lane": "main",
    "topic": "t",
    "partition": 0,
    "received_ms": T0,
    "reason": "not_json",
    "detail": "d",
    "raw": "eA==",
}


def walk(client: TestClient, path: str, **parameters: Any) -> list[dict[str, Any]]:
    """Every row of a list, page by page."""
    rows, cursor = [], ""
    while True:
        page = client.get(path, params={**parameters, "cursor": cursor}).json()
        rows += page["items"]
        if page["next"] is None:
            return rows
        assert page["items"], "a page before the last one is empty"
        cursor = page["next"]


@pytest.mark.parametrize("limit", [1, 7, 1000])
@pytest.mark.parametrize(
    ("path", "identity"),
    [
        ("/api/v1/items", ("lane", "workflow", "key", "run_ms")),
        ("/api/v1/items?sort=started", ("lane", "workflow", "key", "run_ms")),
        ("/api/v1/items?sort=due", ("lane", "workflow", "key", "run_ms")),
        ("/api/v1/findings", ("id",)),
        ("/api/v1/events", ("lane", "time_ms", "source", "id")),
        ("/api/v1/dead-letters", ("topic", "partition", "offset")),
    ],
)
def test_pages_show_everything_exactly_once(
    client: TestClient, store: Store, path: str, identity: tuple[str, ...], limit: int
) -> None:
    many = 23
    for lane in ("main", "replay-1"):  # equal times throughout, and everything twice, so that only identities can tell
        for _ in range(2):
            insert(store, "items", *(item(lane=lane, key=f"K-{n // 3}", run_ms=T0 + n % 3) for n in range(many)))
            insert(store, "events", *(event(lane=lane, id=f"e{n}") for n in range(many)))
            insert(store, "findings", *(finding(lane=lane, id=f"{lane}{n}") for n in range(many)))
            insert(store, "dead_letters", *(DEAD | {"topic": lane, "offset": n} for n in range(many)))
    path, _, query = path.partition("?")
    rows = walk(client, path, limit=limit, **dict(pair.split("=") for pair in query.split("&") if pair))
    names = [tuple(row[name] for name in identity) for row in rows]
    assert len(names) == len(set(names)) == 2 * many


def test_items_are_filtered_by_everything_at_once(client: TestClient, store: Store) -> None:
    wanted = item(key="T-7", step="send", missing=1, groups={"market": "US"}, status="failed")
    others = [
        wanted | change
        for change in (
            {"key": "X-7"},
            {"key": "T-1", "step": "a"},
            {"key": "T-2", "missing": 0},
            {"key": "T-3", "groups": {"market": "EU"}},
            {"key": "T-4", "status": "completed"},
            {"key": "T-5", "lane": "other"},
            {"key": "T-6", "workflow": "v"},
        )
    ]
    insert(store, "items", wanted, *others)
    filters = {"workflow": "w", "lane": "main", "status": "failed", "step": "send", "key": "T-", "group": "market:US"}
    page = client.get("/api/v1/items", params={**filters, "has_findings": "true"}).json()
    assert [row["key"] for row in page["items"]] == ["T-7"]


def test_findings_are_filtered_by_time_with_a_zone(client: TestClient, store: Store) -> None:
    insert(store, "findings", *(finding(id=f"f{n}", deadline_ms=T0 + n) for n in (0, 1, 2)))
    zoned = client.get("/api/v1/findings", params={"since": "2023-11-14T23:13:20.001+01:00", "until": T0 + 2}).json()
    assert [row["id"] for row in zoned["items"]] == ["f1"]
    refused = client.get("/api/v1/findings", params={"since": "2023-11-14T22:13:20"})
    assert refused.status_code == 422
    assert "no zone" in refused.json()["detail"]


def test_a_finding_says_what_is_at_stake_in_lists_and_in_its_items_story(client: TestClient, store: Store) -> None:
    older = {name: value for name, value in finding(id="1" * 32).items() if name != "amount"}
    insert(store, "findings", finding(amount=12.5), older)
    insert(store, "items", item())
    listed = client.get("/api/v1/findings").json()["items"]
    assert {f["id"]: f["amount"] for f in listed} == {"f" * 32: 12.5, "1" * 32: None}
    story = client.get("/api/v1/items/w/K-1").json()
    assert sorted([f["amount"] or 0 for f in story["findings"]]) == [0, 12.5]


def test_workflows_are_blind_while_a_source_of_theirs_is(client: TestClient, store: Store) -> None:
    now = int(time.time() * 1000)
    insert(store, "items", item(), item(workflow="v"), item(workflow="late", missing=1, overdue=1))
    insert(store, "progress", progress(watermark_ms=now, at_ms=now))
    silence = finding(kind="blind", workflow="", key="bank", occurrence="late,w", deadline_ms=now - 5000, since_ms=now)
    insert(store, "findings", silence | {"id": "old", "deadline_ms": now - 9000, "at_ms": now - 8000}, silence)

    def states() -> dict[str, tuple[str, list[str]]]:
        rows = client.get("/api/v1/workflows").json()
        return {row["workflow"]: (row["status"], row["blind_sources"]) for row in rows}

    assert states() == {"v": ("green", []), "w": ("blind", ["bank"]), "late": ("red", ["bank"])}
    assert [lane["blind_sources"] for lane in client.get("/api/v1/lanes").json()] == [["bank"]]
    assert "nothing from bank" in client.get("/").text
    insert(store, "findings", silence | {"at_ms": now - 1000})
    assert states() == {"v": ("green", []), "w": ("green", []), "late": ("red", [])}


def test_a_finding_about_a_source_or_a_clock_is_said_in_a_sentence(client: TestClient, store: Store) -> None:
    silence = finding(kind="blind", id="1", workflow="", key="bank", step="", deadline_ms=T0)
    broken = finding(kind="invalid", id="2", at_ms=None, since_ms=None, deadline_ms=T0, received_ms=T0)
    insert(store, "findings", silence, silence | {"id": "3", "at_ms": T0 + 60_000, "delta_ms": 60_000})
    insert(store, "findings", broken, broken | {"id": "4", "at_ms": T0 + 9_000_000_000})
    texts = {row["id"]: row["text"] for row in client.get("/api/v1/findings").json()["items"]}
    assert texts["1"].startswith("nothing comes from bank: blind since ")
    assert ", until " in texts["3"]
    assert texts["2"].startswith("b has no time that can be read: K-1")
    assert texts["4"].startswith("b has a time that can't be right, ")
    assert client.get("/").status_code == 200


def test_workflows_are_blind_until_their_lanes_clock_moves(client: TestClient, store: Store) -> None:
    insert(
        store,
        "items",
        item(),
        item(key="K-2", missing=1, overdue=1),
        item(key="K-3", status="completed", ended_ms=T0 + 5),
    )
    [row] = client.get("/api/v1/workflows").json()
    assert row["status"] == "blind"
    now = int(time.time() * 1000)
    insert(store, "progress", progress(watermark_ms=now, at_ms=now))
    [row] = client.get("/api/v1/workflows").json()
    assert (row["status"], row["in_flight"], row["completed"], row["overdue"]) == ("red", 2, 1, 1)
    insert(store, "progress", progress(watermark_ms=now, at_ms=now + 1, lane="quiet"))
    insert(store, "progress", progress(watermark_ms=T0, at_ms=T0, lane="stopped"))
    insert(store, "progress", progress(watermark_ms=2**63 - 3, at_ms=T0, lane="replay-1"))
    states = {lane["lane"]: lane["state"] for lane in client.get("/api/v1/lanes").json()}
    assert states == {"main": "live", "quiet": "live", "stopped": "blind", "replay-1": "ended"}


def test_an_item_that_was_closed_says_why_and_is_counted(client: TestClient, store: Store) -> None:
    closed = item(key="K-2", status="closed", ended_ms=T0, reason="disabled by version 7", overdue=1, rev=2)
    insert(store, "items", item(), item(key="K-2", overdue=1), closed)
    [row] = client.get("/api/v1/workflows").json()
    assert (row["items"], row["in_flight"], row["closed"], row["overdue"]) == (2, 1, 1, 0)
    [one] = client.get("/api/v1/items", params={"status": "closed"}).json()["items"]
    assert (one["key"], one["reason"]) == ("K-2", "disabled by version 7")
    assert client.get("/api/v1/items/w/K-1").json()["reason"] == ""
    assert "disabled by version 7" in client.get("/items/w/K-2").text


def test_an_item_whose_step_was_only_reported_late_waits_for_nothing(client: TestClient, store: Store) -> None:
    now = int(time.time() * 1000)
    insert(store, "progress", progress(watermark_ms=now, at_ms=now))
    insert(store, "items", item(missing=1, late=0, other=1, overdue=0))
    [row] = client.get("/api/v1/workflows").json()
    assert (row["status"], row["overdue"]) == ("green", 0)
    [step] = client.get("/api/v1/workflows/w/steps").json()["steps"]
    assert (step["waiting"], step["overdue"]) == (1, 0)


def test_steps_come_in_the_order_in_which_they_happen_with_their_backlog_by_age(
    client: TestClient, store: Store
) -> None:
    for table, rows in history(150).items():
        insert(store, table, *rows)
    insert(store, "progress", progress(watermark_ms=T0 + 3_600_000, at_ms=T0))
    answer = client.get("/api/v1/workflows/w/steps").json()
    assert [row["step"] for row in answer["steps"]] == ["a", "b", "c"]
    for row in answer["steps"]:
        assert sum(row["ageing"]) == row["waiting"]
    b = answer["steps"][1]
    assert 0 < b["duration_ms"]["p50"] <= b["duration_ms"]["p95"] <= b["duration_ms"]["p99"] <= 600_000
    by_market = client.get("/api/v1/workflows/w/steps", params={"group": "market"}).json()["steps"]
    assert sum(row["passed"] for row in by_market) == sum(row["passed"] for row in answer["steps"])
    assert {row["value"] for row in by_market} == {"EU", "US", "APAC"}


def test_an_items_timeline_tells_its_whole_story(client: TestClient, store: Store) -> None:
    insert(store, "events", event(id="e1"), event(id="e2", type="b", time_ms=T0 + 400_000, data='{"x": "payload"}'))
    hop = transition(
        event_id="e2",
        step="b",
        previous="a",
        at_ms=T0 + 400_000,
        previous_at_ms=T0,
        duration_ms=400_000,
        queue_ms=100_000,
        work_ms=300_000,
    )
    insert(store, "transitions", transition(event_id="e1"), hop)
    came = finding(id="l" * 32, kind="late", at_ms=T0 + 400_000, delta_ms=100_000, event_id="e2")
    insert(store, "findings", finding(), came)
    insert(store, "items", item(step="b", pending=[{"id": "settle", "due_ms": T0 + 900_000}], missing=1, late=1))
    insert(store, "progress", progress(watermark_ms=T0 + 500_000, at_ms=T0))
    story = client.get("/api/v1/items/w/K-1").json()
    first, second = story["timeline"]
    assert (first["step"], second["step"], second["queue_ms"], second["work_ms"]) == ("a", "b", 100_000, 300_000)
    assert "payload" in second["event"]["excerpt"]
    assert second["findings"] == ["l" * 32]
    assert [(row["id"], row["state"]) for row in story["deadlines"]] == [("reply", "late"), ("settle", "pending")]
    assert story["now_ms"] == T0 + 500_000
    assert story["findings"][0]["text"] == "b is missing: K-1 (EU), due 22:18:20, 5 m after a"
    assert story["findings"][1]["text"] == "b came 1 m 40 s late: K-1 (EU), due 22:18:20, came 22:20:00"


def test_a_list_that_is_not_paged_is_cut_and_says_so(client: TestClient, store: Store) -> None:
    for number in range(3):
        name = str(number)
        insert(store, "progress", progress(lane=f"lane-{name}"))
        insert(store, "items", item(key=name, groups={"market": name}))
        insert(store, "findings", finding(id=name, step="a", groups={"market": name}))
    lists = ("/workflows?group=market", "/workflows/w/steps?group=market", "/findings/counts?group=market", "/lanes")
    for path in lists:
        for limit, shown, truncated in ((2, 2, "2"), (3, 3, None), (1000, 3, None)):
            answer = client.get(f"/api/v1{path}{'&' if '?' in path else '?'}limit={limit}")
            rows = answer.json()["steps"] if "steps" in path else answer.json()
            assert (len(rows), answer.headers.get("daymark-truncated")) == (shown, truncated), (path, limit)
        assert client.get(f"/api/v1{path}", params={"limit": 1001}).status_code == 422


@pytest.mark.parametrize("key", ["a\nb", "\n", "a\n", "a\rb", "a\u2028b", "a//b", "/a", "a\tb"])
def test_a_key_with_line_breaks_has_its_story_and_its_page(client: TestClient, store: Store, key: str) -> None:
    insert(store, "items", item(key=key))
    place = f"/items/w/{quote(key, safe='/')}"
    assert client.get(f"/api/v1{place}").json()["key"] == key
    assert client.get(place).status_code == 200


def test_each_run_of_a_key_tells_its_own_story(client: TestClient, store: Store) -> None:
    """The second run starts before the event that was admitted to it first."""
    day = 86_400_000
    second = {"run_ms": T0 + day + 5, "started_ms": T0 + day, "updated_ms": T0 + day + 5, "rev": 2}
    insert(store, "items", item(status="completed", ended_ms=T0 + 9, missing=1, late=1), item(**second))
    insert(store, "transitions", *(transition(event_id=f"e{at}", at_ms=T0 + at) for at in (0, 9, day, day + 5)))
    insert(store, "events", *(event(id=f"e{at}", time_ms=T0 + at) for at in (0, 9, day, day + 5)))
    insert(store, "findings", finding(), finding(id="2" * 32, since_ms=T0 + day, deadline_ms=T0 + day + 7))
    insert(store, "findings", finding(id="3" * 32, kind="out_of_order", since_ms=None, at_ms=T0 + day - 1))

    def told(**which: Any) -> tuple[list[str], list[str], str]:
        story = client.get("/api/v1/items/w/K-1", params=which).json()
        assert all(hop["event"] for hop in story["timeline"])
        assert [run["run_ms"] for run in story["runs"]] == [T0 + day + 5, T0]
        return (
            [hop["event_id"] for hop in story["timeline"]],
            sorted(row["id"][0] for row in story["findings"]),
            story["status"],
        )

    newest = [f"e{day}", f"e{day + 5}"], ["2"], "in_flight"
    assert told() == told(run=T0 + day + 5) == told(run=T0 + day) == newest
    assert told(run=T0) == told(run=T0 + day - 1) == (["e0", "e9"], ["3", "f"], "completed")
    assert client.get("/api/v1/items/w/K-1", params={"run": T0 - 1}).status_code == 404
    listed = client.get("/api/v1/items", params={"key": "K-1"}).json()["items"]
    assert [row["run_ms"] for row in listed] == [T0 + day + 5, T0]
    latest = client.get("/").text.partition("Latest findings")[2]
    links = [part.split('"')[0] for part in latest.split('href="')[1:] if part.startswith("/items/")]
    statuses = ["completed" in client.get(link.replace("&amp;", "&")).text for link in links]
    assert statuses == [False, True, True], "a finding leads to the run that it is about"


def test_a_key_with_slashes_and_odd_letters_is_found(client: TestClient, store: Store) -> None:
    key = "a/b c?d%#é"
    insert(store, "items", item(key=key))
    assert client.get("/api/v1/items/w/" + "a/b%20c%3Fd%25%23%C3%A9").json()["key"] == key
    missing = client.get("/api/v1/items/w/nobody")
    assert missing.status_code == 404
    assert missing.headers["content-type"] == "application/problem+json"
    assert "'nobody'" in missing.json()["detail"]


def test_the_overview_shows_one_lane_where_asked_and_stays_with_it(client: TestClient, store: Store) -> None:
    for lane, key in (("main", "LIVE-1"), ("replay-1", "OLD-1")):
        insert(store, "progress", progress(lane=lane))
        insert(store, "items", item(lane=lane, key=key))
        insert(store, "findings", finding(lane=lane, key=key, id=lane))
    whole, one = client.get("/").text, client.get("/?lane=replay-1").text
    assert (whole.count("<article"), one.count("<article")) == (2, 1)
    assert "LIVE-1" in whole
    assert "LIVE-1" not in one
    assert "OLD-1" in one
    assert 'href="/?lane=replay-1"' in whole
    assert 'href="/?lane=replay-1" aria-current="page"' in one
    [source] = [part.split('"')[0] for part in one.split('data-refresh="')[1:]]
    assert client.get(source).text in one, "what refreshes the page is about the same lane"


def test_events_are_found_by_a_text_in_their_data(client: TestClient, store: Store) -> None:
    data = {"e1": '{"who": "Bank 77 %_"}', "e2": '{"who": "Bank 78"}', "e3": '{"who": "quote \\" here"}'}
    insert(store, "events", *(event(id=name, data=text) for name, text in data.items()))

    def found(text: str) -> list[str]:
        return [row["id"] for row in client.get("/api/v1/events", params={"text": text}).json()["items"]]

    assert found("bank 77") == ["e1"]
    assert found("BANK") == ["e2", "e1"]
    assert found("%_") == ["e1"]
    assert found('" here') == ["e3"]
    assert found("nowhere") == []


def test_an_event_is_found_by_its_own_words_in_any_script(client: TestClient, store: Store) -> None:
    words = ("Überweisung", "ÅSE", "ПЛАТЁЖ", "İstanbul", "支付")
    insert(store, "events", *(event(id=word, data=f'{{"note": "{word} Nr. 7"}}') for word in words))
    for word in words:
        for text in (word, f"{word} NR. 7"):
            rows = client.get("/api/v1/events", params={"text": text}).json()["items"]
            assert [row["id"] for row in rows] == [word]


ATTACKS = [
    "'",
    "' OR 1=1 --",
    "\\",
    "x') UNION ALL SELECT 1 --",
    "{lane:String}",
    "\n;DROP TABLE items;",
    "%27",
    "é\u2028",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_parameter_reaches_the_sql_as_anything_but_a_value(client: TestClient, store: Store, attack: str) -> None:
    insert(store, "items", item())
    insert(store, "events", event())
    insert(store, "findings", finding())
    insert(store, "transitions", transition())
    texts = {
        "/api/v1/items": ("workflow", "lane", "step", "key"),
        "/api/v1/findings": ("workflow", "lane", "kind", "rule", "step", "key"),
        "/api/v1/events": ("text", "lane", "type", "source", "key", "id"),
        "/api/v1/dead-letters": ("lane", "reason"),
        "/api/v1/workflows": ("lane", "workflow"),
        "/api/v1/findings/counts": ("lane", "workflow"),
    }
    for path, names in texts.items():
        for name in names:
            answer = client.get(path, params={name: attack})
            assert answer.status_code == 200, (path, name, answer.text)
            rows = answer.json()
            assert (rows["items"] if isinstance(rows, dict) else rows) == [], (path, name)
    for path in ("/api/v1/items", "/api/v1/findings"):
        assert client.get(path, params={"group": f"market:{attack}"}).json()["items"] == []
    assert client.get("/api/v1/workflows", params={"group": attack}).json()[0]["value"] == ""
    assert client.get("/api/v1/workflows/w/steps", params={"group": attack}).status_code == 200
    for name in ("since", "until", "limit", "cursor"):
        assert client.get("/api/v1/findings", params={name: attack}).status_code in (400, 422)
    assert client.get("/api/v1/items", params={"sort": attack}).status_code == 422
    assert store.run("SELECT count() AS n FROM items") == [{"n": 1}]


def test_a_foreign_cursor_is_refused_with_a_sentence(client: TestClient, store: Store) -> None:
    insert(store, "findings", *(finding(id=f"f{n}") for n in range(3)))
    cursor = client.get("/api/v1/findings", params={"limit": 1}).json()["next"]
    for wrong in (cursor, cursor[:-3], "WzFd", "!!!"):
        answer = client.get("/api/v1/items", params={"cursor": wrong})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == "cursor"


def test_health_names_the_part_that_does_not_work(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    ready = client.get("/readyz")
    assert ready.status_code == 503
    parts = {"store": "ok", "kafka": "nothing accepts connections at 127.0.0.1:1", "records": "ok"}
    assert ready.json()["parts"] == parts


def test_metrics_count_requests_by_route_not_by_key(client: TestClient, store: Store) -> None:
    insert(store, "items", item(key="SECRET-KEY"))
    insert(store, "findings", finding())
    client.get("/api/v1/items/w/SECRET-KEY")
    text = client.get("/metrics").text
    assert 'route="/api/v1/items/{workflow}/{key:key}"' in text
    assert "SECRET-KEY" not in text
    assert 'daymark_findings{kind="missing",lane="main",severity="critical",workflow="w"} 1.0' in text


def test_scrapes_at_the_same_time_all_tell_the_truth(client: TestClient, store: Store) -> None:
    insert(store, "findings", *(finding(id=f"f{n}", rule=f"r{n}") for n in range(50)))

    def scrape(_: int) -> list[str]:
        return [line for line in client.get("/metrics").text.splitlines() if line.startswith("daymark_findings{")]

    with ThreadPoolExecutor(4) as pool:
        scraped = list(pool.map(scrape, range(40)))
    assert {line.split()[-1] for lines in scraped for line in lines} == {"50.0"}
    assert {len(lines) for lines in scraped} == {1}


def test_the_api_describes_every_route_and_parameter_on_a_page_of_its_own(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert "//" not in page.text.replace("<!doctype html>", ""), "nothing comes from elsewhere"
    for path, methods in client.get("/api/v1/openapi.json").json()["paths"].items():
        assert f"<strong>{path}</strong>" in page.text
        for route in methods.values():
            for parameter in route.get("parameters", []):
                assert f'<th scope="row">{parameter["name"]}</th>' in page.text, (path, parameter["name"])
    assert "integer, 1 to 1000, default 50" in page.text


def test_every_route_is_described(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, route in methods.items():
            assert route.get("description"), f"{method} {path}"
