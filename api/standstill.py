"""Says when a whole step stands still, which no single bucket of the job can see (docs/decisions/0013)."""

from __future__ import annotations

import logging
import threading
from typing import Any

import orjson

from api.publish import Publisher, PublishError, Record
from api.rulebook import Rulebook, RulesUnknown
from api.settings import Settings
from api.store import Store, StoreError
from api.views import ALL, blind_sources
from udfs.core.spec import Spec
from udfs.core.standstill import Queue, asked, check
from udfs.core.state import NEVER
from udfs.operators import rows

log = logging.getLogger(__name__)

Row = dict[str, Any]


class Standstill:
    """Looks at the steps of the live lane now and then. It keeps no findings: those that are open are in the store."""

    def __init__(self, store: Store, publisher: Publisher, settings: Settings, rulebook: Rulebook) -> None:
        self._store = store
        self._publisher = publisher
        self._settings = settings
        self._rulebook = rulebook
        self._before = -1

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set. What fails is told in the log, and tried again the next time."""
        every = float(self._settings.stalled_every_s)
        while every and not stop.wait(every):
            try:
                self._rulebook.refresh()
                self.look()
            except (StoreError, PublishError, RulesUnknown) as fault:
                log.warning("whether steps stand still could not be told: %s", fault)
        self._rulebook.close()

    def look(self) -> None:
        """Says what holds at the lane's time of one look ago: what the job wrote up to then has been loaded meanwhile,
        but perhaps not yet what it wrote up to now. Raises StoreError, PublishError."""
        before, self._before = self._before, self._time()
        if 0 <= before < NEVER:
            self.tell(before)

    def tell(self, watermark: int) -> list[bytes]:
        """Says what holds at a watermark (epoch ms); returns the finding rows. Raises StoreError, PublishError."""
        told: list[Row] = []
        specs = [spec for spec in self._rulebook.in_force(watermark) if asked(spec)]
        blind = blind_sources(self._store) if specs else []
        for spec in specs:
            known = [row for row in blind if row["lane"] == spec.lane and spec.workflow in row["workflows"]]
            told += self._workflow(spec, min([watermark, *(row["since_ms"] for row in known)]))
        topic = f"{self._settings.topic_prefix}findings"
        values = [(row["key"], orjson.dumps(row)) for row in told]
        if values:
            self._publisher.publish([Record(topic, key.encode(), value) for key, value in values])
        return [value for _, value in values]

    def _workflow(self, spec: Spec, watermark: int) -> list[Row]:
        """What is new: steps that go on, then steps that stand still. While a step is said to, it isn't said again."""
        place = {"lane": spec.lane, "workflow": spec.workflow}
        since_ms = watermark - spec.expire_after
        standing = {row["id"]: row for row in self._store.query("statistics/standing", since_ms=since_ms, **place)}
        told = []
        for row in list(standing.values()):
            moved = {"step": row["step"], "since_ms": row["since_ms"], "watermark_ms": watermark}
            for left in self._store.query("statistics/left", **place, **moved):
                del standing[row["id"]]
                told.append(row | {"at_ms": left["left_ms"], "delta_ms": left["left_ms"] - row["deadline_ms"]})
        still = {row["step"] for row in standing.values()}
        steps = list(asked(spec))
        for row in self._store.query("statistics/waiting", steps=steps, watermark_ms=watermark, **place):
            found = check(spec, Queue(row["step"], row["waiting"], row["oldest_ms"], row["left_ms"]), watermark)
            if found is not None and found.step not in still:
                told.append(orjson.loads(rows.line(rows.finding_of(spec, found.step, {}, found))))
        return told

    def _time(self) -> int:
        """The live lane's watermark; -1 while not all of its subtasks are known."""
        for row in self._store.query("lanes/list", limit=ALL):
            if row["lane"] == self._settings.lane and row["subtasks"] == row["parallelism"]:
                return int(row["watermark_ms"])
        return -1
