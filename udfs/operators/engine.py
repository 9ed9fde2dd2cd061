"""What all buckets of a task share: the mappings, and the rules in all versions that are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from udfs.core.ids import SEPARATOR
from udfs.core.links import by_scheme, scheme_of
from udfs.core.source import Mapping
from udfs.core.spec import Correlation, Spec
from udfs.operators import rows
from udfs.operators.batch import Frame, RuleRecord, element


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
        self._recalled: dict[bytes, Spec] = {}
        self._concerned: dict[tuple[str, str], tuple[str, ...]] = {}
        self._correlations: dict[str, Correlation] | None = None
        self._built_for: frozenset[str] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Flink sends the engine to its workers. A compiled class can't be copied unless it says how."""
        settings = (self.lane, self.mappings, self.topics, self._compile, self.largest, self.granularity)
        known = (self.specs, self.documents, self._versions, self._recalled, self._built_for)
        return Engine, (*settings, self._rules_topic), known

    def __setstate__(self, known: tuple[Any, ...]) -> None:
        self.specs, self.documents, self._versions, self._recalled, self._built_for = known

    def build_for(self) -> dict[str, Correlation]:
        """From now on rules with further lists of keys are refused: the job is built for those that are there."""
        self._built_for = frozenset(self.correlations())
        return self.correlations()

    def _check_keys(self, correlation: Correlation) -> None:
        if self._built_for is not None and scheme_of(correlation.keys) not in self._built_for:
            keys = ", ".join(correlation.keys)
            raise ValueError(f"the job was not started for the keys {keys}; start it again, from a savepoint")

    def correlations(self) -> dict[str, Correlation]:
        """The lists of several keys by which items are found, in any version that is known, by scheme."""
        if self._correlations is None:
            self._correlations = by_scheme([s.correlation for s in self.specs.values() if s.correlation is not None])
        return self._correlations

    def put_rule(self, document: bytes) -> None:
        """Puts a rule document (docs/contracts.md) in force, also twice. Raises ValueError for an unfit one."""
        since, version, spec = self._read(document)
        if spec.correlation is not None:
            self._check_keys(spec.correlation)
        self.specs[spec.hash] = spec  # a new runbook or version number is no new content, and holds at once
        self.documents[spec.hash] = document
        known = self._versions.setdefault(spec.workflow, [])
        known[:] = [entry for entry in known if entry[:2] != (since, version) or entry[2].hash != spec.hash]
        known.append((since, version, spec))
        known.sort(key=lambda entry: entry[:2])  # stable: of two alike, the one that came later holds
        self._concerned = {}
        self._correlations = None

    def recall(self, document: bytes) -> Spec:
        """Knows a version again that items began under, without putting it in force. Raises ValueError."""
        spec = self._recalled.get(document)
        if spec is None:
            spec = self._read(document)[2]
            self._recalled[document] = spec
            self.specs.setdefault(spec.hash, spec)
            self.documents.setdefault(spec.hash, document)
            self._concerned = {}
            self._correlations = None
        return spec

    def _read(self, document: bytes) -> tuple[int, int, Spec]:
        try:
            rule = orjson.loads(document)
            version, since = rule["version"], rule.get("effective_from") or 0
            definition = rule["definition"]
        except (ValueError, TypeError, KeyError, AttributeError) as fault:
            raise ValueError(f"not a rule document with `version` and `definition`: {fault!r}") from None
        for name, number in (("version", version), ("effective_from", since)):
            if type(number) is not int or not 0 <= number < 1 << 53:
                raise ValueError(f"`{name}` is {number!r}; give a whole number from 0 on")
        spec = self._compile(definition, version=version, lane=self.lane)
        if rule.get("workflow") != spec.workflow:
            raise ValueError(f"the document is for {rule.get('workflow')!r}, its definition for {spec.workflow!r}")
        return since, version, spec

    def workflows(self, key_name: str, event_type: str) -> tuple[str, ...]:
        """The workflows that follow this key and have a step on this type, in any version in force or still in use."""
        where = (key_name, event_type)
        found = self._concerned.get(where)
        if found is None:
            fitting = {s.workflow: None for s in self._in_use() if s.key == key_name and event_type in s.by_type}
            found = self._remember(where, tuple(fitting))
        return found

    def correlated(self, scheme: str, event_type: str) -> tuple[str, ...]:
        """The workflows whose items events of this type find by the links of this list of keys."""
        where = (SEPARATOR + scheme, event_type)
        found = self._concerned.get(where)
        if found is None:
            concerned = [s for s in self._in_use() if s.correlation is not None and event_type in s.by_type]
            fitting = {s.workflow: None for s in concerned if _scheme(s) == scheme}
            found = self._remember(where, tuple(fitting))
        return found

    def _in_use(self) -> list[Spec]:
        return [spec for known in self._versions.values() for _, _, spec in known] + list(self._recalled.values())

    def _remember(self, where: tuple[str, str], found: tuple[str, ...]) -> tuple[str, ...]:
        if len(self._concerned) < 100_000:  # types come from outside
            self._concerned[where] = found
        return found

    def spec_at(self, workflow: str, time: int) -> Spec | None:
        """The newest version in force at an event time: the one that an item starting then is ruled by."""
        for since, _, spec in reversed(self._versions.get(workflow, ())):
            if since <= time:
                return spec
        return None

    def dead_letter(self, frame: Frame, reason: str, detail: str) -> bytes:
        """The output that keeps a record which can't be followed."""
        return self._letter(self.topics[frame.mapping], frame, reason, detail, frame.payload)

    def refuse_rule(self, record: RuleRecord, fault: Exception) -> bytes:
        """The output that keeps a rule document which can't be taken."""
        detail = f"rule {record.key.decode('utf-8', 'replace')}: {fault}"
        return self._letter(self._rules_topic, record, "invalid_event", detail, record.document)

    def _letter(self, topic: str, at: Frame | RuleRecord, reason: str, detail: str, raw: bytes) -> bytes:
        row = rows.dead_letter(self.lane, topic, at.partition, at.offset, at.received, reason, detail, raw)
        return element("D", f"{topic}-{at.partition}-{at.offset}", row)


def _scheme(spec: Spec) -> str:
    return "" if spec.correlation is None else scheme_of(spec.correlation.keys)
