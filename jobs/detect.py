"""The detect job: what follows the items of one lane. This module puts the parts together; it decides nothing.

    Kafka ─► Ticks, Batcher (Java) ─► Detect (Python, by bucket; rules by broadcast) ─► Outlet, Router (Java) ─► Kafka

Where workflows have several keys, stages stand in front of Detect (jobs/links.py).
At either end a file may stand in for Kafka (LogFile, RowFiles), for logs that are followed once and for measurements.

    python -m jobs.detect CONFIG.json --jobmanager HOST:PORT [--savepoint PATH] [-D NAME=VALUE]

The address is that of the JobManager's REST. Without it the job goes where `flink run -pym jobs.detect` was told, or
runs in this process. Prints the job's id. Checkpoints, restarts and the state backend are what FLINK_CONF_DIR's
config.yaml says.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from pyflink.datastream import StreamExecutionEnvironment
from pyflink.datastream.data_stream import DataStream
from pyflink.java_gateway import get_gateway

from jobs import links, rules, topics
from jobs.config import (
    ConfigError,
    FileInput,
    JobConfig,
    Read,
    check_files,
    fits,
    load_mappings,
    load_packs,
    read_by,
    read_config,
)
from jobs.streams import BYTES, MAX_PARALLELISM, RESUME, by_bucket, environment, kafka_sink, kafka_source, submission
from udfs.operators.batch import RuleRecord, encode_rule
from udfs.operators.bucket import Engine
from udfs.operators.detect import RULES, Detect
from udfs.packs.compile import compile_workflow
from udfs.packs.mapping import SourceMapping
from udfs.packs.problems import PackError


def build(env: StreamExecutionEnvironment, config: JobConfig) -> None:
    """Add the job to `env`. Raises PackError, ConfigError, TopicError."""
    packs = load_packs(config)
    mappings = load_mappings(config, packs)
    reads = read_by(config, mappings)
    readers = _readers(config, reads)
    engine = _engine(config, reads)
    put_in_force(engine, rules.documents(packs), _changed_rules(config))
    engine.build_for()

    env.set_parallelism(config.parallelism)
    env.set_max_parallelism(MAX_PARALLELISM)
    settings = _batcher_settings(config, reads, engine)
    batches = _batches(env, config, reads, readers, settings)
    rule_records = DataStream(_rule_records(env, config, engine)).broadcast(RULES)
    batches = links.through_stages(batches, engine, rule_records, by_bucket, BYTES, settings, config)
    detect = Detect(engine, config.cached_items)
    found = (
        by_bucket(batches)
        .connect(rule_records)
        .process(detect, BYTES)
        .name("detect")
        .uid(f"{config.uid_prefix}-detect-{config.buckets}-even")  # state fits one number of buckets and one numbering
    )
    _to_outside(found, config)


def put_in_force(engine: Engine, documents: Iterable[bytes], changes: Iterable[RuleRecord]) -> None:
    """The rules with which the job starts: those of its packs, then what the rules topic says. A record of the topic
    that can't be taken holds up nobody: it becomes a dead letter when it comes by broadcast.

    Raises ConfigError if the job can't run a pack.
    """
    for document in documents:
        try:
            engine.put_rule(document)
        except ValueError as fault:
            raise ConfigError(str(fault)) from None
    for record in changes:
        with suppress(ValueError):
            engine.take(record)


def _readers(config: JobConfig, reads: list[Read]) -> int:
    """How many tasks read: a reader without a partition would hold the watermark back for ever. Raises TopicError."""
    if config.input is not None:
        return 1
    names = {topic for topic, _ in reads}
    counts = topics.partitions(str(config.bootstrap), [*names, *filter(None, [config.rules_topic])])
    return min(config.parallelism, max(counts[name] for name in names))


def _changed_rules(config: JobConfig) -> list[RuleRecord]:
    return rules.in_topic(str(config.bootstrap), config.rules_topic) if config.rules_topic else []


def _engine(config: JobConfig, reads: list[Read]) -> Engine:
    return Engine(
        config.lane,
        [mapping for _, mapping in reads],
        [topic for topic, _ in reads],
        compile_workflow,
        largest=config.largest_bytes,
        granularity=config.granularity_ms,
        rules_topic=config.rules_topic or "",
        live=config.live,
        fits=fits(config, [mapping for _, mapping in reads]),
    )


def _batches(
    env: StreamExecutionEnvironment,
    config: JobConfig,
    reads: list[Read],
    readers: int,
    settings: str,
) -> Any:
    """The Java stream of (bucket, batch). Reader and batcher share a task, so that no record is serialised between."""
    daymark = get_gateway().jvm.daymark
    source = _file_source(config.input) if config.input else _events_source(config, reads)
    ticks = daymark.Ticks(config.lateness_ms)
    if config.live:
        ticks.live(config.tick_ahead_ms, config.tick_gap_ms, config.tick_grace_ms)
    events = env._j_stream_execution_environment.fromSource(source, ticks, "events")
    events.setParallelism(readers).uid(f"{config.uid_prefix}-events")
    if config.live:
        events = daymark.Absence.of(events, ticks)
        events.setParallelism(readers).uid(f"{config.uid_prefix}-absence")
    batches = daymark.Batcher.of(events, settings)
    return batches.setParallelism(readers).uid(f"{config.uid_prefix}-batch")


def _file_source(log: FileInput) -> Any:
    return get_gateway().jvm.daymark.LogFile.source(str(log.file), log.file.name)


def _events_source(config: JobConfig, reads: list[Read]) -> Any:
    return (
        kafka_source(config.bootstrap, f"daymark-{config.lane}", sorted({topic for topic, _ in reads}))
        .setDeserializer(get_gateway().jvm.daymark.RecordFormat())
        .setProperty("partition.discovery.interval.ms", "60000")
        .build()
    )


def _batcher_settings(config: JobConfig, reads: list[Read], engine: Engine) -> str:
    by_topic: dict[str, list[dict[str, Any]]] = {}
    correlations = list(engine.correlations().values())
    for index, (topic, mapping) in enumerate(reads):
        keys = {"keys": _key_paths(mapping), "stages": links.stages_of(mapping, correlations)}
        by_topic.setdefault(topic, []).append({"mapping": index, **keys})
    return json.dumps(
        {
            "buckets": config.buckets,
            "records": config.batch_records,
            "bytes": config.batch_bytes,
            "delay": config.flush_ms,
            "pulse": 1 if config.live and any(one.heartbeat for _, one in reads) else config.pulse_ms,
            "largest": config.largest_bytes,
            "topics": by_topic,
        }
    )


def _key_paths(mapping: SourceMapping) -> list[list[str]]:
    """The paths as `daymark.KeyScan` reads them: a step into a list is `[0]`."""
    return [[f"[{part}]" if isinstance(part, int) else part for part in path] for path in mapping.key_paths]


def _rule_records(env: StreamExecutionEnvironment, config: JobConfig, engine: Engine) -> Any:
    """The Java stream of rule changes; where rules can't change, those in force once more, since it can't be empty."""
    jvm, j_env = get_gateway().jvm, env._j_stream_execution_environment
    if config.rules_topic is None:
        in_force = jvm.java.util.ArrayList()
        for number, document in enumerate(engine.documents.values()):
            in_force.add(encode_rule(RuleRecord(0, number, 0, b"", document)))
        stream = j_env.fromData(in_force, BYTES.get_java_type_info())
    else:
        source = (
            kafka_source(config.bootstrap, f"daymark-{config.lane}", [config.rules_topic])
            .setDeserializer(jvm.daymark.RuleFormat())
            .build()
        )
        stream = j_env.fromSource(source, jvm.daymark.Timeless(), "rules")
    return stream.setParallelism(1).uid(f"{config.uid_prefix}-rules")


def _to_outside(found: DataStream, config: JobConfig) -> None:
    """What leaves Python is written by another thread: Python's has no time to make Kafka's batches and checksums."""
    daymark = get_gateway().jvm.daymark
    outlet = daymark.Outlet.of(found._j_data_stream, config.lane).startNewChain().uid(f"{config.uid_prefix}-outlet")
    if config.output is not None:
        outlet.sinkTo(daymark.RowFiles(str(config.output.folder))).name("files").uid(f"{config.uid_prefix}-files")
    else:
        outlet.sinkTo(_kafka_sink(config)).name("kafka").uid(f"{config.uid_prefix}-kafka")


def _kafka_sink(config: JobConfig) -> Any:
    transactions = f"{config.uid_prefix}-{config.lane}" if config.guarantee == "exactly_once" else ""
    return kafka_sink(str(config.bootstrap), config.topic_prefix, transactions)


def submit(config: JobConfig, jobmanager: str | None = None, further: Mapping[str, str] | None = None) -> str:
    """Submit the job without waiting; returns its id. Raises what `build` does. `further` are Flink's settings."""
    check_files(config, RESUME in (further or {}))
    env = environment(further or {}, jobmanager)
    build(env, config)
    return str(env.execute_async(f"daymark detect {config.lane}").get_job_id())


def main(argv: Sequence[str] | None = None) -> int:
    """Submit one job and print its id; 1 and the reason on standard error if it can't be."""
    file, jobmanager, further = submission("jobs.detect", "Submits the detect job of one lane.", argv)
    try:
        print(submit(read_config(file), jobmanager, further))
    except (ConfigError, PackError, topics.TopicError) as error:
        print(f"jobs.detect: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
