"""What a detect job is told: one JSON file, checked before anything is started."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jobs.topics import events_topic
from udfs.core.spec import Spec
from udfs.packs.load import Pack, load_mapping, load_pack
from udfs.packs.mapping import SourceMapping


class ConfigError(Exception):
    """A job's configuration that can't be used; the text names the setting and says what would be right."""


class JobConfig(BaseModel):
    """The settings of one detect job, which serves one lane. Spans are milliseconds.

    `lateness_ms`: how long after a tick events from before it are still in time. `topics`: what to read, by default
    each mapping's own topic, else the lane's; if given, all mappings may read all of them. `rules_topic`: null for
    a lane whose rules must not change while it runs, such as a replay.

    `buckets`: how many parts the keys are divided into; a part is what one task works on at a time. State is kept by
    bucket, so a job that resumes from a savepoint must have the number that it was started with. It bounds the
    useful parallelism (64 buckets on 2 tasks are about 32 each); more buckets mean smaller batches.
    `batch_records`, `batch_bytes`: a batch goes out when so much waits, over all buckets; `flush_ms`: at the latest
    after so long.
    `granularity_ms`: deadlines are looked at in steps of so much; findings carry the exact instant all the same.
    `largest_bytes`: a record that is longer becomes a dead letter. `cached_items`: how many items one task keeps
    decoded (about 2 KB each); the rest is read from state when it is needed.
    `guarantee`: exactly_once writes in Kafka transactions, so results appear at each checkpoint, not at once.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    bootstrap: str
    lane: str = Field("main", pattern=r"^[a-z0-9][a-z0-9-]{0,47}$")
    packs: tuple[Path, ...] = Field(min_length=1)
    mappings: tuple[Path, ...] = ()
    topics: tuple[str, ...] = ()
    rules_topic: str | None = "daymark.rules"
    topic_prefix: str = Field("daymark.", pattern=r"^[A-Za-z0-9._-]*$")
    lateness_ms: int = Field(2000, ge=0)
    granularity_ms: int = Field(100, ge=1)
    parallelism: int = Field(1, ge=1, le=128)
    buckets: int = Field(64, ge=1, le=4096)
    batch_records: int = Field(10_000, ge=1)
    batch_bytes: int = Field(16 * 1024 * 1024, ge=1, le=256 * 1024 * 1024)
    flush_ms: int = Field(200, ge=1)
    largest_bytes: int = Field(1024 * 1024, ge=1)
    cached_items: int = Field(300_000, ge=1)
    guarantee: Literal["at_least_once", "exactly_once"] = "at_least_once"
    uid_prefix: str = "daymark"


def read_config(file: Path) -> JobConfig:
    """The configuration in a JSON file; relative paths in it start at its folder. Raises ConfigError."""
    try:
        config = JobConfig.model_validate_json(file.read_bytes())
    except OSError as error:
        raise ConfigError(f"{file}: can't be read: {error.strerror}; name a job's JSON configuration") from error
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'the file'}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"{file}: {faults}") from None
    if config.parallelism > config.buckets:
        raise ConfigError(
            f"{file}: parallelism {config.parallelism} leaves tasks idle; at most `buckets`, {config.buckets}"
        )
    return config.model_copy(update={name: _beside(file, getattr(config, name)) for name in ("packs", "mappings")})


def _beside(file: Path, paths: tuple[Path, ...]) -> tuple[Path, ...]:
    return tuple(file.parent / path for path in paths)


def load_packs(config: JobConfig) -> list[Pack]:
    """The packs. Raises PackError with every problem, ConfigError if two packs name a workflow alike."""
    packs = [load_pack(path) for path in config.packs]
    names = [one.name for pack in packs for one in pack.workflows]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigError(
            f"more than one pack defines the workflow {', '.join(twice)}; leave one of them out, or rename it"
        )
    return packs


def load_mappings(config: JobConfig, packs: list[Pack]) -> list[SourceMapping]:
    """The mappings that are named, or those beside the packs (the same one once). Raises PackError, ConfigError."""
    found = [load_mapping(path) for path in config.mappings] or [pack.mapping for pack in packs if pack.mapping]
    mappings: list[SourceMapping] = []
    for one in found:
        if all(one.definition != other.definition for other in mappings):
            mappings.append(one)
    if not mappings:
        raise ConfigError("no pack has a mapping.yaml beside it; name one in `mappings`, so that records can be read")
    return mappings


Read = tuple[str, SourceMapping]
"""A topic, and a mapping that may read its records. Frames name it by its index in the job's list."""


def read_by(config: JobConfig, mappings: list[SourceMapping]) -> list[Read]:
    """Which topics are read with which mappings, in the order in which the mappings are tried."""
    if config.topics:
        return [(topic, mapping) for topic in config.topics for mapping in mappings]
    return [(mapping.topic or events_topic(config.lane, config.topic_prefix), mapping) for mapping in mappings]


def check_spans(specs: Iterable[Spec], config: JobConfig) -> None:
    """An item must be known for longer than its events may be late: else one that is in time would find it forgotten.

    Raises ConfigError.
    """
    for spec in specs:
        for word, span in (("remember", spec.remember), ("expire_after", spec.expire_after)):
            if span <= config.lateness_ms:
                raise ConfigError(
                    f"workflow {spec.workflow}: `{word}` is {span} ms, but events of lane {config.lane} may be "
                    f"{config.lateness_ms} ms late; make it longer, or the lateness shorter"
                )
