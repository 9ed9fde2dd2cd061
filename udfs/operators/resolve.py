"""The Flink function that follows links between keys: a thin shell around `LinkBucket`, which decides everything.

It stands in front of `Detect`, once for each secondary key, and works as that does: keyed by bucket, here of the
secondary key, a batch in, frames for the stages behind it out.
"""

from __future__ import annotations

from udfs.operators.batch import Frame, RuleRecord
from udfs.operators.detect import Detect
from udfs.operators.engine import Engine
from udfs.operators.linkbucket import LinkBucket, refused


class Resolve(Detect):
    """Places the events that bear the key with index `key`, in some workflow's list, and none before it."""

    def __init__(self, engine: Engine, key: int) -> None:
        super().__init__(engine)
        self._key = key

    def _open_bucket(self, number: int) -> LinkBucket:
        return LinkBucket(self._engine, self._key, self._items, self._index)

    def _refused(self, frame: Frame, fault: Exception) -> bytes:
        return refused(frame, "internal", repr(fault))

    def _refused_rule(self, record: RuleRecord, fault: Exception) -> list[bytes]:
        return []  # Detect says it
