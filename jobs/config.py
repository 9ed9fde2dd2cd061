"""What a detect job is told: one JSON file, checked before anything is started."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from jobs.topics import events_topic
from udfs.operators.fits import Fits
from udfs.packs.load import Pack, load_mapping, load_pack
from udfs.packs.mapping import SourceMapping


class ConfigError(Exception):
    """A job's configuration that can't be used; the text names the setting and says what would be right."""


class FileInput(BaseModel):
    """A log in a file instead of Kafka: a JSON record a line, ticks as lines of their own, `{"tick": 1700000000000}`.

    It is one partition, read once, by one reader; behind its last line time ends, and with it the job. A record's
    position is the file's name, partition 0 and the offset of its first byte.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Path


class FolderOutput(BaseModel):
    """Files of rows instead of topics, one for each topic and task: `findings-0.ndjson`, `transitions-0.ndjson`, ...

    They are whole at each checkpoint and at the end. A job that resumes goes on in them, and repeats what it wrote
    since its checkpoint; another one wants an empty folder.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Path


class JobConfig(BaseModel):
    """The settings of one detect job, which serves one lane. Spans are milliseconds.

    `bootstrap`: the Kafka broker; not needed where `input` is a file and `output` a folder. Rules can't change while a
    file is read, so `rules_topic` must be null then.
    `lateness_ms`: how long after a tick events from before it are still in time. `topics`: what to read, by default
    each mapping's own topic, else the lane's; if given, all mappings may read all of them. `rules_topic`: null for
    a lane whose rules must not change while it runs, such as a replay.

    `live`: the lane's clock is the wall clock, and Kafka's record timestamps are of the same clock. Then a tick that is
    more than `tick_ahead_ms` ahead of its record's timestamp moves nothing; after a gap of more than `tick_gap_ms`
    between two ticks, time stands still until the ticks have come `tick_grace_ms` further; the
    mappings' limits on event times hold, and so do their heartbeats. Not for replays, whose clock is that of a log.

    `buckets`: how many parts the keys are divided into; a part is what one task works on at a time. State is kept by
    bucket, so a job that resumes from a savepoint must have the number that it was started with. It bounds the
    useful parallelism: every task gets as many, where the parallelism divides it and is a power of two. More buckets
    mean smaller batches.
    `batch_records`, `batch_bytes`: a batch goes out when so much waits, over all buckets; `flush_ms`: at the latest
    after so long. Under load the first comes first, so that batches are big exactly when they have to be.
    `pulse_ms`: each bucket is told, whenever time has moved on by so much, how far it is and which source was heard of
    when, so that things can happen in it without a record; schedules need it. 0: never.
    `granularity_ms`: deadlines are looked at in steps of so much; findings carry the exact instant all the same.
    `largest_bytes`: a record that is longer becomes a dead letter. `cached_items`: how many items one task keeps
    decoded (about 2 KB each); the rest is read from state when it is needed.
    `guarantee`: exactly_once writes in Kafka transactions, so results appear at each checkpoint, not at once.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    bootstrap: str | None = None
    input: FileInput | None = None
    output: FolderOutput | None = None
    lane: str = Field("main", pattern=r"^[a-z0-9][a-z0-9-]{0,47}$")
    packs: tuple[Path, ...] = Field(min_length=1)
    mappings: tuple[Path, ...] = ()
    topics: tuple[str, ...] = ()
    rules_topic: str | None = "daymark.rules"
    topic_prefix: str = Field("daymark.", pattern=r"^[A-Za-z0-9._-]*$")
    lateness_ms: int = Field(2000, ge=0)
    live: bool = False
    tick_ahead_ms: int = Field(60_000, ge=0)
    tick_gap_ms: int = Field(10_000, ge=0)
    tick_grace_ms: int = Field(10_000, ge=0)
    granularity_ms: int = Field(100, ge=1)
    parallelism: int = Field(1, ge=1, le=128)
    buckets: int = Field(32, ge=1, le=4096)
    batch_records: int = Field(10_000, ge=1)
    batch_bytes: int = Field(16 * 1024 * 1024, ge=1, le=256 * 1024 * 1024)
    flush_ms: int = Field(50, ge=1)
    pulse_ms: int = Field(60_000, ge=0)
    largest_bytes: int = Field(1024 * 1024, ge=1)
    cached_items: int = Field(300_000, ge=1)
    guarantee: Literal["at_least_once", "exactly_once"] = "at_least_once"
    uid_prefix: str = "daymark"

    @model_validator(mode="after")
    def _check_where_records_come_from_and_go_to(self) -> JobConfig:
        if self.bootstrap is None and (self.input is None or self.output is None):
            raise ValueError("`bootstrap` is missing; name the Kafka broker, or an `input` file and an `output` folder")
        if self.input is not None and self.rules_topic is not None:
            raise ValueError("the rules of a job that reads a file can't change; set `rules_topic` to null")
        if self.input is not None and self.topics:
            raise ValueError("`topics` are in Kafka, but `input` is a file; leave one of them out")
        if self.input is not None and self.live:
            raise ValueError("a file is a log of the past; leave out `live`")
        return self


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
    return _with_paths_from(file.parent, config)


def _with_paths_from(folder: Path, config: JobConfig) -> JobConfig:
    """Absolute paths, since Flink's workers have folders of their own."""
    start = folder.absolute()
    paths: dict[str, object] = {
        "packs": tuple(start / path for path in config.packs),
        "mappings": tuple(start / path for path in config.mappings),
        "input": config.input and FileInput(file=start / config.input.file),
        "output": config.output and FolderOutput(folder=start / config.output.folder),
    }
    return config.model_copy(update=paths)


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
    """Which topics are read with which mappings, in the order in which the mappings are tried. A file is a topic."""
    if config.input is not None:
        return [(config.input.file.name, mapping) for mapping in mappings]
    if config.topics:
        return [(topic, mapping) for topic in config.topics for mapping in mappings]
    return [(mapping.topic or events_topic(config.lane, config.topic_prefix), mapping) for mapping in mappings]


def fits(config: JobConfig, mappings: Iterable[SourceMapping]) -> Fits:
    """What tells whether the job can run a rule."""
    hashed = [(mapping.name, mapping.hashed_keys) for mapping in mappings]
    return Fits(config.lane, config.lateness_ms, config.pulse_ms, hashed)


def check_files(config: JobConfig, resumes: bool) -> None:
    """The input must be there, and a job that begins anew must not write behind another's rows. Raises ConfigError."""
    if config.input is not None and not config.input.file.is_file():
        raise ConfigError(f"{config.input.file} is not there; name a file of JSON lines as `input`")
    if config.output is not None and not resumes and any(config.output.folder.glob("*.ndjson")):
        raise ConfigError(f"{config.output.folder} holds the rows of another job; name an empty folder as `output`")
