"""What a bucket keeps: its items, when to look at which, the rules that they began under; and what it says of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from udfs.core.effects import Effect, Finding
from udfs.core.ids import SEPARATOR
from udfs.core.machine import next_deadline
from udfs.core.sight import next_seen
from udfs.core.spec import Spec
from udfs.core.state import NEVER, Item, next_verdict
from udfs.operators import rows
from udfs.operators.batch import element
from udfs.operators.cache import Items
from udfs.operators.engine import Engine
from udfs.operators.lookout import HELD
from udfs.operators.rowtypes import Row
from udfs.operators.store import Store
from udfs.operators.wheel import Wheel

PATIENCE: Final = 3_600_000
"""An item is looked at after an hour of silence, or after as long again, though its deadline may be months away. Else
the wheel would remember an item for months that ends tomorrow."""

COUNT: Final = "items"

log = logging.getLogger(__name__)


class Shelf:
    """Instants are epoch ms. `items` are those of the bucket by storage key, `wheel` knows when to look at which,
    `outputs` and `events` are what is to be said besides what the items' changes say themselves.

    What it keeps in `index` is how many items there are, the wheel, and the rules that items began under, so that an
    item never outlives its rule.
    """

    def __init__(self, engine: Engine, name: str, items: Store, index: Store) -> None:
        self.wheel = Wheel(index)
        self.items = Items(items, 0)
        self.outputs: list[bytes] = []
        self.events: list[Row] = []
        self._engine = engine
        self._name = name
        self._store = items
        self._index = index
        self._rules: dict[str, bool] = {}  # content hash of each version that an item began under -> is it stored
        self._obsolete: list[str] = []  # what has to leave the index
        self._saved_count: int | None = None
        self._gone: list[tuple[Spec, Item]] = []
        self._closed: list[Row] = []
        self._transitions: list[Row] = []
        self._woken: dict[str, int] = {}  # those that had events -> when the wheel wakes them as yet

    def open(self, names: Iterable[str]) -> None:
        """Reads what the index holds under these names, once, before anything else."""
        for key in names:
            if key == COUNT:
                self._saved_count = self.items.count = int(self._index.get(key) or 0)
            elif key.startswith(SEPARATOR):
                self._recall(key, self._index.get(key) or b"")
            else:
                self.wheel.found(key)
        if self._saved_count is None:
            self._adopt()

    def _adopt(self) -> None:
        """The bucket is new, or was saved by a Daymark that had no index: all there is is read, once."""
        for key, value in self._store.items():
            if key.startswith(SEPARATOR):
                self._recall(key, value)
                continue
            try:
                self.wake_for(key, self.items.adopt(key, value))
            except Exception:
                log.exception("bucket %s: %r can't be read from state and is left there", self._name, key)
                self.wheel.file(0, key)

    def _recall(self, key: str, document: bytes) -> None:
        try:
            self._rules[self._engine.recall(document).hash] = self._index.get(key) is not None
        except Exception:
            log.exception("bucket %s: %r can't be read from state and is left there", self._name, key)

    def save(self, puts: dict[str, bytes]) -> list[str]:
        """Stores changed items; adds what the index has to hold to `puts`. Returns what has to leave it."""
        self.items.save()
        obsolete, self._obsolete = self._obsolete, []
        obsolete += self.wheel.save(puts)
        for content_hash, is_stored in self._rules.items():
            if not is_stored:
                puts[f"{SEPARATOR}{content_hash}"] = self._engine.documents[content_hash]
                self._rules[content_hash] = True
        if self.items.count != self._saved_count:
            self._saved_count = self.items.count
            puts[COUNT] = b"%d" % self._saved_count
        return obsolete

    def forget_rules(self, content_hashes: Iterable[str]) -> None:
        """No item is ruled by these any more."""
        for content_hash in content_hashes:
            del self._rules[content_hash]
            self._obsolete.append(f"{SEPARATOR}{content_hash}")

    def rules(self) -> list[str]:
        """The content hashes of the versions that items began under."""
        return [*self._rules]

    def keep(self, where: str, spec: Spec, before: Item | None, after: Item | None, effects: list[Effect]) -> None:
        """The item is as it is `after` what happened, None if it is no more; `effects` are of the item `before`, or
        where there was none, of this one."""
        if before is None:
            about = after
        else:
            about = before
            if after is not before:
                self._gone.append((spec, before))
        if about is None:
            return
        for effect in effects:
            if isinstance(effect, Finding):
                self.outputs.append(element("F", about.key, rows.line(rows.finding(spec, about, effect))))
            else:
                self._transitions.append(rows.transition(spec, about, effect))
        if after is None:
            self.drop(where)
            return
        self.items.keep(where, after)
        if after.spec not in self._rules:
            self._rules[after.spec] = False

    def close(self, row: Row) -> None:
        """An item is closed by a change of rules, which its last row says."""
        self._closed.append(row)

    def drop(self, where: str) -> None:
        """The item is no more."""
        self.items.remove(where)
        self.wheel.forget(where)
        self._woken.pop(where, None)

    def note(self, where: str, wake: int) -> None:
        """The item has had events; up to now the wheel wakes it at `wake`."""
        if where not in self._woken:
            self._woken[where] = wake

    def wake_all(self) -> None:
        """Puts those that had events on the wheel. Only now, since many a deadline is answered within its batch."""
        for where, wake in self._woken.items():
            item = self.items.get(where)
            if item is not None:
                if item.trace:
                    item.due = next_verdict(item)
                if wake_of(item) < wake:  # else it is woken early enough
                    self.wake_for(where, item)
        self._woken = {}

    def wake_for(self, where: str, item: Item) -> None:
        """Puts the item on the wheel."""
        wake = wake_of(item)
        if wake < NEVER:
            now = self.wheel.now
            at = max(now, item.latest) + max(PATIENCE, now - item.latest)
            self.wheel.file(min(wake, at), where)

    def put_aside(self, where: str, item: Item, now: int) -> None:
        """Nothing can be said of the item now; it is looked at now and then all the same, since only the wheel is
        remembered across a restart."""
        self.wheel.file(min(next_seen(item, now), now + HELD), where)

    def flush(self) -> list[bytes]:
        """All that is to be said since the last time."""
        outputs, self.outputs = self.outputs, []
        specs = self._engine.specs
        changed: list[Row] = [rows.item(spec, item, expired=True) for spec, item in self._gone if not item.ended]
        changed += self._closed
        changed += [rows.item(specs[item.spec], item) for item in self.items.changed() if item.trace]
        for tag, made in (("T", self._transitions), ("I", changed), ("E", self.events)):
            if made:
                outputs.append(element(tag, self._name, rows.lines(made)))
        self._transitions, self.events = [], []
        self._gone.clear()
        self._closed.clear()
        return outputs


def wake_of(item: Item) -> int:
    """When the item wants to be looked at, NEVER if never."""
    wake = next_deadline(item)
    return NEVER if wake is None else wake
