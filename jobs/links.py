"""The stages in front of detect where workflows have several keys: each follows links from one key to those before it.

    Batcher ─┬─► Resolve, last key ─► Forwarder ─┬─► … Resolve, second key ─► Forwarder ─► detect
             └─► the other stages, and detect ◄──┘

A stage sends to those behind it only, so there is no way round. Without such workflows there is no stage, and the job
is what it would be if nobody had thought of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pyflink.common.typeinfo import TypeInformation
from pyflink.datastream.data_stream import BroadcastStream, KeyedStream
from pyflink.java_gateway import get_gateway

from jobs.config import JobConfig
from udfs.core.spec import Correlation
from udfs.operators.engine import Engine
from udfs.operators.resolve import Resolve
from udfs.packs.mapping import SourceMapping


def stages_of(mapping: SourceMapping, correlations: Sequence[Correlation]) -> list[list[int]]:
    """For each key of the mapping the stages that follow links from it."""
    return [
        sorted({one.keys.index(name) for one in correlations if name in one.keys[1:]}) for name in mapping.key_names
    ]


def through_stages(
    batches: Any,
    engine: Engine,
    rules: BroadcastStream,
    by_bucket: Callable[[Any], KeyedStream],
    element: TypeInformation,
    settings: str,
    config: JobConfig,
) -> Any:
    """All batches for detect: those of the Java stream `batches`, and those that found their key in a stage."""
    last = max((len(one.keys) for one in engine.correlations().values()), default=1) - 1
    forwarder = get_gateway().jvm.daymark.Forwarder
    sources = [batches]
    for key in range(last, 0, -1):
        coming = _union([forwarder.towards(one, key) for one in sources])
        placed = by_bucket(coming).connect(rules).process(Resolve(engine, key), element)
        placed.name(f"resolve {key}").uid(f"{config.uid_prefix}-resolve-{key}-{config.buckets}-even")  # as detect's is
        sources.append(forwarder.of(placed._j_data_stream, settings, key).uid(f"{config.uid_prefix}-forward-{key}"))
    return _union(sources)


def _union(streams: list[Any]) -> Any:
    first, *others = streams
    if not others:
        return first
    gateway = get_gateway()
    array = gateway.new_array(gateway.jvm.org.apache.flink.streaming.api.datastream.DataStream, len(others))
    for index, other in enumerate(others):
        array[index] = other
    return first.union(array)
