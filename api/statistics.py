"""What is usual in each workflow, out of the history, published beside the rules (docs/contracts.md, statistics)."""

from __future__ import annotations

import logging
import threading
from typing import Any

import orjson

from api.clock import now_ms
from api.publish import Publisher, PublishError, Record
from api.settings import Settings
from api.store import Store, StoreError

log = logging.getLogger(__name__)

KEY = "@statistics/"
DAY_MS = 86_400_000
FIRST_S = 60.0


class Statistics:
    """Publishes statistics now and then, those that have changed since."""

    def __init__(self, store: Store, publisher: Publisher, settings: Settings) -> None:
        self._store = store
        self._publisher = publisher
        self._settings = settings
        self._published: dict[str, bytes] = {}

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set. What fails is told in the log, and tried again the next time."""
        every = float(self._settings.statistics_every_s)
        wait = min(every, FIRST_S)
        while every and not stop.wait(wait):
            wait = every
            try:
                self.publish(now_ms())
            except (StoreError, PublishError) as fault:
                log.warning("statistics could not be published: %s", fault)

    def publish(self, now_ms: int) -> list[str]:
        """Publishes what has changed; returns of which workflows. Raises StoreError, PublishError."""
        since_ms = now_ms - self._settings.statistics_days * DAY_MS
        made = documents(self._store, since_ms, self._settings.statistics_least)
        changed = {name: text for name, text in made.items() if self._published.get(name) != text}
        topic = f"{self._settings.topic_prefix}rules"
        if changed:
            self._publisher.publish([Record(topic, f"{KEY}{name}".encode(), text) for name, text in changed.items()])
        self._published |= changed
        return list(changed)


def documents(store: Store, since_ms: int, least: int) -> dict[str, bytes]:
    """The statistics document of each workflow of which enough was seen since an instant (epoch ms): a span counts when
    it was seen `least` times. Raises StoreError."""
    found: dict[str, Any] = {}
    for row in store.query("statistics/steps", since_ms=since_ms, least=least):
        steps = found.setdefault(row["workflow"], {"steps": {}, "spans": {}})["steps"]
        steps[row["step"]] = {"count": row["count"], "p95": row["p95"]}
    for row in store.query("statistics/spans", since_ms=since_ms, least=least):
        spans = found.setdefault(row["workflow"], {"steps": {}, "spans": {}})["spans"]
        spans.setdefault(row["after"], {})[row["expect"]] = {"count": row["count"], "quantiles": row["quantiles"]}
    return {name: orjson.dumps({"workflow": name, "statistics": one}) for name, one in found.items()}
