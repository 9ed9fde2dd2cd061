"""The page on calendars: its file is valid, and what its tables say comes out."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.docs.test_snippets import DOCS, blocks
from udfs.core.clock import BusinessTime, ByTime
from udfs.packs.calendarfile import read_calendars
from udfs.packs.calendarmodel import CalendarFile
from udfs.packs.calendars import Sections, compile_calendar, zone_name
from udfs.packs.zones import compile_zone

HOUR = 3_600_000
MOMENT = r"\w\w\w \d{4}-\d\d-\d\d \d\d:\d\d"
ROWS = re.compile(rf"^\| ({MOMENT}) \| ({MOMENT}) \|(.*)$", re.MULTILINE)
FOUND = [(since, due, bool(why)) for since, due, why in ROWS.findall((DOCS / "calendars.md").read_text())]


@pytest.fixture
def calendars(tmp_path: Path) -> Sections:
    (block,) = blocks("calendars.md", "yaml")
    (tmp_path / "calendars.yaml").write_text(block)
    found, problems = read_calendars(tmp_path / "calendars.yaml")
    assert problems == []
    return CalendarFile.model_validate({"calendars": found}).calendars


def test_every_calendar_of_the_page_compiles(calendars: Sections) -> None:
    assert [bool(compile_calendar(calendars, name).week) for name in calendars] == [True, True, True]


@pytest.mark.parametrize(("since", "due", "by"), FOUND)
def test_what_the_tables_of_the_page_say_comes_out(since: str, due: str, by: bool, calendars: Sections) -> None:
    zone = compile_zone(zone_name(calendars, "desk") or "")
    desk = compile_calendar(calendars, "desk")
    found = ByTime(zone, desk, 18 * HOUR).due(at(since)) if by else BusinessTime(zone, desk).add(at(since), 4 * HOUR)
    assert datetime.fromtimestamp(found / 1000, ZoneInfo("Europe/Amsterdam")).strftime("%a %Y-%m-%d %H:%M") == due


def test_the_page_has_rows_of_both_kinds() -> None:
    assert [len([row for row in FOUND if row[2] is kind]) for kind in (True, False)] == [6, 5]


def at(text: str) -> int:
    moment = datetime.strptime(text, "%a %Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo("Europe/Amsterdam"))
    assert moment.strftime("%a") == text[:3]
    return round(moment.timestamp() * 1000)
