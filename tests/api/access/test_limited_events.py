"""What somebody limited to workflows asks of the log of events costs what they may see, not all that ever happened."""

from __future__ import annotations

from typing import Any

import pytest

from api.access.roles import Limits
from api.access.rows import seen_by
from api.paging import FAR
from api.screens import events as screen
from api.screens import item as items
from api.store import Store
from tests.api.rows import T0, event, insert, item, transition

HOUR, DAY = 3_600_000, 86_400_000
MINE = Limits(frozenset({"mine"}))
ALL = {"lane": "main", "type": "", "source": "", "key": "", "id": "", "pattern": ""}
FIRST = {"resumed": 0, "after_ms": 0, "after_source": "", "after_id": ""}
TEN_DAYS = {"since_ms": T0 - 10 * DAY, "until_ms": T0 + 1}


@pytest.fixture
def narrow(store: Store) -> Store:
    """An event every eight hours for nine days, the workflows taking turns; every sixth has a word of its own."""
    for n in range(27):
        at, workflow = T0 - n * 8 * HOUR, ("mine", "theirs")[n % 2]
        data = f'{{"data": {{"note": "{"needle" if n % 6 < 2 else "hay"}"}}}}'
        insert(store, "events", event(id=f"e{n}", time_ms=at, key=f"K-{workflow}", data=data))
        insert(store, "transitions", transition(workflow=workflow, event_id=f"e{n}", at_ms=at, key=f"K-{workflow}"))
    insert(store, "items", item(workflow="mine", key="K-mine"), item(workflow="theirs", key="K-theirs"))
    return seen_by(store, MINE)


def found(store: Store, **more: Any) -> list[str]:
    rows = screen.latest(store, "events/latest", 50, ALL | FIRST | TEN_DAYS | more)
    return [row["id"] for row in rows]


def test_a_search_finds_what_one_may_see_however_long_ago(narrow: Store) -> None:
    assert found(narrow, pattern="%needle%") == ["e0", "e6", "e12", "e18", "e24"]
    assert found(narrow, key="K-theirs") == []
    assert found(narrow) == [f"e{n}" for n in range(0, 27, 2)]


@pytest.mark.parametrize("few", [0, 1, 1000])
def test_it_makes_no_difference_how_many_are_few(narrow: Store, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(screen, "FEW", few)
    assert found(narrow, pattern="%needle%") == ["e0", "e6", "e12", "e18", "e24"]
    assert [row["key"] for row in items.search(narrow, "K-mine", "")] == ["K-mine"]
    assert items.search(narrow, "K-theirs", "") == []


def test_of_ten_days_the_last_is_counted_unless_few_events_fit(narrow: Store) -> None:
    last = screen.histogram(narrow, screen.bounded(narrow, ALL | TEN_DAYS))
    assert (last["total"], last["shortened"]) == (2, True)
    assert last["since_ms"] >= TEN_DAYS["until_ms"] - DAY - last["span_ms"]
    rare = screen.histogram(narrow, screen.bounded(narrow, ALL | TEN_DAYS | {"pattern": "%needle%"}))
    assert (rare["total"], rare["shortened"]) == (5, False)
    day = screen.bounded(narrow, ALL | TEN_DAYS | {"since_ms": T0 - DAY + 1})
    assert not screen.histogram(narrow, day)["shortened"]
    shapes = screen.patterns(narrow, screen.bounded(narrow, ALL | TEN_DAYS | {"pattern": "%needle%"}))
    assert sum(row["events"] for row in shapes) == 5


def test_who_is_not_limited_to_workflows_is_shown_all_of_a_long_time(store: Store, narrow: Store) -> None:
    for wide, many in ((store, 27), (seen_by(store, Limits(None, {"market": frozenset({"US"})})), 0)):
        assert wide.wider is None
        shown = screen.histogram(wide, screen.bounded(wide, ALL | TEN_DAYS))
        assert (shown["total"], shown["shortened"]) == (many, False)


def test_the_transitions_looked_through_are_those_of_the_few_instants(narrow: Store) -> None:
    assert screen.instants(narrow, id="e4") == {"instants": [T0 - 32 * HOUR]}
    assert screen.instants(narrow, id="none") == screen.NEVER
    assert screen.instants(narrow) == {}
    text = narrow.scope({"since_ms": -FAR, "until_ms": FAR, "instants": [5, 9]})
    assert "at_ms IN (5,9)" in text
    assert "AND 0" in narrow.scope({"instants": []})
    with pytest.raises(ValueError, match="invalid literal"):
        narrow.scope({"instants": ["1) OR (1=1"]})
