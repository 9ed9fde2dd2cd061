"""Who was told of what, and who answered, as lines for the terminal: out of notifications, deliveries and alerts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.text import Text

TOPICS = ("daymark.notifications", "daymark.deliveries", "daymark.alerts")
MOST_TITLES = 10_000
COLOURS = {"opened": "red", "escalated": "bold red", "resolved": "green"}


class Told:
    """Knows what each notification says until it is delivered, so that a delivery can be told in words."""

    def __init__(self, lane: str) -> None:
        self.lane = lane
        self._titles: dict[str, str] = {}
        self._acked: dict[str, int] = {}

    def line(self, topic: str, row: Mapping[str, Any]) -> Text | None:
        """What there is to say about one row, if anything: somebody was told, couldn't be, or acknowledged."""
        if topic == "daymark.alerts":
            return self._answer(row)
        if topic == "daymark.deliveries":
            return self._delivery(row)
        if row.get("type") == "notify":
            self._titles[row["id"]] = row["title"]
            if len(self._titles) > MOST_TITLES:
                del self._titles[next(iter(self._titles))]
        return None

    def _delivery(self, row: Mapping[str, Any]) -> Text | None:
        title = self._titles.get(row["id"], "")
        if row["lane"] != self.lane or row["outcome"] not in ("sent", "dead"):
            return None
        whom = f"{row['person'] or row['address'] or 'all'} by {row['channel']}"
        if row["outcome"] == "dead":
            return _line("NOT TOLD", "bold red", f"{whom}: {row['detail']}")
        return _line("TOLD", COLOURS.get(row["reason"], "cyan"), f"{whom}: {title or row['reason']}")

    def _answer(self, row: Mapping[str, Any]) -> Text | None:
        if row["lane"] != self.lane or row["state"] != "acknowledged":
            return None
        if self._acked.get(row["id"]) == row["acked_ms"]:  # it has only been counted on
            return None
        self._acked[row["id"]] = row["acked_ms"]
        return _line("ACKNOWLEDGED", "green", f"by {row['acked_by']}: {row['summary']}")


def _line(label: str, colour: str, text: str) -> Text:
    return Text(f"{label:<13} ", style=colour).append(text, style="default")
