"""What is found and who is told of it, live in the terminal: a line for each, and below them how many there are of
each kind."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError
from rich.live import Live
from rich.text import Text

from api.commands import told
from api.commands.output import out
from api.words import clock, sentence
from udfs.ticks import is_tick

COLOURS = {
    "missing": "bold red",
    "late": "yellow",
    "reported_late": "yellow",
    "early": "yellow",
    "at_risk": "blue",
    "out_of_order": "magenta",
    "duplicate": "cyan",
    "unexpected": "magenta",
    "invalid": "magenta",
    "blind": "white",
    "stalled": "magenta",
    "predicted": "blue",
}
KINDS = (
    "missing",
    "late",
    "reported_late",
    "early",
    "out_of_order",
    "unexpected",
    "duplicate",
    "at_risk",
    "invalid",
    "blind",
    "stalled",
    "predicted",
)
SEVERITIES = ("critical", "high", "medium", "low")
LINES = 4
PAUSE_SECONDS = 0.5
SUMMARY_SECONDS = 10.0


class Watch:
    """Follows findings, and what people are told, for one lane in a thread. Shows a few lines of each twice a second at
    most, and counts all findings."""

    def __init__(self, bootstrap: str, lane: str) -> None:
        self.bootstrap = bootstrap
        self.lane = lane
        self.counts: Counter[str] = Counter()
        self.clock_ms: int | None = None
        self._since_ms = 0
        self._url = ""
        self._seen: set[str] = set()
        self._told = told.Told(lane)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, since_ms: int, url: str) -> None:
        """Count all findings of the lane, and show those written since that instant (epoch ms), until `stop`.

        `url` is where to see more; it stays in sight.
        """
        self._since_ms, self._url = since_ms, url
        self._thread = threading.Thread(target=self._run, args=(since_ms,), name="watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Show nothing more; harmless when not started."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(5)

    def take(self, topic: str, row: dict[str, Any]) -> bool:
        """Count one row; True if it is a finding that was not there before."""
        if row.get("lane") != self.lane:
            return False
        if topic.endswith("progress"):
            self.clock_ms = max(self.clock_ms or 0, row["watermark_ms"])
            return False
        if row["id"] in self._seen:
            return False
        self._seen.add(row["id"])
        self.counts[row["kind"]] += 1
        return True

    def summary(self) -> Text:
        """How many there are of each kind, and where the lane's clock stands."""
        time_there = f"  {clock(self.clock_ms, self.clock_ms)} UTC" if self.clock_ms else ""
        text = Text(self._url, style="bold").append(time_there, style="dim")
        for kind in KINDS:
            text.append(f"  {kind.replace('_', ' ')} ", style="dim").append(f"{self.counts[kind]:,}", COLOURS[kind])
        return text

    def _run(self, since_ms: int) -> None:
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False)
        try:
            _seek(consumer, since_ms)
            if out.is_terminal:
                with Live(self.summary(), console=out, refresh_per_second=4, transient=True) as live:
                    self._follow(consumer, lambda: live.update(self.summary()))
            else:
                self._follow(consumer, self._summary_now_and_then())
        except KafkaError as error:
            out.print(f"what is found can't be shown any more: {error}")
        finally:
            consumer.close()

    def _follow(self, consumer: KafkaConsumer, summarise: Any) -> None:
        while not self._stop.is_set():
            found: list[dict[str, Any]] = []
            people: list[Text] = []
            polled = consumer.poll(timeout_ms=int(PAUSE_SECONDS * 1000))
            for place, records in sorted(polled.items(), key=_titles_first):
                for record in records:
                    if is_tick(record.headers):
                        continue
                    rows = [json.loads(line) for line in (record.value or b"").splitlines() if line]
                    if place.topic in told.TOPICS:
                        people += [line for row in rows if (line := self._told.line(place.topic, row))]
                        continue
                    new = [row for row in rows if self.take(place.topic, row)]
                    found += new if record.timestamp >= self._since_ms else []
            self._show(found)
            _show_people(people)
            summarise()
            self._stop.wait(PAUSE_SECONDS)

    def _show(self, found: list[dict[str, Any]]) -> None:
        """The gravest few, in order of their instants."""
        gravest = sorted(found, key=_gravity)[:LINES]
        for row in sorted(gravest, key=lambda row: row["deadline_ms"]):
            label = Text(f"{row['kind'].replace('_', ' ').upper():<13} ", style=COLOURS.get(row["kind"], ""))
            out.print(label.append(sentence(row, self.clock_ms), style="default"))
        if len(found) > len(gravest):
            out.print(Text(f"              and {len(found) - len(gravest)} more", style="dim"))

    def _summary_now_and_then(self) -> Any:
        last = time.monotonic()

        def summarise() -> None:
            nonlocal last
            if time.monotonic() - last >= SUMMARY_SECONDS:
                last = time.monotonic()
                out.print(self.summary())

        return summarise


def _titles_first(polled: tuple[TopicPartition, list[Any]]) -> bool:
    """A key to sort by: what is delivered is told in the words of its notification, so that has to be known."""
    return str(polled[0].topic) != "daymark.notifications"


def _show_people(lines: list[Text]) -> None:
    """The first few: in a storm the rest is in the mailbox and on the page."""
    for line in lines[:LINES]:
        out.print(line)
    if len(lines) > LINES:
        out.print(Text(f"              and {len(lines) - LINES} more to people or by them", style="dim"))


def _gravity(row: dict[str, Any]) -> tuple[bool, int, int]:
    """What has happened before what may happen, then by severity, then by instant."""
    return row["kind"] == "at_risk", SEVERITIES.index(row["severity"]), row["deadline_ms"]


def _seek(consumer: KafkaConsumer, since_ms: int) -> None:
    """Assign the findings from their beginning, and the others since that instant: where the lanes' clocks stand, and
    what people are told."""
    findings = _partitions(consumer, "daymark.findings")
    others = [place for topic in ("daymark.progress", *told.TOPICS) for place in _partitions(consumer, topic)]
    consumer.assign([*findings, *others])
    consumer.seek_to_beginning(*findings)
    newest, ends = consumer.offsets_for_times(dict.fromkeys(others, since_ms)), consumer.end_offsets(others)
    for place in others:
        consumer.seek(place, newest[place].offset if newest.get(place) else ends[place])


def _partitions(consumer: KafkaConsumer, topic: str) -> list[TopicPartition]:
    return [TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic) or ()]
