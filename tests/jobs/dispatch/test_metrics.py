"""What Prometheus is told of sending, and where."""

from __future__ import annotations

import pytest

from api.stack import ports
from jobs.dispatch.breaker import FIRST_MS, THRESHOLD
from jobs.dispatch.metrics import DispatcherMetrics
from jobs.dispatcher import MetricsError, arguments, served
from tests.jobs.dispatch.steps import DOWN, Bench, notice


class Told:
    def __init__(self) -> None:
        self.bench = Bench()
        self.metrics = DispatcherMetrics()

    def value(self, name: str, **labels: str) -> float | None:
        self.metrics.observe(self.bench.plan, self.bench.now)
        return self.metrics.registry.get_sample_value(name, labels)

    def state(self) -> list[str]:
        states = ("closed", "half_open", "open")
        return [one for one in states if self.value("daymark_channel_breaker", channel="mail", state=one)]


def test_a_channel_tells_how_much_waits_for_how_long_and_whether_it_is_left_alone() -> None:
    told = Told()
    bench = told.bench
    bench.log(*(notice(f"n{n}", at_ms=bench.now - 1_000 * n) for n in range(THRESHOLD + 3)))
    assert told.value("daymark_channel_waiting", channel="mail") == THRESHOLD + 3
    assert told.value("daymark_channel_lag_seconds", channel="mail") == THRESHOLD + 2
    assert told.state() == ["closed"]
    for _ in range(THRESHOLD):
        bench.send(result=DOWN)
    assert told.state() == ["open"]
    bench.now += FIRST_MS - 1
    assert told.state() == ["open"]
    bench.now += 1
    assert told.state() == ["half_open"]
    bench.now += 60_000
    bench.drain()
    assert told.state() == ["closed"]
    assert told.value("daymark_channel_waiting", channel="mail") == 0
    assert told.value("daymark_channel_lag_seconds", channel="mail") == 0


def test_each_attempt_is_counted_by_what_came_of_it() -> None:
    told = Told()
    told.bench.log(notice("a"), notice("b"))
    told.bench.send(result=DOWN)
    told.bench.drain()
    told.bench.log(notice("c"))
    told.bench.halt(**{"alert-c": 1})
    told.bench.sweep()
    for row in told.bench.rows:
        told.metrics.count(row)
    found = {one: told.value("daymark_deliveries_total", channel="mail", outcome=one) for one in ("sent", "called_off")}
    assert found == {"sent": 1, "called_off": 1}
    assert told.value("daymark_deliveries_total", channel="mail", outcome="retry") == 1
    assert told.value("daymark_delivery_seconds_count", channel="mail") == 2, "what was called off took no time"


def test_a_place_that_is_taken_or_none_is_said_to_be() -> None:
    port = str(ports.free())
    taken = pytest.raises(MetricsError, match=f"at {port}, name another")
    with served(DispatcherMetrics(), port), taken, served(DispatcherMetrics(), port):
        pass
    with served(DispatcherMetrics(), port):
        pass  # it is free again
    with pytest.raises(SystemExit):
        arguments(["--bootstrap", "x", "--metrics", "somewhere"], {})
    assert arguments(["--bootstrap", "x"], {"DAYMARK_DISPATCHER_METRICS": "9102"}).metrics == "9102"
