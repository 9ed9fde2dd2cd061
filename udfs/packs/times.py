"""Time stamps of records, in the form that a source mapping names, as epoch milliseconds, UTC.

A local time that exists twice (the clock was put back) means the first of the two; one that doesn't exist (the clock
was put forward) means the instant that much later: 02:30 in a gap from 02:00 to 03:00 is 03:30 summer time. Fractions
finer than a millisecond are cut off.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, tzinfo
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator

from udfs.packs.problems import suggest

EARLIEST: Final = 0
LATEST: Final = 7_258_118_400_000
"""1970 up to, not including, 2200: what lies outside is a clock fault or a mistaken unit."""

EPOCH_UNITS = {"epoch_s": 1_000, "epoch_ms": 1, "epoch_us": 1}
FORMATS = ("iso", *EPOCH_UNITS)

UNITS = {1_000_000: "seconds", 1_000: "milliseconds", 1: "microseconds"}
"""The units of epochs, by how many microseconds they have."""

PLAUSIBLE = (946_684_800_000, 4_102_444_800_000)
"""2000 up to 2100: where the instant must lie that a number means in another unit."""

NEWBORN: Final = 100 * 86_400_000
"""Spring 1970: seconds of this century that are read as milliseconds come before it."""

_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_parse = datetime.fromisoformat


def check_format(value: str) -> None:
    """Raises ValueError if the format is neither a known word nor a pattern that reads a whole date."""
    if value in FORMATS:
        return
    words = f"use {', '.join(f'`{word}`' for word in FORMATS)} or a pattern like `%d.%m.%Y %H:%M`"
    if "%" not in value:
        raise ValueError(f"`{value}` is not a time format; {words}")
    sample = datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)
    try:
        read = datetime.strptime(sample.strftime(value), value)
    except (ValueError, re.error) as fault:
        raise ValueError(f"`{value}` is not a time format ({fault}); {words}") from None
    if (read.year, read.month, read.day) != (2021, 3, 4):
        raise ValueError(f"`{value}` doesn't read a whole date; it needs day, month and year, like `%d.%m.%Y %H:%M`")


def read_zone(value: str) -> tzinfo:
    """The time zone of that name. Raises ValueError with a suggestion."""
    try:
        return ZoneInfo(value)
    except (LookupError, ValueError, OSError):
        names = suggest(value, available_timezones()) if value else ""
        near = names if "did you mean" in names else "; write a name like `Europe/Amsterdam` or `UTC`"
        raise ValueError(f"`{value}` is not a time zone{near}") from None


def _known_zone(value: str) -> str:
    read_zone(value)
    return value


ZoneName = Annotated[str, AfterValidator(_known_zone)]


class TimeReader:
    """From a record's value to epoch ms."""

    def read(self, value: Any) -> int:
        """Raises ValueError, TypeError or OverflowError for what it can't read."""
        raise NotImplementedError


def time_reader(form: str, zone: str | None) -> TimeReader:
    """The reader for a format. `zone` is for time stamps without an offset; None: those can't be read."""
    local = None if zone is None else UTC if zone == "UTC" else read_zone(zone)
    if form == "iso":
        return IsoReader(local)
    if form in EPOCH_UNITS:
        return EpochReader(EPOCH_UNITS[form], 1_000 if form == "epoch_us" else 1)
    return PatternReader(form, local)


class IsoReader(TimeReader):
    def __init__(self, zone: tzinfo | None) -> None:
        self._zone = zone

    def read(self, value: Any) -> int:
        try:
            moment = _parse(value)
        except ValueError:
            moment = _lower_case(value)
        return _instant(moment, self._zone)


def _lower_case(value: str) -> datetime:
    """RFC 3339 allows `t` and `z`, which Python doesn't read."""
    try:
        return datetime.fromisoformat(value.upper())
    except ValueError:
        raise ValueError("it is not an ISO 8601 date and time, like `2026-01-31T08:00:00Z`") from None


class PatternReader(TimeReader):
    def __init__(self, form: str, zone: tzinfo | None) -> None:
        self._form = form
        self._zone = zone

    def read(self, value: Any) -> int:
        return _instant(datetime.strptime(value, self._form), self._zone)


def _instant(moment: datetime, zone: tzinfo | None) -> int:
    if moment.tzinfo is None:
        if zone is None:
            raise ValueError("it has no zone; add the offset, or name the mapping's `time: {zone: …}`")
        moment = moment.replace(tzinfo=zone)  # fold is 0: the first of two, or the offset before a gap
    span = moment - _EPOCH
    return span.days * 86_400_000 + span.seconds * 1_000 + span.microseconds // 1_000


class EpochReader(TimeReader):
    """Numbers of which `times` / `over` are a millisecond."""

    def __init__(self, times: int, over: int) -> None:
        self._times = times
        self._over = over

    def read(self, value: Any) -> int:
        time = self._read(value)
        if not NEWBORN <= time < LATEST:
            self._check_unit(time)
        return time

    def _read(self, value: Any) -> int:
        kind = type(value)
        if kind is int:
            return int(value) * self._times // self._over
        if kind is str and _NUMBER.fullmatch(value):
            return self._whole(float(value)) if "." in value else int(value) * self._times // self._over
        if kind is float:
            return self._whole(value)
        raise ValueError("it is not a number")

    def _check_unit(self, time: int) -> None:
        """Raises ValueError if the number would be an instant of this century in another unit."""
        ours = self._times * 1_000 // self._over
        for micros, name in UNITS.items():
            if PLAUSIBLE[0] <= time * micros // ours < PLAUSIBLE[1]:
                raise ValueError(f"it looks like {name}, and the mapping reads {UNITS[ours]}")

    def _whole(self, number: float) -> int:
        return int(round(number * self._times, 3) // self._over)  # 1.001 s is 1000.9999999999999 ms in binary
