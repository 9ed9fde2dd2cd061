"""What people should know about the channels themselves, as findings: pure, time is given.

A channel that has been down for a minute, and messages that were given up, are found like what other systems find
(`external`): said again and again while they go on, and over when that is said, or no more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.dispatch.queues import Queue
from jobs.dispatch.records import Delivery, Notify
from udfs.alerting.external import CHANNEL_DOWN, GIVEN_UP, external

AFTER_MS = 60_000
"""So long a channel is down before that is said, and between one time and the next."""

LASTS_MS = 5 * 60_000
"""So long it is taken to be down if that isn't said again: this process may have ended."""

KNOWN_MS = 60 * 60_000
"""So long it is known that messages were given up: nobody says when that is over."""

Row = dict[str, Any]


@dataclass(slots=True)
class Seen:
    """One channel: how it failed last; since when it is down, when that was said last, and how; how many messages were
    given up, how many of them have been told of, when the first and the last one was."""

    lane: str = ""
    detail: str = ""
    since: int | None = None
    said: int | None = None
    why: str = ""
    lost: int = 0
    told: int = 0
    first_lost: int = 0
    last_lost: int = 0


class Watch:
    """What was seen of the channels."""

    def __init__(self) -> None:
        self._channels: dict[str, Seen] = defaultdict(Seen)

    def note(self, notice: Notify, row: Delivery) -> None:
        """An attempt has been recorded. Tests are somebody's who sees what comes of them."""
        if notice.reason == "test" or row.outcome not in ("retry", "dead"):
            return
        seen = self._channels[row.channel]
        seen.lane, seen.detail = row.lane, row.detail
        if row.outcome == "dead" and not _is_about_channels(notice):
            if row.at_ms >= seen.last_lost + KNOWN_MS:
                seen.lost, seen.told, seen.first_lost = 0, 0, row.at_ms
            seen.lost, seen.last_lost = seen.lost + 1, row.at_ms

    def look(self, queues: Mapping[str, Queue], now: int) -> list[Row]:
        """The findings that are to be written at `now` (epoch ms)."""
        rows: list[Row] = []
        for channel, seen in self._channels.items():
            rows += self._down(channel, seen, queues[channel].breaker.tripped, now)
            if seen.lost > seen.told:
                seen.told = seen.lost
                many = "1 message was" if seen.lost == 1 else f"{seen.lost} messages were"
                why = f"{many} given up for {channel}; the last answer: {seen.detail}"
                until = seen.last_lost + KNOWN_MS
                rows.append(_row(GIVEN_UP, channel, seen.lane, why, seen.first_lost, now, until=until))
        return rows

    def _down(self, channel: str, seen: Seen, is_down: bool, now: int) -> list[Row]:
        if not is_down:
            since, said = seen.since, seen.said
            seen.since = seen.said = None
            if since is None or said is None:
                return []
            return [_row(CHANNEL_DOWN, channel, seen.lane, seen.why, since, now, over=now)]
        seen.since = now if seen.since is None else seen.since
        if now < (seen.since if seen.said is None else seen.said) + AFTER_MS:
            return []
        seen.why = seen.why if seen.said else f"nothing gets through {channel}: {seen.detail}"
        seen.said = now
        return [_row(CHANNEL_DOWN, channel, seen.lane, seen.why, seen.since, now, until=now + LASTS_MS)]


def _row(
    rule: str,
    channel: str,
    lane: str,
    why: str,
    begin: int,
    now: int,
    *,
    until: int | None = None,
    over: int | None = None,
) -> Row:
    key, groups = f"channel={channel}", {"channel": channel}
    return external(lane, rule, key, "high", why, groups=groups, begin=begin, now=now, until=until, over=over)


def _is_about_channels(notice: Notify) -> bool:
    """Whether a message is about channels alone: that it was given up is no news, and told would go round for ever."""
    return all(alert.get("rule") in (CHANNEL_DOWN, GIVEN_UP) for alert in notice.alerts)
