"""The language of calendars: what it means, what is wrong with it, and what shared calendars are."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from udfs.core.calendar import Calendar
from udfs.core.zone import DAY
from udfs.packs.calendarcheck import check_calendars
from udfs.packs.calendarfile import read_calendars, with_shared
from udfs.packs.calendarmodel import CalendarFile
from udfs.packs.calendars import Sections, compile_calendar, meaning, zone_name
from udfs.packs.daytime import parse_days, parse_span, parse_time, parse_weekdays, show_time
from udfs.packs.meaning import content_hash
from udfs.packs.yamlfile import Document

HOUR = 3_600_000


def day(text: str) -> int:
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def sections(**calendars: str) -> Sections:
    """The calendars, each written in YAML."""
    data = {"calendars": {name: yaml.load(text, yaml.BaseLoader) for name, text in calendars.items()}}  # noqa: S506
    model = CalendarFile.model_validate(data)
    assert check_calendars(Document("test", data), model.calendars) == []
    return model.calendars


def compiled(text: str, **others: str) -> Calendar:
    return compile_calendar(sections(desk=text, **others), "desk")


def business(calendar: Calendar, *days: str) -> list[bool]:
    return [calendar.is_business(day(one)) for one in days]


def test_without_a_word_saturday_and_sunday_are_free_and_business_is_open_all_day() -> None:
    calendar = compiled("{}")
    assert business(calendar, "2026-12-18", "2026-12-19", "2026-12-20", "2026-12-21") == [True, False, False, True]
    assert calendar.hours(day("2026-12-21")) == (0, DAY)


def test_two_calendars_are_built_in() -> None:
    assert compile_calendar({}, "business_days") == compiled("{}")
    assert compile_calendar({}, "every_day") == Calendar()


def test_the_weekend_may_be_on_other_days() -> None:
    calendar = compiled("{weekend: [fri, sat]}")
    assert business(calendar, "2026-12-17", "2026-12-18", "2026-12-19", "2026-12-20") == [True, False, False, True]


@pytest.mark.parametrize(
    ("holidays", "free", "business_day"),
    [
        ("{country: NL}", ["2026-04-27", "2026-12-25", "2027-01-01"], "2026-05-01"),
        ("{country: GB, subdivision: SCT}", ["2026-11-30"], "2026-04-06"),
        ("{country: DE, subdivision: BY}", ["2026-01-06"], "2026-12-24"),
        ("{market: XNYS}", ["2026-07-03", "2026-11-26", "2026-04-03"], "2026-10-12"),
        ("{market: XECB}", ["2026-05-01", "2026-04-03", "2026-04-06"], "2026-05-05"),
    ],
)
def test_holidays_of_countries_and_markets_are_free(holidays: str, free: list[str], business_day: str) -> None:
    calendar = compiled(f"{{holidays: {holidays}}}")
    assert business(calendar, *free) == [False] * len(free)
    assert business(calendar, business_day) == [True]


def test_holidays_are_known_from_1990_to_2100() -> None:
    calendar = compiled("{weekend: [], holidays: {country: NL}}")
    assert business(calendar, "1989-12-25", "1990-12-25", "2100-12-25", "2101-12-25") == [True, False, False, True]


def test_half_days_of_a_market_close_when_the_pack_says() -> None:
    calendar = compiled('{holidays: {market: XNYS, half_days: "13:00"}, half_days: {"2027-11-26": "12:00"}}')
    days = ("2026-11-25", "2026-11-26", "2026-11-27", "2026-12-24", "2027-11-26")
    assert [calendar.hours(day(one))[1] // HOUR for one in days] == [24, 0, 13, 13, 12]


def test_dates_close_days_and_open_them_whatever_else_they_are() -> None:
    calendar = compiled('{holidays: {country: NL}, closed: ["2026-12-24"], open: ["2026-12-19", "2026-12-25"]}')
    assert business(calendar, "2026-12-24", "2026-12-19", "2026-12-25") == [False, True, True]


def test_a_date_without_a_year_means_every_year_and_one_with_a_year_more() -> None:
    calendar = compiled('{closed: ["12-24", "02-29"], open: ["2027-12-24"]}')
    assert business(calendar, "2026-12-24", "2027-12-24", "2029-12-24") == [False, True, False]
    assert business(calendar, "2024-02-29", "2028-02-29", "2027-03-01") == [False, False, True]


def test_half_days_and_shifts_are_times_of_days() -> None:
    calendar = compiled(
        '{half_days: {"12-24": "13:00", "2026-12-24": "12:00"}, shifts: {"12-31": "15:00", "2027-12-31": "24:00"}}'
    )
    assert [calendar.hours(day(f"{year}-12-24"))[1] for year in (2026, 2027)] == [12 * HOUR, 13 * HOUR]
    assert [calendar.moved(day(f"{year}-12-31"), 18 * HOUR) for year in (2026, 2027)] == [15 * HOUR, 24 * HOUR]


def test_hours_are_the_same_on_all_days_or_named_for_each() -> None:
    assert compiled('{hours: "09:00-17:30"}').hours(day("2026-12-21")) == (9 * HOUR, 17 * HOUR + HOUR // 2)
    calendar = compiled('{hours: {mon-thu: "09:00-17:00", fri: "09:00 - 16:00"}}')
    assert [calendar.hours(day(f"2026-12-{one}"))[1] for one in (17, 18, 19)] == [17 * HOUR, 16 * HOUR, 0]
    around = compiled('{weekend: [fri, sat], hours: {sun-thu: "08:00-14:00"}}')
    assert [around.hours(day(f"2026-12-{one}"))[1] for one in (17, 18, 19, 20)] == [14 * HOUR, 0, 0, 14 * HOUR]


def test_a_calendar_says_what_is_different_from_its_base() -> None:
    base = """{weekend: [sun], hours: "09:00-17:00", closed: ["12-24"], open: ["2026-12-20"],
               half_days: {"12-30": "12:00"}, shifts: {"12-31": "12:00"}, zone: Europe/Amsterdam}"""
    own = """{base: house, closed: ["2026-12-20"], open: ["2026-12-24"], half_days: {"2026-12-30": "15:00"},
              shifts: {"2026-12-29": "10:00"}}"""
    calendar = compiled(own, house=base)
    assert business(calendar, "2026-12-19", "2026-12-20", "2026-12-24", "2027-12-24") == [True, False, True, False]
    assert [calendar.hours(day(f"{year}-12-30"))[1] for year in (2026, 2027)] == [15 * HOUR, 12 * HOUR]
    assert [calendar.moved(day(f"2026-12-{one}"), 17 * HOUR) for one in (29, 31)] == [10 * HOUR, 12 * HOUR]


def test_a_base_may_be_built_in_and_have_a_base_itself() -> None:
    calendars = sections(
        week="{base: every_day}",
        nl="{base: week, holidays: {country: NL}}",
        both="{base: nl, holidays: {market: XNYS}}",
    )
    both = compile_calendar(calendars, "both")
    assert business(both, "2026-12-20", "2026-04-27", "2026-11-26") == [True, False, False]


def test_the_zone_is_the_calendars_or_that_of_the_nearest_base() -> None:
    calendars = sections(a="{zone: Europe/London}", b="{base: a}", c="{base: b, zone: Asia/Tokyo}", d="{}")
    zones = [zone_name(calendars, name) for name in ("a", "b", "c", "d", "business_days")]
    assert zones == ["Europe/London", "Europe/London", "Asia/Tokyo", None, None]


def hashed(name: str, **calendars: str) -> str:
    return content_hash(meaning(sections(**calendars), name))


def test_the_hash_is_of_what_the_definition_says_not_of_the_days_that_come_out() -> None:
    text = json.dumps(meaning(sections(nl="{holidays: {country: NL}}"), "nl"))
    assert text == '[{"holidays": {"country": "NL"}}]'


def test_the_hash_is_not_of_names_descriptions_order_and_spelling() -> None:
    one = '{description: x, base: b, weekend: [sat, sun], closed: ["2026-01-02", "2026-01-05"], hours: "09:00-17:00"}'
    two = '{base: d, weekend: [sun, sat], closed: ["2026-01-05", "2026-01-02"], hours: {mon-sun: "09:00 - 17:00"}}'
    base = "{zone: Asia/Tokyo}"
    assert hashed("a", a=one, b=base) == hashed("c", c=two, d=base)
    assert hashed("a", a=one, b=base) != hashed("a", a=one, b="{zone: Asia/Seoul}")
    assert hashed("a", a=one, b=base) != hashed("a", a=one.replace("2026-01-02", "2026-01-06"), b=base)


BAD = {
    "calendars: {desk: {holidays: {country: XX}}}": [
        "calendars.desk.holidays: `XX` is not the code of a country whose holidays are known; there is `AD`, `AE`, "
        "`AF`, `AG`, `AI`, `AL`, `AM`, `AO`, `AQ`, `AR`, `AS`, `AT` and more"
    ],
    "calendars: {desk: {holidays: {country: nl}}}": [
        "calendars.desk.holidays: `nl` is not the code of a country whose holidays are known; did you mean `NL`?"
    ],
    "calendars: {desk: {holidays: {country: GB, subdivision: SCO}}}": [
        "calendars.desk.holidays: `SCO` is not a part of `GB` with holidays of its own; did you mean `SCT`?"
    ],
    "calendars: {desk: {holidays: {country: IL, subdivision: JM}}}": [
        "calendars.desk.holidays: `JM` is not a part of `IL` with holidays of its own; `IL` has none"
    ],
    "calendars: {desk: {holidays: {market: XNSY}}}": [
        "calendars.desk.holidays: `XNSY` is not the code of a market whose holidays are known; did you mean `XNYS`?"
    ],
    "calendars: {desk: {holidays: {country: NL, market: XNYS}}}": [
        "calendars.desk.holidays: name a country or a market, like `{country: NL}` or `{market: XNYS}`; for both, let "
        "one calendar be the `base` of another"
    ],
    "calendars: {desk: {holidays: {}}}": [
        "calendars.desk.holidays: name a country or a market, like `{country: NL}` or `{market: XNYS}`; for both, let "
        "one calendar be the `base` of another"
    ],
    "calendars: {desk: {holidays: {market: XECB, half_days: 13:00}}}": [
        "calendars.desk.holidays: the half days of `XECB` are not known; write them into the calendar's own `half_days`"
    ],
    "calendars: {desk: {holidays: NL}}": [
        "calendars.desk.holidays: must be a mapping of names to values, not the text `NL`; for example `{country: NL}`"
    ],
    "calendars: {desk: {closed: [2026-02-29, 24.12.2026, 13-01]}}": [
        "calendars.desk.closed[0]: `2026-02-29` is not a date: day is out of range for month",
        "calendars.desk.closed[1]: `24.12.2026` is not a date; write it like `2026-12-24`, or `12-24` for every year",
        "calendars.desk.closed[2]: `13-01` is not a date: month must be in 1..12",
    ],
    'calendars: {desk: {half_days: {2026-12-24: "1 pm", xmas: "13:00"}}}': [
        "calendars.desk.half_days.2026-12-24: `1 pm` is not a time of day; write it like `08:00` or `17:30`, at most "
        "`24:00`",
        "calendars.desk.half_days.xmas: `xmas` is not a date; write it like `2026-12-24`, or `12-24` for every year",
    ],
    "calendars: {desk: {shifts: {2026-12-31: 24:01}}}": [
        "calendars.desk.shifts.2026-12-31: `24:01` is not a time of day; write it like `08:00` or `17:30`, at most "
        "`24:00`"
    ],
    "calendars: {desk: {hours: 17:00-09:00}}": [
        "calendars.desk.hours: `17:00-09:00` ends before it begins; hours stay within one day, from `00:00` to `24:00`"
    ],
    "calendars: {desk: {hours: nine to five}}": [
        "calendars.desk.hours: `nine to five` does not say from when to when; write it like `09:00-17:30`"
    ],
    "calendars: {desk: {hours: {mon-fry: 09:00-17:00}}}": [
        "calendars.desk.hours: `fry` is not a weekday; did you mean `fri`?"
    ],
    "calendars: {desk: {hours: {mon-fri: 09:00-17:00, fri: 09:00-16:00}}}": [
        "calendars.desk.hours: `fri` has hours already; name each weekday once"
    ],
    "calendars: {desk: {weekend: [saturday]}}": [
        "calendars.desk.weekend[0]: the text `saturday` is not one of `mon`, `tue`, `wed`, `thu`, `fri`, `sat` or `sun`"
    ],
    "calendars: {desk: {zone: Europe/Amsterdan}}": [
        "calendars.desk.zone: `Europe/Amsterdan` is not a time zone; did you mean `Europe/Amsterdam`?"
    ],
    "calendars: {desk: {holiday: {country: NL}}}": [
        "calendars.desk.holiday: `holiday` is not a word of the language here; did you mean `holidays`?"
    ],
    "calendars: {desk: {base: buisness_days}}": [
        "calendars.desk.base: there is no calendar `buisness_days`; did you mean `business_days`?"
    ],
    "calendars: {a: {base: b}, b: {base: a}, c: {base: a}}": [
        "calendars.a.base: the calendar is based on itself: `a` -> `b` -> `a`; remove one `base`",
        "calendars.b.base: the calendar is based on itself: `b` -> `a` -> `b`; remove one `base`",
    ],
    "calendars: {every_day: {}}": ["calendars.every_day: `every_day` is built in; choose another name"],
    "calendars: {desk: {closed: [2026-12-24], open: [2026-12-24]}}": [
        "calendars.desk.open[0]: `2026-12-24` is in `closed` too; remove one"
    ],
    "calendars: {desk: {weekend: [mon, tue, wed, thu, fri, sat, sun]}}": [
        "calendars.desk.weekend: every weekday is free, so there is no business day; leave one out"
    ],
    "calendars: {desk: {weekend: [sun], hours: {mon-fri: 09:00-17:00}}}": [
        "calendars.desk.hours: there is business on `sat`, but `hours` doesn't say when; add it there, or close "
        "that day"
    ],
    "calendars: {a: {hours: {mon-fri: 09:00-17:00}}, b: {base: a, open: [2026-12-19]}, c: {base: b}}": [
        "calendars.b.open: there is business on `sat`, but `hours` doesn't say when; add it there, or close that day"
    ],
    "calendars: {desk: {hours: 09:00-17:00, half_days: {2026-12-24: 09:00}}}": [
        "calendars.desk.half_days.2026-12-24: closes at 09:00, but opens at 09:00 only; write a later time"
    ],
    "calendars: {desk: {half_days: {2026-12-26: 13:00}, shifts: {2026-12-27: 13:00}}}": [
        "warning: calendars.desk.half_days.2026-12-26: `2026-12-26`, a `sat`, is no business day, so this changes "
        "nothing; correct the date",
        "warning: calendars.desk.shifts.2026-12-27: `2026-12-27`, a `sun`, is no business day, so this changes "
        "nothing; correct the date",
    ],
    "calendars: {}": ["calendars: is empty; it needs at least one entry"],
    "calendars: {desk: {closed: [x]}, floor: {zone: Mars, base: desk}}": [
        "calendars.desk.closed[0]: `x` is not a date; write it like `2026-12-24`, or `12-24` for every year",
        "calendars.floor.zone: `Mars` is not a time zone; write a name like `Europe/Amsterdam` or `UTC`",
    ],
}


@pytest.mark.parametrize("text", BAD)
def test_a_bad_calendar_gets_its_messages(text: str, tmp_path: Path) -> None:
    file = tmp_path / "calendars.yaml"
    file.write_text(text)
    calendars, problems = read_calendars(file)
    messages = [str(problem).removeprefix(f"{file}:1: ") for problem in problems]
    wanted = [one if one.startswith("warning: ") else f"error: {one}" for one in BAD[text]]
    assert messages == wanted
    assert bool(calendars) == all(one.startswith("warning: ") for one in wanted)


def test_a_file_that_is_no_yaml_or_has_no_document_or_two_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "calendars.yaml"
    found = []
    for text in ("calendars: [", "", "calendars: {a: {}}\n---\ncalendars: {b: {}}"):
        file.write_text(text)
        calendars, (problem,) = read_calendars(file)
        assert calendars == {}
        found.append(problem.message[:44])
    assert found[1:] == ["holds 0 documents; it must hold one, with `c", "holds 2 documents; it must hold one, with `c"]
    assert found[0].startswith("is not YAML")


def test_shared_calendars_become_part_of_each_workflows_definition() -> None:
    shared = {"house": {"zone": "Europe/Amsterdam"}}
    workflow: dict[str, Any] = {"workflow": "w", "calendars": {"desk": {"base": "house"}}}
    whole, problems = with_shared(Document("w.yaml", workflow), shared)
    assert problems == []
    assert whole.data == {"workflow": "w", "calendars": {**shared, "desk": {"base": "house"}}}
    assert workflow["calendars"] == {"desk": {"base": "house"}}
    assert with_shared(Document("w.yaml", {"workflow": "w"}), shared)[0].data["calendars"] == shared


def test_a_calendar_is_not_shared_and_a_workflows_own_as_well() -> None:
    document = Document("w.yaml", {"calendars": {"house": {}}}, {("calendars", "house"): 3})
    _, (problem,) = with_shared(document, {"house": {}})
    assert str(problem) == "w.yaml:3: error: calendars.house: `house` is in calendars.yaml too; rename one of them"


@pytest.mark.parametrize("data", [None, [], {"calendars": []}, {"calendars": "house"}])
def test_a_workflow_with_other_faults_stays_as_it_is(data: Any) -> None:
    assert with_shared(Document("w.yaml", data), {"house": {}}) == (Document("w.yaml", data), [])


def test_without_shared_calendars_a_workflow_stays_as_it_is() -> None:
    document = Document("w.yaml", {"workflow": "w"})
    assert with_shared(document, {})[0] is document


def test_what_was_checked_in_its_own_file_is_not_said_again() -> None:
    data = {"calendars": {"house": {"half_days": {"2026-12-26": "13:00"}}}}
    model = CalendarFile.model_validate(data)
    assert len(check_calendars(Document("w.yaml", data), model.calendars)) == 1
    assert check_calendars(Document("w.yaml", data), model.calendars, shared=["house"]) == []


@pytest.mark.parametrize(
    ("text", "hour"), [("00:00", 0), ("08:00", 8), ("17:30", 17.5), ("23:59", 23 + 59 / 60), ("24:00", 24)]
)
def test_times_of_day_are_read(text: str, hour: float) -> None:
    assert parse_time(text) == round(hour * HOUR)
    assert show_time(parse_time(text)) == text


@pytest.mark.parametrize("value", ["", "8:00", "08:60", "24:01", "25:00", "08:00:00", "8 am", 800, None, True, []])
def test_what_is_no_time_of_day_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="is not a time of day; write it like"):
        parse_time(value)


@pytest.mark.parametrize("value", ["", "09:00", "09:00-", "-17:00", "17:00-17:00", None, 9])
def test_what_is_no_span_of_a_day_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"write it like|within one day"):
        parse_span(value)


@pytest.mark.parametrize(
    ("text", "days"),
    [("mon", [0]), ("mon-fri", [0, 1, 2, 3, 4]), ("sun - thu", [6, 0, 1, 2, 3]), ("sat-sun", [5, 6]), ("wed-wed", [2])],
)
def test_weekdays_are_read(text: str, days: list[int]) -> None:
    assert parse_weekdays(text) == days


@pytest.mark.parametrize("text", ["", "mon-", "-fri", "monday", "Mon", "mon,tue", "mon-fri-sun"])
def test_what_is_no_weekday_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a weekday"):
        parse_weekdays(text)


def test_a_date_without_a_year_is_in_every_year_that_has_it() -> None:
    assert len(parse_days("12-24")) == 111
    assert parse_days("02-29") == [day(f"{year}-02-29") for year in range(1992, 2097, 4)]  # 2100 is no leap year
    assert parse_days("2024-02-29") == [day("2024-02-29")]
