"""Hours of business, for the truth of made-up traffic: the least that is needed, and not what is tested."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Office:
    """Open from `opens` to `closes` (hours of the local day), on all days but the weekend (0: Monday), holidays, and
    days that are closed in every year (`12-25`)."""

    zone: str
    opens: int = 0
    closes: int = 24
    closed: tuple[str, ...] = ()
    weekend: tuple[int, ...] = (5, 6)
    holidays: Container[date] = ()

    def add(self, since: int, span: int) -> int:
        """The instant (epoch ms) at which so many ms of business have passed."""
        for begin, end in self._hours(since):
            if span <= end - begin:
                return begin + span
            span -= end - begin
        raise AssertionError("there is always another day")

    def between(self, since: int, until: int) -> int:
        """How many ms of business there are between two instants (epoch ms)."""
        passed = 0
        for begin, end in self._hours(since):
            if begin >= until:
                break
            passed += min(end, until) - begin
        return passed

    def by(self, since: int, minute: int, days: int = 0, cut_off: int | None = None) -> int:
        """The instant (epoch ms) of a minute of the day, so many business days behind the one that `since` is on. What
        comes behind the minute `cut_off`, or that minute itself, is on the next one."""
        for day in self.days(since):
            if self.at(day, minute if cut_off is None else cut_off) >= since:
                if not days:
                    return self.at(day, minute)
                days -= 1
        raise AssertionError("there is always another day")

    def days(self, since: int) -> Iterator[date]:
        """The business days from the one of that instant (epoch ms) on."""
        day = datetime.fromtimestamp(since / 1000, ZoneInfo(self.zone)).date()
        while True:
            if self.is_open(day):
                yield day
            day += ONE_DAY

    def is_open(self, day: date) -> bool:
        return day.weekday() not in self.weekend and f"{day:%m-%d}" not in self.closed and day not in self.holidays

    def is_minute(self, at: int, minute: int) -> bool:
        """Whether an instant (epoch ms) is that minute of a business day."""
        local = datetime.fromtimestamp(at / 1000, ZoneInfo(self.zone))
        return local.hour * 60 + local.minute == minute and self.is_open(local.date())

    def at(self, day: date, minute: int) -> int:
        """The instant (epoch ms) of a minute of a local day."""
        day += ONE_DAY * (minute // 1440)
        local = datetime(day.year, day.month, day.day, *divmod(minute % 1440, 60), tzinfo=ZoneInfo(self.zone))
        return int(local.astimezone(UTC).timestamp()) * 1000

    def _hours(self, since: int) -> Iterator[tuple[int, int]]:
        for day in self.days(since):
            begin, end = self.at(day, self.opens * 60), self.at(day, self.closes * 60)
            if end >= since:
                yield max(begin, since), end
