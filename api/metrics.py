"""The serving process's Prometheus metrics. An app has a registry of its own: two in a process don't clash."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram


class Metrics:
    """Counters and gauges of the loader and of HTTP; `registry` is what /metrics prints."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.rows = self._counter("daymark_loader_rows", "Rows inserted into ClickHouse", "table")
        self.bytes = self._counter("daymark_loader_bytes", "Bytes of rows inserted into ClickHouse", "table")
        self.refused = self._counter(
            "daymark_loader_refused", "Messages that ClickHouse refused, now dead letters", "table"
        )
        self.retries = self._counter("daymark_loader_retries", "Inserts tried again because ClickHouse failed")
        self.insert_seconds = Histogram(
            "daymark_loader_insert_seconds", "Time of one batch's inserts and commit", registry=self.registry
        )
        self.lag = Gauge("daymark_loader_lag", "Messages not yet loaded", ["topic"], registry=self.registry)
        self.last_insert = Gauge(
            "daymark_loader_last_insert_timestamp_seconds", "When the last batch was inserted", registry=self.registry
        )
        self.requests = Histogram(
            "daymark_http_request_seconds",
            "Time of HTTP requests",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.outbox = Gauge("daymark_outbox_waiting", "Records not yet sent to Kafka", registry=self.registry)
        self.posted = self._counter("daymark_events_posted", "Events accepted over HTTP", "lane")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)


class StoreMetrics:
    """Gauges of what the store holds, made anew for each scrape."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.findings = Gauge(
            "daymark_findings",
            "Findings in the store",
            ["lane", "workflow", "kind", "severity"],
            registry=self.registry,
        )
        self.lane_age = Gauge(
            "daymark_lane_age_seconds", "Seconds since the clock of a lane moved", ["lane"], registry=self.registry
        )
