"""Instants as people write them, for tests."""

from __future__ import annotations

from udfs.packs.alerttimes import parse_moment
from udfs.packs.zones import compile_zone

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def at(text: str, zone: str = "UTC") -> int:
    """Epoch ms of `2026-03-02 09:00` on a zone's wall clock; of what exists twice the first."""
    return parse_moment(text, compile_zone(zone))
