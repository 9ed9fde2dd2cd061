"""What all buckets of a task share: the mappings, and the rules in all versions that are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import orjson

from udfs.core.ids import SEPARATOR
from udfs.core.links import by_scheme, scheme_of
from udfs.core.measures import Measures, measured
from udfs.core.measures import read as read_measures
from udfs.core.source import Mapping
from udfs.core.spec import Correlation, Spec
from udfs.core.versions import NOT, Plan, Version
from udfs.operators import rows
from udfs.operators.batch import STATISTICS, Frame, RuleRecord, element


class Engine:
    """`mappings` and `topics` belong together by index, as in the frames. `compile_rule` turns a rule's definition,
    with `version` and `lane`, into a Spec; `fits` raises ValueError for one that the job can't run. Records of more
    than `largest` bytes become dead letters. In a `live` lane Kafka's record timestamps and the lane's time are of one
    clock, so that the mappings' limits and heartbeats hold. `plans` are those of the workflows whose versions do
    something to open items; the others have none.
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
        live: bool = False,
        fits: Callable[[Spec], None] | None = None,
    ) -> None:
        self.lane = lane
        self.mappings = tuple(mappings)
        self.topics = tuple(topics)
        self.largest = largest
        self.granularity = granularity
        self.specs: dict[str, Spec] = {}
        self.documents: dict[str, bytes] = {}
        self.scheduled = False  # whether some version in force, or once in force, has schedules
        self._compile = compile_rule
        self.live = live
        self._fits = fits
        self.watched = _watched(self.mappings, self.topics) if live else ()
        self._rules_topic = rules_topic
        self.plans: dict[str, Plan] = {}
        self._versions: dict[str, list[Version]] = {}
        self._withdrawn: dict[str, int] = {}
        self._recalled: dict[bytes, Spec] = {}
        self._measures: dict[str, Measures] = {}
        self._concerned: dict[tuple[str, str], tuple[str, ...]] = {}
        self._correlations: dict[str, Correlation] | None = None
        self._built_for: frozenset[str] | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Flink sends the engine to its workers. A compiled class can't be copied unless it says how."""
        settings = (self.lane, self.mappings, self.topics, self._compile, self.largest, self.granularity)
        known = (
            self.specs,
            self.documents,
            self._versions,
            self._recalled,
            self.plans,
            self._withdrawn,
            self._measures,
            self._built_for,
        )
        return Engine, (*settings, self._rules_topic, self.live, self._fits), known

    def __setstate__(self, known: tuple[Any, ...]) -> None:
        self.specs, self.documents, self._versions, self._recalled, self.plans, self._withdrawn = known[:6]
        self._measures, self._built_for = known[6:]
        self.scheduled = [spec for spec in self.specs.values() if spec.schedules] != []

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

    def take(self, record: RuleRecord) -> str:
        """Takes a record of the rules topic, also twice: puts its document in force, or withdraws the workflow where it
        is empty. Returns the workflow's name. Raises ValueError for an unfit one."""
        if record.key.startswith(STATISTICS):
            return self._measure(record)
        if record.document:
            return self.put_rule(record.document, record.offset)
        workflow = record.key.decode()
        if not workflow:
            raise ValueError("neither a document, nor a key that names the workflow to withdraw")
        self._withdraw(workflow, record.offset)
        return workflow

    def put_rule(self, document: bytes, place: int = NOT) -> str:
        """Puts a rule document (docs/contracts.md) in force, also twice; `place` is its offset in the rules topic.
        Returns the workflow's name. Raises ValueError for an unfit one."""
        since, version, spec = self._read(document)
        if place < self._withdrawn.get(spec.workflow, place):
            return spec.workflow
        if self._fits is not None:
            self._fits(spec)
        if spec.correlation is not None:
            self._check_keys(spec.correlation)
        self.specs[spec.hash] = spec  # a new runbook or version number is no new content, and holds at once
        self.documents[spec.hash] = document
        known = self._versions.setdefault(spec.workflow, [])
        for one in [*known]:
            if one[:2] == (since, version) and one.spec.hash == spec.hash:
                known.remove(one)
                place = max(place, one.place)
        known.append(Version(since, version, spec, place))
        known.sort(key=lambda one: one[:2])  # stable: of two alike, the one that came later holds
        self.scheduled = self.scheduled or bool(spec.schedules)
        self._replan(spec.workflow)
        return spec.workflow

    def has(self, workflow: str) -> bool:
        """Whether a workflow has a version that was not withdrawn."""
        return bool(self._versions.get(workflow))

    def _withdraw(self, workflow: str, place: int) -> None:
        """All versions that came before are no more; their specs stay known until the items under them are closed."""
        if place > self._withdrawn.get(workflow, NOT):
            self._withdrawn[workflow] = place
            self._versions[workflow] = [one for one in self._versions.get(workflow, ()) if one.place > place]
            self._replan(workflow)

    def _measure(self, record: RuleRecord) -> str:
        """From now on other statistics hold for a workflow, in all its versions; an empty record: none."""
        workflow = record.key[len(STATISTICS) :].decode()
        seen = Measures({}, {})
        if record.document:
            said = orjson.loads(record.document)
            seen = read_measures(said)
            if said.get("workflow") != workflow:
                raise ValueError(f"the document is for {said.get('workflow')!r}, its key for {workflow!r}")
        self._measures[workflow] = seen
        for content_hash, spec in self.specs.items():
            if spec.workflow == workflow:
                self.specs[content_hash] = measured(spec, seen)
        if workflow in self._versions:
            known = self._versions[workflow]
            self._versions[workflow] = [one._replace(spec=self.specs[one.spec.hash]) for one in known]
            self._replan(workflow)
        return workflow

    def _replan(self, workflow: str) -> None:
        self._concerned = {}
        self._correlations = None
        plan = Plan(workflow, self._versions[workflow], self._withdrawn.get(workflow, NOT))
        if plan.intervenes:
            self.plans[workflow] = plan
        else:
            self.plans.pop(workflow, None)

    def planned(self, now: int) -> dict[str, str]:
        """What has to have been done to open items by `now`, for each workflow with a plan."""
        return {workflow: plan.digest(now) for workflow, plan in self.plans.items()}

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
        return since, version, measured(spec, self._measures.get(spec.workflow))

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
        return [one.spec for known in self._versions.values() for one in known] + list(self._recalled.values())

    def _remember(self, where: tuple[str, str], found: tuple[str, ...]) -> tuple[str, ...]:
        if len(self._concerned) < 100_000:  # types come from outside
            self._concerned[where] = found
        return found

    def spec_at(self, workflow: str, time: int) -> Spec | None:
        """The newest version in force at an event time: the one that an item starting then is ruled by."""
        for one in reversed(self._versions.get(workflow, ())):
            if one.since <= time:
                return one.spec
        return None

    def in_force(self, time: int) -> list[tuple[int, Spec]]:
        """Of each workflow that is enabled the version that is in force at a time, and since when."""
        found: list[tuple[int, Spec]] = []
        for known in self._versions.values():
            for one in reversed(known):
                if one.since <= time:
                    if one.spec.enabled:
                        found.append((one.since, one.spec))
                    break
        return found

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


Watched = tuple[Mapping, tuple[str, ...]]
"""A source that has a heartbeat, and the topics in which it is heard."""


def _watched(mappings: Sequence[Mapping], topics: Sequence[str]) -> tuple[Watched, ...]:
    found: dict[str, Watched] = {}
    for mapping, topic in zip(mappings, topics, strict=True):
        if mapping.heartbeat:
            before = found[mapping.name][1] if mapping.name in found else ()
            found[mapping.name] = (mapping, (*before, topic))
    return tuple(found.values())
