"""What Prometheus is told of sending: how many attempts ended how, and how each channel is."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from jobs.dispatch.breaker import STATES
from jobs.dispatch.plan import Plan
from jobs.dispatch.records import Delivery


class DispatcherMetrics:
    """Counters and gauges of one process; `registry` is what is served."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._deliveries = Counter(
            "daymark_deliveries",
            "Attempts to tell somebody, by what came of them",
            ["channel", "outcome"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "daymark_delivery_seconds", "Time that a send took", ["channel"], registry=self.registry
        )
        self._waiting = self._gauge("daymark_channel_waiting", "Notifications that are not finished", "channel")
        self._lag = self._gauge(
            "daymark_channel_lag_seconds", "Age of the oldest notification that is not finished", "channel"
        )
        self._breaker = self._gauge(
            "daymark_channel_breaker", "1 for the state in which the channel's circuit breaker is", "channel", "state"
        )
        self.sending = self._gauge("daymark_dispatcher_sending", "1 where it is this one's turn, 0 where it stands by")

    def count(self, row: Delivery) -> None:
        """An attempt has been recorded."""
        self._deliveries.labels(row.channel, row.outcome).inc()
        if row.attempt and row.outcome not in ("called_off", "superseded"):
            self._seconds.labels(row.channel).observe(row.took_ms / 1000)

    def observe(self, plan: Plan, now: int) -> None:
        """How the channels are at `now` (epoch ms)."""
        for channel, queue in plan.queues.items():
            since = queue.oldest()
            self._waiting.labels(channel).set(len(queue))
            self._lag.labels(channel).set(0 if since is None else max(0, now - since) / 1000)
            for state in STATES:
                self._breaker.labels(channel, state).set(state == queue.breaker.state(now))

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)
