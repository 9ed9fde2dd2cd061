"""Which rules the live lane's job has refused: it says so in the dead letters of the rules topic, for each document.

A rule that is sound may still be one that the running job can't take, such as a further list of keys. The store's
newest revision is then not what the job follows.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from api.records.rules import PACK, TOPIC, Revision
from api.rulebook import Rulebook
from api.settings import Settings
from api.store import Store, StoreError
from udfs.operators.rows import RAW
from udfs.packs.compile import compile_workflow
from udfs.packs.problems import PackError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Refusal:
    """What the job said of a rule, and when it got it (epoch ms)."""

    reason: str
    at_ms: int


class Refusals:
    """Asked with the store as it is, not as somebody with limits sees it: by documents that they may see."""

    def __init__(self, store: Store, settings: Settings, rulebook: Rulebook) -> None:
        self._store = store
        self._lane = settings.lane
        self._topic = f"{settings.topic_prefix}rules"
        self._rulebook = rulebook

    def of(self, revisions: Sequence[Revision]) -> dict[tuple[str, int], Refusal]:
        """Those of some revisions that were refused, by workflow and number; none while ClickHouse does not answer."""
        documents = {(one.workflow, one.revision): self._document(one) for one in revisions}
        digests = {place: digest(document) for place, document in documents.items() if document}
        if not digests:
            return {}
        try:
            wanted = sorted(set(digests.values()))
            rows = self._store.query("rules/refused", topic=self._topic, lane=self._lane, digests=wanted)
            told = {row["digest"]: row for row in rows}
            by_place = {(one.workflow, one.revision): one for one in revisions}
            return {
                place: _refusal(place[0], told[found])
                for place, found in digests.items()
                if found in told and not self._followed(by_place[place], told[found]["known_s"])
            }
        except StoreError as fault:
            log.warning("whether rules were refused can't be told", extra={"error": str(fault)})
            return {}

    def _document(self, one: Revision) -> bytes:
        """What Kafka got; b"" where it got nothing, as for a rule of a pack, which the job was submitted with."""
        if one.action == TOPIC:
            return self._rulebook.document(one.workflow, one.version)
        return b"" if one.action == PACK or one.document is None else orjson.dumps(one.document)

    def _followed(self, one: Revision, known_s: int) -> bool:
        try:
            spec = compile_workflow(one.definition, version=one.version, lane=self._lane)
        except PackError:
            return False
        place = {"lane": self._lane, "workflow": one.workflow, "rule_hash": spec.hash, "known_s": known_s}
        return bool(self._store.query("rules/followed", **place))


def digest(document: bytes) -> str:
    """By which a document is found among the dead letters, which keep the beginning of a long one."""
    return hashlib.sha256(document[:RAW]).hexdigest()


def _refusal(workflow: str, row: dict[str, Any]) -> Refusal:
    return Refusal(str(row["said"]).removeprefix(f"rule {workflow}: "), row["at_ms"])
