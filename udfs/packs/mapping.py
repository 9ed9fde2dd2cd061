"""Source mappings, compiled: from a record of any JSON or flat source to the `Event` that the core reads."""

from __future__ import annotations

import os
from typing import Any

from orjson import JSONDecodeError, loads

from udfs.core.event import Event
from udfs.core.source import Mapping, Position, Unreadable
from udfs.core.state import NEVER
from udfs.packs.explain import validate
from udfs.packs.paths import FieldPath, Getter, parse_path
from udfs.packs.pii import hashed, without
from udfs.packs.problems import PackError, raise_errors
from udfs.packs.sourcemodel import GRACE, REQUIRED, EventTime, Source, Time, check_source, with_defaults
from udfs.packs.times import EARLIEST, LATEST, TimeReader, time_reader
from udfs.packs.values import (
    INFINITE,
    LONGEST_NAME,
    amount_of,
    check_texts,
    event_id,
    group_text,
    instant,
    key_text,
    kind_of,
    lacks,
    plain_text,
    same,
    source_text,
    unlikely_time,
    unreadable_time,
)
from udfs.packs.yamlfile import Document

__all__ = ["POSITION", "SourceMapping", "compile_mapping"]

POSITION = "_position"
"""The field in which a log reader notes a record's place in its file: the identity of records without an id."""


def compile_mapping(definition: dict[str, Any], *, pii_key: bytes | None = None) -> SourceMapping:
    """The mapping that the definition (the YAML as plain data) describes. Raises PackError with all that is wrong.

    `pii_key` is the secret of hashed fields; default is the environment's DAYMARK_PII_KEY, else an empty one.
    """
    return SourceMapping(definition, os.environ.get("DAYMARK_PII_KEY", "").encode() if pii_key is None else pii_key)


class SourceMapping(Mapping):
    """A compiled source mapping. It is picklable; a copy is compiled anew where it arrives.

    `key_names` and `key_paths` are the correlation keys in the mapping's order; `topic` and `lane` are None where the
    mapping leaves them to the lane that it is used in. `definition` is the YAML as plain data.
    """

    def __init__(self, definition: dict[str, Any], pii_key: bytes = b"") -> None:
        document = Document("source mapping", definition)
        source, problems = validate(Source, document)
        if source is None:
            raise PackError(problems)
        raise_errors(check_source(document, source))
        source = with_defaults(source)
        self.definition = definition
        self.name: str = source.source
        self.topic: str | None = source.topic
        self.lane: str | None = source.lane
        self.format: str = source.format
        self.key_names: tuple[str, ...] = tuple(source.keys)
        self.key_paths: tuple[FieldPath, ...] = tuple(map(parse_path, source.keys.values()))
        self.group_names: tuple[str, ...] = tuple(source.groups)
        self._compile(source, pii_key)

    def __reduce__(self) -> tuple[type[SourceMapping], tuple[dict[str, Any], bytes]]:
        return SourceMapping, (self.definition, self._pii_key)

    def _compile(self, source: Source, pii_key: bytes) -> None:
        self._pii_key = pii_key
        self._pii = tuple((parse_path(path), change) for path, change in source.pii.items())
        self._keys = {name: self._field(path) for name, path in source.keys.items()}
        self._groups = tuple((name, self._field(path)) for name, path in source.groups.items())
        self._id = self._id_getter(source.id or [])
        self._type = self._field(source.type or "")
        self._source = Getter(("source",)) if source.format == "cloudevents" else None
        default_zone = None if source.format == "cloudevents" else "UTC"
        at = source.time or EventTime(path="time")
        self._time, self._read_time = self._time_field(at, default_zone)
        self.future = at.future
        self.past = NEVER if at.past is None else at.past
        self.clock_severity = at.severity
        self.heartbeat = source.heartbeat or 0
        self.grace = GRACE if source.grace is None else source.grace
        self.types = frozenset(source.types)
        started = self._time_field(source.started, default_zone) if source.started else None
        self._started: Getter | None
        self._started, self._read_started = started or (None, self._read_time)
        self._amount = self._field(source.amount) if source.amount else None
        self._when = tuple((Getter(parse_path(path)), values) for path, values in source.when.items())
        # For messages about what is missing.
        self._paths = {"type": source.type, "time": at.path}
        self._key_paths = dict(source.keys)

    def _field(self, path: str) -> Getter:
        """The getter of a field of the event; of its hash where the field is personal."""
        parts = parse_path(path)
        if all(hidden != parts for hidden, _ in self._pii):
            return Getter(parts)
        return HashGetter(parts, path, self._pii_key)

    def _id_getter(self, paths: list[str]) -> Getter | None:
        fields = [self._field(path) for path in paths]
        return None if not fields else fields[0] if len(fields) == 1 else JoinGetter(fields)

    def _time_field(self, at: Time, zone: str | None) -> tuple[Getter, TimeReader]:
        return Getter(parse_path(at.path)), time_reader(at.format, None if at.zone == REQUIRED else at.zone or zone)

    @property
    def hashed_keys(self) -> tuple[str, ...]:
        """The keys that are personal, so that events bear their hashes."""
        return tuple([name for name, getter in self._keys.items() if isinstance(getter, HashGetter)])

    # What is done for each record

    def parse(self, raw: bytes) -> dict[str, Any]:
        """The record in a message's bytes. Raises Unreadable (not_json, not_an_object)."""
        try:
            record = loads(raw)
        except JSONDecodeError as fault:
            raise Unreadable("not_json", str(fault)) from None
        if type(record) is not dict:
            raise Unreadable("not_an_object", f"the record is {kind_of(record)}, not a JSON object")
        return record

    def matches(self, record: dict[str, Any]) -> bool:
        """Whether the mapping's `when` holds for the record."""
        return all(same(getter.get(record), values) for getter, values in self._when)

    def masked(self, record: dict[str, Any]) -> dict[str, Any]:
        """The record without its personal data: a copy, or the record itself where the mapping names none."""
        return without(record, self._pii, self._pii_key) if self._pii else record

    def event(self, record: Any, key_name: str, position: Position | str, received: int, time: int = NEVER) -> Event:
        """The event that the record is, for one of its correlation keys.

        `position` is where the record stands (topic-partition-offset), the identity of one that has no id;
        `received` is when it reached Kafka, epoch ms. `time`, unless it is NEVER, stands for the record's own time,
        which then isn't read. Raises Unreadable, and nothing else whatever the record holds.
        """
        key_getter = self._keys[key_name]
        if not isinstance(record, dict):
            raise Unreadable("not_an_object", f"the record is {kind_of(record)}, not a JSON object")
        try:
            key = key_getter.get(record)
            if type(key) is not str or not key:
                key = key_text(key, key_name, self._key_paths[key_name])
            kind = self._type.get(record)
            if type(kind) is not str or not kind:
                raise Unreadable("no_type", lacks("type", self._paths["type"], kind))
            if time == NEVER:
                stamp = self._time.get(record)
                try:
                    time = self._read_time.read(stamp)
                except (ValueError, TypeError, OverflowError) as fault:
                    raise unreadable_time(stamp, self._paths["time"], fault) from None
                if not EARLIEST <= time < LATEST:
                    raise unlikely_time(stamp, self._paths["time"])
            source = self._source.get(record) if self._source is not None else self.name
            if type(source) is not str or not source:
                source = source_text(source, self.name)
            name = self._id.get(record) if self._id is not None else None
            if type(name) is not str or not name:
                name = event_id(name, source, record.get(POSITION), position)
            texts = name + key + kind + source
            if len(texts) > LONGEST_NAME or not texts.isascii():
                check_texts({"id": name, "source": source, "type": kind, key_name: key})
            groups: tuple[tuple[str, str], ...] = ()
            for label, getter in self._groups:
                group = getter.get(record)
                if type(group) is not str or len(group) > LONGEST_NAME or not group.isascii():
                    group = group_text(group)
                if group:
                    groups += ((label, group),)
            started = (
                instant(self._started.get(record), self._read_started, "started") if self._started is not None else None
            )
            amount = self._amount.get(record) if self._amount is not None else None
            if amount is not None and not (type(amount) is float and -INFINITE < amount < INFINITE):
                amount = amount_of(amount)
            return Event(name, source, kind, time, key, groups, record, started, amount, received)
        except Unreadable:
            raise
        except Exception as fault:
            raise Unreadable("internal", f"{type(fault).__name__}: {fault}") from fault


class HashGetter(Getter):
    """The hash of a field that is personal."""

    def __init__(self, parts: FieldPath, path: str, secret: bytes) -> None:
        super().__init__(parts)
        self._text = path
        self._secret = secret

    def get(self, record: dict[str, Any]) -> Any:
        value = super().get(record)
        return None if value is None or value == "" else hashed(plain_text(value, self._text), self._secret)


class JoinGetter(Getter):
    """An id of several fields, joined by `/`, which is escaped inside a part; None if one is missing."""

    def __init__(self, fields: list[Getter]) -> None:
        super().__init__(("id",))
        self._fields = fields

    def get(self, record: dict[str, Any]) -> Any:
        parts = [field.get(record) for field in self._fields]
        if any(part is None or part == "" for part in parts):
            return None
        return "/".join([plain_text(part, "id").replace("%", "%25").replace("/", "%2F") for part in parts])
