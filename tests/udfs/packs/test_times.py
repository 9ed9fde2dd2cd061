"""Time stamps in the forms that sources use, and the two nights a year when the clock is moved."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest

from udfs.packs.times import LATEST, check_format, read_zone, time_reader


def utc(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("stamp", "instant"),
    [
        ("2026-01-05T09:49:50Z", "2026-01-05T09:49:50"),
        ("2026-01-05t09:49:50z", "2026-01-05T09:49:50"),
        ("2026-01-05T09:49:50.123+01:00", "2026-01-05T08:49:50.123"),
        ("2026-01-05 09:49:50.1239999-05:30", "2026-01-05T15:19:50.123"),
        ("2024-02-29T23:59:59.999Z", "2024-02-29T23:59:59.999"),
        ("1970-01-01T00:00:00+00:00", "1970-01-01T00:00:00"),
    ],
)
def test_an_iso_time_with_an_offset_is_an_instant(stamp: str, instant: str) -> None:
    assert time_reader("iso", None).read(stamp) == utc(instant)


def test_a_time_without_an_offset_needs_a_zone() -> None:
    with pytest.raises(ValueError, match="it has no zone; add the offset"):
        time_reader("iso", None).read("2026-01-05T09:49:50")
    assert time_reader("iso", "UTC").read("2026-01-05T09:49:50") == utc("2026-01-05T09:49:50")


def test_an_offset_in_the_time_counts_more_than_the_zone_of_the_mapping() -> None:
    assert time_reader("iso", "Asia/Tokyo").read("2026-01-05T09:00:00+01:00") == utc("2026-01-05T08:00:00")


@pytest.mark.parametrize(
    ("zone", "local", "instant"),
    [
        # Amsterdam, spring: from 02:00 to 03:00 there is no local time.
        ("Europe/Amsterdam", "2026-03-29T01:59:59", "2026-03-29T00:59:59"),
        ("Europe/Amsterdam", "2026-03-29T02:30:00", "2026-03-29T01:30:00"),
        ("Europe/Amsterdam", "2026-03-29T03:00:00", "2026-03-29T01:00:00"),
        # Amsterdam, autumn: 02:00 to 03:00 comes twice, and means the first.
        ("Europe/Amsterdam", "2026-10-25T01:59:59", "2026-10-24T23:59:59"),
        ("Europe/Amsterdam", "2026-10-25T02:30:00", "2026-10-25T00:30:00"),
        ("Europe/Amsterdam", "2026-10-25T03:00:00", "2026-10-25T02:00:00"),
        # New York moves on other days, Sydney the other way round.
        ("America/New_York", "2026-03-08T02:30:00", "2026-03-08T07:30:00"),
        ("America/New_York", "2026-11-01T01:30:00", "2026-11-01T05:30:00"),
        ("Australia/Sydney", "2026-10-04T02:30:00", "2026-10-03T16:30:00"),
        ("Australia/Sydney", "2026-04-05T02:30:00", "2026-04-04T15:30:00"),
    ],
)
def test_local_times_around_a_change_of_the_clock_are_decided(zone: str, local: str, instant: str) -> None:
    assert time_reader("iso", zone).read(local) == utc(instant)


def test_a_time_in_the_gap_is_the_same_instant_as_the_summer_time_an_hour_on() -> None:
    read = time_reader("iso", "Europe/Amsterdam").read
    assert read("2026-03-29T02:30:00") == read("2026-03-29T03:30:00")


@pytest.mark.parametrize(
    ("form", "value", "instant"),
    [
        ("epoch_ms", 1_767_606_590_123, "2026-01-05T09:49:50.123"),
        ("epoch_ms", "1767606590123", "2026-01-05T09:49:50.123"),
        ("epoch_s", 1_767_606_590, "2026-01-05T09:49:50"),
        ("epoch_s", 1_767_606_590.123, "2026-01-05T09:49:50.123"),
        ("epoch_s", "1767606590.123", "2026-01-05T09:49:50.123"),
        ("epoch_us", 1_767_606_590_123_999, "2026-01-05T09:49:50.123"),
        ("epoch_us", "1767606590123999", "2026-01-05T09:49:50.123"),
    ],
)
def test_epochs_are_read_in_their_unit_from_numbers_and_texts(form: str, value: Any, instant: str) -> None:
    assert time_reader(form, None).read(value) == utc(instant)


@pytest.mark.parametrize("value", [True, "", "1e9", "1_000", "١٢٣", " 5", None, [], {}, math.nan, math.inf])
def test_what_is_no_number_is_no_epoch(value: Any) -> None:
    with pytest.raises((ValueError, TypeError, OverflowError)):
        time_reader("epoch_s", None).read(value)


@pytest.mark.parametrize(
    "value", ["", "soon", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "25:00", "2026-01-05T24:01Z"]
)
def test_what_is_no_iso_time_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match=r"it is not an ISO 8601 date and time, like `2026-01-31T08:00:00Z`"):
        time_reader("iso", "UTC").read(value)


def test_a_pattern_reads_local_times_in_the_zone_of_the_mapping() -> None:
    read = time_reader("%d.%m.%Y %H:%M", "Europe/Amsterdam").read
    assert read("05.07.2026 09:30") == utc("2026-07-05T07:30:00")


def test_a_pattern_may_read_the_offset_itself() -> None:
    assert time_reader("%Y/%m/%d %H:%M %z", None).read("2026/07/05 09:30 +0200") == utc("2026-07-05T07:30:00")


@pytest.mark.parametrize("form", ["iso", "epoch_s", "epoch_ms", "epoch_us", "%d.%m.%Y %H:%M", "%Y%m%d%H%M%S"])
def test_known_formats_pass(form: str) -> None:
    check_format(form)


@pytest.mark.parametrize("form", ["", "unix", "%H:%M", "%d.%m. %H:%M", "%Q", "%Y-%m-%d %"])
def test_other_formats_are_refused(form: str) -> None:
    with pytest.raises(ValueError, match=r"format|whole date"):
        check_format(form)


def test_the_latest_instant_is_the_end_of_the_year_2199() -> None:
    assert utc("2200-01-01T00:00:00") == LATEST


@pytest.mark.parametrize("name", ["Europe/Amsterdan", "", "../etc/passwd", "CEST", "Mars"])
def test_an_unknown_zone_is_refused_with_a_remedy(name: str) -> None:
    with pytest.raises(ValueError, match=r"is not a time zone; "):
        read_zone(name)


@pytest.mark.parametrize(
    ("form", "value", "looks_like", "reads"),
    [
        ("epoch_ms", 1_767_606_590, "seconds", "milliseconds"),
        ("epoch_ms", "1767606590.5", "seconds", "milliseconds"),
        ("epoch_ms", 1_767_606_590_000_000, "microseconds", "milliseconds"),
        ("epoch_s", 1_767_606_590_000, "milliseconds", "seconds"),
        ("epoch_s", 1_767_606_590_000_000, "microseconds", "seconds"),
        ("epoch_us", 1_767_606_590, "seconds", "microseconds"),
        ("epoch_us", 1_767_606_590_000, "milliseconds", "microseconds"),
    ],
)
def test_a_number_in_another_unit_is_refused_with_the_unit_that_it_looks_like(
    form: str, value: Any, looks_like: str, reads: str
) -> None:
    with pytest.raises(ValueError, match=f"it looks like {looks_like}, and the mapping reads {reads}"):
        time_reader(form, None).read(value)


@pytest.mark.parametrize("value", [0, 1, 86_400_000, 1_767_606_590_123, 10**30])
def test_other_numbers_are_what_they_say(value: int) -> None:
    assert time_reader("epoch_ms", None).read(value) == value
