"""What the Flink jobs have in common: where they run, how they read and write Kafka, and how batches are keyed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyflink.common import Configuration, Types
from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.data_stream import DataStream, KeyedStream
from pyflink.java_gateway import get_gateway

from jobs import topics

MAX_PARALLELISM = 128
"""Flink's key groups. Part of the state's identity: changing it makes older savepoints unreadable."""

TRANSACTION_MS = 600_000
"""How long a transaction may stay open: longer than a checkpoint takes, shorter than the broker's maximum (15 min)."""

BYTES = Types.PRIMITIVE_ARRAY(Types.BYTE())

RESUME = "execution.state-recovery.path"

SETTINGS = {
    "python.execution-mode": "thread",
    "pipeline.object-reuse": "true",
    "pipeline.auto-watermark-interval": "100 ms",
}


def environment(further: Mapping[str, str], jobmanager: str | None) -> StreamExecutionEnvironment:
    """Where a job is submitted to, with SETTINGS and `further` ones of Flink's, which go before.

    `execution.target: remote` would not do: started by Python, PyFlink's JVM always makes a local environment.
    """
    settings = Configuration()
    for name, value in {**SETTINGS, **further}.items():
        settings.set_string(name, value)
    env = (
        _remote(settings, jobmanager) if jobmanager else StreamExecutionEnvironment.get_execution_environment(settings)
    )
    env.set_python_executable(sys.executable)
    return env


def _remote(settings: Configuration, jobmanager: str) -> StreamExecutionEnvironment:
    host, _, port = jobmanager.rpartition(":")
    gateway = get_gateway()
    flink = gateway.jvm.org.apache.flink
    # Checkpointing is a setting of the job, which the client reads, not the cluster.
    whole = flink.configuration.GlobalConfiguration.loadConfiguration(settings._j_configuration)
    java = flink.streaming.api.environment.StreamExecutionEnvironment
    no_jars = gateway.new_array(gateway.jvm.String, 0)
    return StreamExecutionEnvironment(java.createRemoteEnvironment(host, int(port), whole, no_jars))


def submission(name: str, what: str, argv: Sequence[str] | None) -> tuple[Path, str | None, dict[str, str]]:
    """What the command line of a job's module says: its configuration, where to submit it, and settings of Flink's."""
    parser = argparse.ArgumentParser(prog=name, description=what)
    parser.add_argument("config", type=Path, help="the job's settings, a JSON file")
    parser.add_argument("--jobmanager", metavar="HOST:PORT", help="the JobManager's REST address")
    parser.add_argument("--savepoint", help="savepoint or retained checkpoint to resume from")
    parser.add_argument(
        "-D", action="append", default=[], metavar="NAME=VALUE", dest="settings", help="a setting of Flink's"
    )
    options = parser.parse_args(argv)
    further = dict(setting.split("=", 1) for setting in options.settings)
    if options.savepoint:
        further[RESUME] = options.savepoint
    return options.config, options.jobmanager, further


def kafka_source(bootstrap: str | None, group: str, names: list[str]) -> Any:
    """A builder of a source that starts at the beginning, unless a savepoint says where."""
    builder = get_gateway().jvm.org.apache.flink.connector.kafka.source.KafkaSource.builder()
    return (
        builder.setBootstrapServers(bootstrap)
        .setTopics(names)
        .setGroupId(group)
        .setClientIdPrefix(f"{group}-{names[0]}")
        .setProperty("isolation.level", "read_committed")
    )


def kafka_sink(bootstrap: str, topic_prefix: str, transactions: str = "", linger_ms: int = 20) -> Any:
    """The Java router and its producer; `transactions` is the prefix of their ids for exactly once, "" for at least."""
    jvm = get_gateway().jvm
    producer = jvm.java.util.Properties()
    for name, value in {
        "linger.ms": str(linger_ms),
        "batch.size": "131072",
        "max.request.size": str(topics.LARGEST_BYTES),
        **({"transaction.timeout.ms": str(TRANSACTION_MS)} if transactions else {}),
    }.items():
        producer.setProperty(name, value)
    return jvm.daymark.Router.sink(bootstrap, topic_prefix, transactions, producer)


def by_bucket(batches: Any) -> KeyedStream:
    """The Java stream, keyed as PyFlink keys its own: by the first of two fields, the function seeing the second.

    `DataStream.key_by` would put a Python operator in front that makes such rows; the batcher's are so already.
    """
    key_type = Types.ROW([Types.INT()]).get_java_type_info()
    keyed = batches.keyBy(get_gateway().jvm.KeyByKeySelector(), key_type)
    return KeyedStream(keyed, BYTES, DataStream(batches))
