"""The Flink function that follows items: a thin shell around `Bucket`, which decides everything.

One call takes a whole batch of one bucket. What the bucket changed goes to state with one `put_all` a map, its earliest
deadline becomes one timer, and its outputs leave as tagged bytes. Outputs of all kinds share one stream, because a side
output from `on_timer` crashes the job in PyFlink's thread mode.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

import orjson
from pyflink.common.typeinfo import TypeInformation, Types
from pyflink.datastream import KeyedBroadcastProcessFunction, RuntimeContext
from pyflink.datastream.state import MapStateDescriptor

from udfs import memory
from udfs.operators.batch import PULSE, STATISTICS, Frame, RuleRecord, decode, decode_rule, encode
from udfs.operators.bucket import Bucket, Engine
from udfs.operators.linkbucket import LinkBucket

log = logging.getLogger(__name__)


class RawBytes(TypeInformation):
    """Bytes in state, as they are.

    PyFlink's own array of bytes comes back from state as a tuple of integers, and its pickled type wraps them in a
    pickle. In thread mode a type that it does not know gets the Java type byte[] and no conversion: what we want.
    """


RULES = MapStateDescriptor("rules", Types.STRING(), RawBytes())
ITEMS = MapStateDescriptor("items", Types.STRING(), RawBytes())
INDEX = MapStateDescriptor("index", Types.STRING(), RawBytes())
FINDING = ord("F")


class Detect(KeyedBroadcastProcessFunction):
    """Keyed by bucket: batches in; rule records by broadcast; tagged outputs out.

    `cached_items` bounds the decoded items that one task keeps in Python; the rest is read from state when needed.
    """

    def __init__(self, engine: Engine, cached_items: int = 300_000) -> None:
        self._engine = engine
        self._cached_items = cached_items

    def open(self, runtime_context: RuntimeContext) -> None:
        """Called by Flink in the worker, before the first element."""
        memory.collect_young_only()
        self._items = runtime_context.get_map_state(ITEMS)
        self._index = runtime_context.get_map_state(INDEX)
        self._buckets: dict[int, Bucket | LinkBucket] = {}
        self._sizes: dict[int, int] = {}
        self._timers: dict[int, int] = {}
        self._recalled = False
        metrics = runtime_context.get_metrics_group().add_group("daymark")
        self._batches = metrics.counter("batches")
        self._findings = metrics.counter("findings")
        self._failures = metrics.counter("failures")
        # Counters only: they live in Java. A gauge would be asked by Flink's metrics thread, which kills the whole
        # TaskManager (SIGSEGV in take_gil) when it does so while the interpreter of a job that ends is being closed.
        self._cached = metrics.counter("cached_items")

    def process_element(self, batch: bytes, ctx: KeyedBroadcastProcessFunction.ReadOnlyContext) -> list[bytes]:
        """One batch of one bucket."""
        self._recall_rules(ctx)
        number = ctx.get_current_key()
        watermark = ctx.timer_service().current_watermark()  # the context has no watermark in thread mode
        self._batches.inc()
        try:
            bucket = self._bucket(number)
            outputs = self._save(number, bucket, bucket.on_batch(batch, watermark))
        except Exception:
            log.exception("bucket %s: a batch failed; its records are tried one by one", number)
            outputs = self._one_by_one(number, batch, watermark)
        self._set_timer(number, ctx)
        return outputs

    def on_timer(self, timestamp: int, ctx: KeyedBroadcastProcessFunction.OnTimerContext) -> list[bytes]:
        """A bucket's earliest deadline has passed, or the timer is an old one and nothing is due."""
        self._recall_rules(ctx)
        number = ctx.get_current_key()
        now = ctx.timer_service().current_watermark()
        if self._timers.get(number, timestamp) <= timestamp:
            self._timers.pop(number, None)
        try:
            bucket = self._bucket(number)
            outputs = self._save(number, bucket, bucket.on_time(now))
        except Exception:
            log.exception("bucket %s: the deadlines at %s failed and stay as they were", number, now)
            self._give_up(number)
            return []
        self._set_timer(number, ctx)
        return outputs

    def process_broadcast_element(self, value: bytes, ctx: KeyedBroadcastProcessFunction.Context) -> list[bytes]:
        """A rule document: all versions are kept, since items stay with the version under which they began. Or an empty
        one: all versions go, and a note stays, so that a restart does not bring them back."""
        self._recall_rules(ctx)
        record = decode_rule(value)
        try:
            workflow = self._engine.take(record)
        except Exception as fault:
            log.warning("rules, partition %s offset %s: %s", record.partition, record.offset, fault)
            return self._refused_rule(record, fault)
        rules = ctx.get_broadcast_state(RULES)
        if not record.document and not record.key.startswith(STATISTICS):
            rule_places = [
                (place, known) for place, known in rules.items() if not place.encode().startswith(STATISTICS)
            ]
            for place, known in rule_places:
                if _workflow_of(known) == workflow:
                    rules.remove(place)
        rules.put(_rule_key(record), record.document or _withdrawal(workflow))
        return []

    def _bucket(self, number: int) -> Bucket | LinkBucket:
        """The bucket whose key is the current one; state shows its entries only."""
        bucket = self._buckets.get(number)
        if bucket is None:
            bucket = self._buckets[number] = self._open_bucket(number)
        return bucket

    def _open_bucket(self, number: int) -> Bucket | LinkBucket:
        return Bucket(self._engine, str(number), self._items, self._index)

    def _refused(self, frame: Frame, fault: Exception) -> bytes:
        return self._engine.dead_letter(frame, "internal", repr(fault))

    def _refused_rule(self, record: RuleRecord, fault: Exception) -> list[bytes]:
        return [self._engine.refuse_rule(record, fault)]  # from every task; being the same, they count as one

    def _save(self, number: int, bucket: Bucket | LinkBucket, outputs: list[bytes]) -> list[bytes]:
        """Save what a call has changed, and make room. Buckets share it equally, since hashing spreads the items."""
        bucket.save()
        bucket.shrink(self._cached_items // len(self._buckets))
        self._count(number, len(bucket))
        found = [output for output in outputs if output[0] == FINDING]
        if found:
            self._findings.inc(len(found))
        return outputs

    def _count(self, number: int, size: int) -> None:
        grown = size - self._sizes.get(number, 0)
        if grown:
            self._sizes[number] = size
            self._cached.inc(grown)

    def _one_by_one(self, number: int, batch: bytes, watermark: int) -> list[bytes]:
        """After a failure: start from what is saved, and let only the records that fail become dead letters."""
        self._give_up(number)
        outputs: list[bytes] = []
        for frame in decode(batch):
            try:
                bucket = self._bucket(number)
                outputs += self._save(number, bucket, bucket.on_batch(encode([frame]), watermark))
            except Exception as fault:
                self._give_up(number)
                if frame.mapping != PULSE:
                    outputs.append(self._refused(frame, fault))
        return outputs

    def _give_up(self, number: int) -> None:
        self._failures.inc()
        self._buckets.pop(number, None)
        self._count(number, 0)

    def _set_timer(self, number: int, ctx: KeyedBroadcastProcessFunction.ReadOnlyContext) -> None:
        """One timer for a bucket, its earliest. After a restore the timers are there, but not known here: registering
        one again is harmless, since Flink keeps one of a kind."""
        due = self._bucket(number).next_timer()
        if due is None and number in self._timers:
            ctx.timer_service().delete_event_time_timer(self._timers.pop(number))
        if due is not None and due < self._timers.get(number, due + 1):
            self._timers[number] = due
            ctx.timer_service().register_event_time_timer(due)

    def _recall_rules(self, ctx: KeyedBroadcastProcessFunction.ReadOnlyContext) -> None:
        """Before anything else: the engine learns the rules that came by broadcast before a restart."""
        if not self._recalled:
            self._recalled = True
            documents: Iterable[tuple[str, bytes]] = sorted(ctx.get_broadcast_state(RULES).items())
            for place, document in documents:
                try:
                    self._engine.take(_rule_record(place, document))
                except Exception as fault:
                    log.error("rules, %s: taken by an earlier Daymark, refused by this one: %s", place, fault)


def _withdrawal(workflow: str) -> bytes:
    """What the broadcast state holds of a withdrawn workflow."""
    return orjson.dumps({"workflow": workflow, "statistics": {}})


def _workflow_of(document: bytes) -> str:
    return str(orjson.loads(document)["workflow"])


def _rule_record(key: str, document: bytes) -> RuleRecord:
    """The record that `process_broadcast_element` kept under this key."""
    if key.encode().startswith(STATISTICS):
        return RuleRecord(0, 0, 0, key.encode(), document)
    partition, _, offset = key.partition("-")
    is_rule = "definition" in orjson.loads(document)
    return RuleRecord(int(partition), int(offset), 0, _workflow_of(document).encode(), document if is_rule else b"")


def _rule_key(record: RuleRecord) -> str:
    """Sorts as the rules came, so that a restart puts them in force in the same order. Statistics have one place."""
    if record.key.startswith(STATISTICS):
        return record.key.decode()
    return f"{record.partition:06d}-{record.offset:020d}"
