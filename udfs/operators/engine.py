"""What all buckets of a task share: the mappings, and the rules in all versions that are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import orjson

from udfs.core.event import Event
from udfs.core.spec import Spec
from udfs.operators import rows
from udfs.operators.batch import Frame, RuleRecord, element


class Mapping(Protocol):
    """What the engine needs of a source mapping (`udfs.packs.mapping.SourceMapping`)."""

    key_names: tuple[str, ...]

    def parse(self, raw: bytes | str) -> dict[str, Any]: ...
    def matches(self, record: dict[str, Any]) -> bool: ...
    def masked(self, record: dict[str, Any]) -> dict[str, Any]: ...
    def event(self, record: dict[str, Any], key_name: str, position: str, received: int) -> Event: ...


class Engine:
    """`mappings` and `topics` belong together by index, as in the frames. `compile_rule` turns a rule's definition,
    with `version` and `lane`, into a Spec. Records of more than `largest` bytes become dead letters.
    """

    def __init__(
        self,
        lane: str,
        mappings: Sequence[Mapping],
        topics: Sequence[str],
        compile_rule: Callable[..., Spec],
        largest: int = 1 << 20,
        granularity: int = 100,
        rules_topic: str = "",
    ) -> None:
        self.lane = lane
        self.mappings = tuple(mappings)
        self.topics = tuple(topics)
        self.largest = largest
        self.granularity = granularity
        self.specs: dict[str, Spec] = {}
        self.documents: dict[str, bytes] = {}
        self._compile = compile_rule
        self._rules_topic = rules_topic
        self._versions: dict[str, list[tuple[int, int, Spec]]] = {}
        self._concerned: dict[tuple[str, str], tuple[str, ...]] = {}

    def put_rule(self, document: bytes) -> None:
        """Takes a rule document (docs/contracts.md), also the same twice. Raises ValueError for an unfit one."""
        since, version, spec = self.recall(document)
        known = self._versions.setdefault(spec.workflow, [])
        if (since, version, spec.hash) not in [(s, v, k.hash) for s, v, k in known]:
            known.append((since, version, spec))
            known.sort(key=lambda entry: entry[:2])
        self._concerned = {}

    def recall(self, document: bytes) -> tuple[int, int, Spec]:
        """Knows a version again that items began under, without putting it in force."""
        try:
            rule = orjson.loads(document)
            version, since = int(rule["version"]), int(rule.get("effective_from") or 0)
            definition = rule["definition"]
        except (ValueError, TypeError, KeyError) as fault:
            raise ValueError(f"not a rule document with `version` and `definition`: {fault!r}") from None
        spec = self._compile(definition, version=version, lane=self.lane)
        self.specs.setdefault(spec.hash, spec)
        self.documents.setdefault(spec.hash, document)
        return since, version, spec

    def workflows(self, key_name: str, event_type: str) -> tuple[str, ...]:
        """The workflows that follow this key and have a step on this type, in any version."""
        where = (key_name, event_type)
        found = self._concerned.get(where)
        if found is None:
            found = tuple(
                workflow
                for workflow, known in self._versions.items()
                if any(spec.key == key_name and event_type in spec.by_type for _, _, spec in known)
            )
            if len(self._concerned) < 100_000:  # types come from outside
                self._concerned[where] = found
        return found

    def spec_at(self, workflow: str, time: int) -> Spec | None:
        """The newest version in force at an event time: the one that an item starting then is ruled by."""
        for since, _, spec in reversed(self._versions[workflow]):
            if since <= time:
                return spec
        return None

    def dead_letter(self, frame: Frame, reason: str, detail: str) -> bytes:
        """The output that keeps a record which can't be followed."""
        topic = self.topics[frame.mapping]
        row = rows.dead_letter(
            self.lane, topic, frame.partition, frame.offset, frame.received, reason, detail, frame.payload
        )
        return element("D", f"{topic}-{frame.partition}-{frame.offset}", row)

    def refuse_rule(self, record: RuleRecord, fault: Exception) -> bytes:
        """The output that keeps a rule document which can't be taken."""
        topic = self._rules_topic
        row = rows.dead_letter(
            self.lane,
            topic,
            record.partition,
            record.offset,
            record.received,
            "invalid_event",
            f"rule {record.key.decode('utf-8', 'replace')}: {fault}",
            record.document,
        )
        return element("D", f"{topic}-{record.partition}-{record.offset}", row)
