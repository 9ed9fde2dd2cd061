"""What the alert job goes by: the alerting documents, and of the workflows what lies upstream of what.

Both are known at submission as far as their topics reached then, so that no finding overtakes them; what stands behind
that place comes by broadcast and is kept in state.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson

from udfs.alerting.graph import Graph, graph_of
from udfs.alerting.policy import Policy
from udfs.core.spec import Spec
from udfs.operators.batch import STATISTICS, RuleRecord, decode_rule, encode_rule

_LENGTH: Final = struct.Struct(">H")


class Document(NamedTuple):
    """A record of one of the topics of documents."""

    topic: str
    record: RuleRecord

    @property
    def name(self) -> str:
        """What of its topic it is about: a later record with this name takes its place."""
        return self.record.key.decode("utf-8", "replace")


def decode_document(text: bytes) -> Document:
    """A document, as `daymark.DocumentFormat` hands it over."""
    (length,) = _LENGTH.unpack_from(text)
    start = _LENGTH.size + length
    return Document(text[_LENGTH.size : start].decode(), decode_rule(text[start:]))


def encode_document(document: Document) -> bytes:
    """What `daymark.DocumentFormat` would make of this document."""
    topic = document.topic.encode()
    return _LENGTH.pack(len(topic)) + topic + encode_rule(document.record)


@dataclass(frozen=True)
class Reached:
    """A topic as it was at submission: what it held, and at which offset the next record was to come."""

    topic: str
    records: tuple[RuleRecord, ...] = ()
    end: int = 0


class AlertRules:
    """Knows the documents of two topics, and compiles them when they are asked for. It pickles.

    `packs` are the rule documents of the packs that the job is submitted with; those in the topic go before them.
    Of a workflow the last document in the topic counts, whenever it comes into force: for what lies upstream of what
    that is near enough.
    """

    def __init__(
        self,
        alerting: Reached,
        rules: Reached,
        packs: Iterable[bytes],
        compile_policy: Callable[[Mapping[str, Any]], Policy],
        compile_workflow: Callable[..., Spec],
    ) -> None:
        self._compile_policy = compile_policy
        self._compile_workflow = compile_workflow
        self._alerting_topic, self._rules_topic = alerting.topic, rules.topic
        self._ends = {one.topic: one.end for one in (alerting, rules)}
        self._documents: dict[str, Any] = {}
        self._specs: dict[str, Spec] = {}
        self._policy: Policy | None = None
        self._graph: Graph | None = None
        for document in packs:
            self._take_rule(document)
        for topic in (alerting, rules):
            for record in topic.records:
                self._take_known(Document(topic.topic, record))
        self._submitted = {alerting.topic: frozenset(self._documents), rules.topic: frozenset(self._specs)}

    def takes(self, document: Document) -> bool:
        """Whether it counts: not what was known at submission already, nor what is no document, such as statistics."""
        return document.record.offset >= self._ends.get(document.topic, 0) and not (
            document.topic == self._rules_topic and document.record.key.startswith(STATISTICS)
        )

    def needs(self, document: Document) -> bool:
        """Whether state has to keep it for a restart: not where it takes back what the submission doesn't know."""
        return bool(document.record.document) or document.name in self._submitted[document.topic]

    def is_alerting(self, document: Document) -> bool:
        """Whether it is an alerting document, and no rule."""
        return document.topic == self._alerting_topic

    def take(self, document: Document) -> None:
        """From now on this document holds; an empty one takes what was there back. Raises ValueError, also with what is
        wrong with a workflow."""
        name, text = document.name, document.record.document
        if self.is_alerting(document):
            self._policy = None
            if text:
                self._documents[name] = orjson.loads(text)
            else:
                self._documents.pop(name, None)
        elif text:
            self._take_rule(text)
        else:
            self._graph = None
            self._specs.pop(name, None)

    @property
    def policy(self) -> Policy:
        """Who is told what; the same object as long as no document has come. Unfit documents are left out of it."""
        if self._policy is None:
            self._policy = self._compile_policy(self._documents)
        return self._policy

    @property
    def graph(self) -> Graph:
        """What lies upstream of what; the same object as long as no rule has come."""
        if self._graph is None:
            self._graph = graph_of(self._specs.values())
        return self._graph

    def _take_known(self, document: Document) -> None:
        """One that was there at submission. An unfit one of rules is detect's to complain of."""
        if not document.record.key.startswith(STATISTICS):
            try:
                self.take(document)
            except ValueError:
                return

    def _take_rule(self, text: bytes) -> None:
        try:
            rule = orjson.loads(text)
            definition, version = rule["definition"], int(rule["version"])
        except (ValueError, TypeError, KeyError) as fault:
            raise ValueError(f"not a rule document with `version` and `definition`: {fault!r}") from None
        spec = self._compile_workflow(definition, version=version, lane="")
        self._graph = None
        self._specs[spec.workflow] = spec
