"""The alert job: what makes alerts of findings, for all lanes. This module puts the parts together; it decides nothing.

    findings, actions ─► Ticks, InTurn, Batcher (Java, one bucket) ─► Alerts (Python; documents by broadcast) ─► Router

Time is in the log here as well: the ticker writes into every partition of both topics, and each watermark comes to
Python as a pulse.

    python -m jobs.alert CONFIG.json --jobmanager HOST:PORT [--savepoint PATH] [-D NAME=VALUE]

As with jobs.detect, the address is that of the JobManager's REST, and the job's id is printed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.data_stream import DataStream
from pyflink.java_gateway import get_gateway

from jobs import rules, topics
from jobs.alertconfig import AlertConfig, read_alert_config
from jobs.clock import now_ms
from jobs.config import ConfigError
from jobs.streams import BYTES, MAX_PARALLELISM, by_bucket, environment, kafka_sink, kafka_source, submission
from udfs.operators.alertbucket import ACTION, FINDING, AlertSettings
from udfs.operators.alertrules import AlertRules, Reached
from udfs.operators.alerts import DOCUMENTS, Alerts
from udfs.packs.alertcompile import compile_policy
from udfs.packs.compile import compile_workflow
from udfs.packs.load import load_pack
from udfs.packs.problems import PackError

NAME = "daymark alert"
GROUP = "daymark-alert"
LARGEST_BYTES = 1024 * 1024
NO_GAP = 2**63 - 1
LINGER_MS = 2
WATERMARK_MS = 20
"""How long a finding may wait for time to come to the tick that stands before it."""


def build(env: StreamExecutionEnvironment, config: AlertConfig, begun: int) -> None:
    """Add the job to `env`; `begun` (epoch ms) is what time it is before the first tick of a job that remembers
    nothing. Raises PackError, TopicError."""
    inputs = (config.topic("findings"), config.topic("actions"))
    documents = (config.topic("alerting"), config.topic("rules"))
    topics.partitions(config.bootstrap, [*inputs, *documents])
    settings = AlertSettings(inputs, frozenset(config.lanes), begun)
    packs = rules.documents([load_pack(path) for path in config.packs])
    alerting, workflows = (_reached(config.bootstrap, topic) for topic in documents)
    alert_rules = AlertRules(alerting, workflows, packs, compile_policy, compile_workflow)

    env.set_parallelism(1)
    env.set_max_parallelism(MAX_PARALLELISM)
    env.get_config().set_auto_watermark_interval(WATERMARK_MS)
    told = (
        by_bucket(_batches(env, config, inputs, begun))
        .connect(DataStream(_documents(env, config, documents)).broadcast(DOCUMENTS))
        .process(Alerts(settings, alert_rules), BYTES)
        .name("alert")
        .uid(f"{config.uid_prefix}-alert")
    )
    sink = kafka_sink(config.bootstrap, config.topic_prefix, linger_ms=LINGER_MS)
    told._j_data_stream.sinkTo(sink).name("kafka").uid(f"{config.uid_prefix}-kafka")


def _reached(bootstrap: str, topic: str) -> Reached:
    records = tuple(rules.in_topic(bootstrap, topic))
    return Reached(topic, records, max((record.offset + 1 for record in records), default=0))


def _batches(env: StreamExecutionEnvironment, config: AlertConfig, inputs: tuple[str, str], begun: int) -> Any:
    """The Java stream of (bucket, batch), with one bucket.

    Nothing holds time back behind a gap of ticks: what comes meanwhile would be stamped with the instant before it, and
    be escalated at once when time goes on.
    """
    jvm = get_gateway().jvm
    daymark = jvm.daymark
    offsets = jvm.org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer
    source = (
        kafka_source(config.bootstrap, GROUP, list(inputs))
        .setStartingOffsets(offsets.timestamp(begun - config.look_back_ms))
        .setDeserializer(daymark.RecordFormat())
        .build()
    )
    ticks = daymark.Ticks(0).live(config.tick_ahead_ms, NO_GAP, 0)
    records = env._j_stream_execution_environment.fromSource(source, ticks, "findings and actions")
    records.setParallelism(1).uid(f"{config.uid_prefix}-records")
    records = daymark.InTurn.of(records, ticks).setParallelism(1).uid(f"{config.uid_prefix}-in-turn")
    batches = daymark.Batcher.of(records, _batcher_settings(config, inputs))
    return batches.setParallelism(1).uid(f"{config.uid_prefix}-batch")


def _batcher_settings(config: AlertConfig, inputs: tuple[str, str]) -> str:
    mappings = dict(zip(inputs, (FINDING, ACTION), strict=True))
    return json.dumps(
        {
            "buckets": 1,
            "records": 1000,
            "bytes": 4 * LARGEST_BYTES,
            "delay": config.flush_ms,
            "pulse": 1,
            "largest": LARGEST_BYTES,
            "topics": {topic: [{"mapping": index}] for topic, index in mappings.items()},
        }
    )


def _documents(env: StreamExecutionEnvironment, config: AlertConfig, names: tuple[str, str]) -> Any:
    """The Java stream of documents, from the beginning of their topics."""
    daymark = get_gateway().jvm.daymark
    source = kafka_source(config.bootstrap, GROUP, list(names)).setDeserializer(daymark.DocumentFormat()).build()
    stream = env._j_stream_execution_environment.fromSource(source, daymark.Timeless(), "documents")
    return stream.setParallelism(1).uid(f"{config.uid_prefix}-documents")


def submit(config: AlertConfig, jobmanager: str | None = None, further: Mapping[str, str] | None = None) -> str:
    """Submit the job without waiting; returns its id. Raises what `build` does. `further` are Flink's settings."""
    env = environment(further or {}, jobmanager)
    build(env, config, now_ms())
    return str(env.execute_async(NAME).get_job_id())


def main(argv: Sequence[str] | None = None) -> int:
    """Submit the job and print its id; 1 and the reason on standard error if it can't be."""
    file, jobmanager, further = submission("jobs.alert", "Submits the alert job.", argv)
    try:
        print(submit(read_alert_config(file), jobmanager, further))
    except (ConfigError, PackError, topics.TopicError) as error:
        print(f"jobs.alert: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
