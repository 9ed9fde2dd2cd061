"""The Flink function of the alert job: a thin shell around `AlertBucket`. One key, so one task in all the cluster.

It has no timers: the batcher sends a pulse with each watermark, behind what came before it, and the bucket goes by
those. Outputs of all kinds share one stream of tagged bytes, as those of detect do.
"""

from __future__ import annotations

import logging

from pyflink.common.typeinfo import Types
from pyflink.datastream import KeyedBroadcastProcessFunction, RuntimeContext
from pyflink.datastream.state import MapStateDescriptor

from udfs import memory
from udfs.operators.alertbucket import AlertBucket, AlertSettings, refuse
from udfs.operators.alertrules import AlertRules, decode_document
from udfs.operators.detect import RawBytes

DOCUMENTS = MapStateDescriptor("documents", Types.STRING(), RawBytes())
ALERTS = MapStateDescriptor("alerts", Types.STRING(), RawBytes())
NOTIFICATION = ord("N")

log = logging.getLogger(__name__)


class Alerts(KeyedBroadcastProcessFunction):
    """Batches of findings, actions and pulses in; documents by broadcast; tagged outputs out."""

    def __init__(self, settings: AlertSettings, rules: AlertRules) -> None:
        self._settings = settings
        self._rules = rules

    def open(self, runtime_context: RuntimeContext) -> None:
        """Called by Flink in the worker, before the first element."""
        memory.collect_young_only()
        self._alerts = runtime_context.get_map_state(ALERTS)
        self._bucket: AlertBucket | None = None
        self._recalled = False
        self._swept = False
        metrics = runtime_context.get_metrics_group().add_group("daymark")
        self._batches = metrics.counter("alert_batches")
        self._notifications = metrics.counter("notifications")

    def process_element(self, batch: bytes, ctx: KeyedBroadcastProcessFunction.ReadOnlyContext) -> list[bytes]:
        """One batch; there is one key, so the state is all there is."""
        self._recall(ctx)
        if self._bucket is None:
            self._bucket = AlertBucket(self._settings, self._rules, self._alerts)
        self._batches.inc()
        outputs = self._bucket.on_batch(batch)
        if told := sum(output[0] == NOTIFICATION for output in outputs):
            self._notifications.inc(told)
        return outputs

    def process_broadcast_element(self, value: bytes, ctx: KeyedBroadcastProcessFunction.Context) -> list[bytes]:
        """A document: the newest of each name is kept. It takes effect with the next batch, a second on at most."""
        self._recall(ctx)
        document = decode_document(value)
        if not self._rules.takes(document):
            return []
        try:
            self._rules.take(document)
        except ValueError as fault:
            log.warning("%s, offset %s: %s", document.topic, document.record.offset, fault)
            return [refuse(document, fault)] if self._rules.is_alerting(document) else []  # rules: detect tells of it
        state, name = ctx.get_broadcast_state(DOCUMENTS), f"{document.topic}/{document.name}"
        if not self._swept:
            self._swept = True
            for known, stored in list(state.items()):
                if not self._rules.takes(decode_document(stored)):
                    state.remove(known)
        if self._rules.needs(document):
            state.put(name, value)
        elif state.contains(name):
            state.remove(name)
        return []

    def _recall(self, ctx: KeyedBroadcastProcessFunction.ReadOnlyContext) -> None:
        """Before anything else: what came by broadcast before a restart, as far as the submission didn't know it."""
        if self._recalled:
            return
        self._recalled = True
        documents = [decode_document(value) for _, value in ctx.get_broadcast_state(DOCUMENTS).items()]
        for document in sorted(documents, key=lambda one: one.record.offset):
            if self._rules.takes(document):
                try:
                    self._rules.take(document)
                except ValueError as fault:
                    log.error("%s: taken by an earlier Daymark, refused by this one: %s", document.name, fault)
