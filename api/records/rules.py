"""Rules in the relational store: every revision that was put in force, and drafts. Rows, nothing that decides."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import Connection, Row, delete, func, insert, select

from api.records.tables import outbox, rule_drafts, rule_revisions

PACK, TOPIC = "pack", "topic"
"""How a rule came that isn't in the store: with a pack at the start, or through Kafka alone. It is revision 0."""
PUT, ENABLE, DISABLE, ROLLBACK, WITHDRAW = "put", "enable", "disable", "rollback", "withdraw"


@dataclass(frozen=True)
class Revision:
    """A workflow as it was put in force, or withdrawn. `version` is what items show; `effective_from` and `at_ms` are
    epoch ms."""

    workflow: str
    revision: int
    action: str
    version: int
    effective_from: int | None
    text: str
    definition: dict[str, Any]
    who: str = ""
    why: str = ""
    at_ms: int = 0
    approved_by: str = ""

    @property
    def state(self) -> str:
        """enabled, disabled or withdrawn."""
        if self.action == WITHDRAW:
            return "withdrawn"
        return "enabled" if self.definition.get("enabled", True) else "disabled"

    @property
    def document(self) -> dict[str, Any] | None:
        """What Kafka gets (docs/contracts.md); None for one that was withdrawn."""
        if self.action == WITHDRAW:
            return None
        fields = {"workflow": self.workflow, "version": self.version, "effective_from": self.effective_from}
        return {**fields, "definition": self.definition}


@dataclass(frozen=True)
class Draft:
    """A change that waits for another person. `base` is the revision that it was made for, None where there was no
    such rule; without `effective_from` it holds from its approval on."""

    workflow: str
    base: int | None
    action: str
    version: int | None
    effective_from: int | None
    text: str
    definition: dict[str, Any] = field(repr=False)
    who: str
    why: str
    at_ms: int

    @property
    def mark(self) -> str:
        """What tells this draft from any other: whoever approves one says which he has read."""
        return hashlib.sha256(orjson.dumps(vars(self), option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def newest(connection: Connection, workflow: str) -> Revision | None:
    """The last revision of a workflow; None if it was never put through Daymark."""
    query = select(rule_revisions).where(rule_revisions.c.workflow == workflow)
    row = connection.execute(query.order_by(rule_revisions.c.revision.desc()).limit(1)).first()
    return _revision(row) if row else None


def all_newest(connection: Connection) -> list[Revision]:
    """The last revision of each workflow, by name."""
    table = rule_revisions
    last = select(table.c.workflow, func.max(table.c.revision).label("last")).group_by(table.c.workflow).subquery()
    same = (table.c.workflow == last.c.workflow) & (table.c.revision == last.c.last)
    return [_revision(row) for row in connection.execute(select(table).join(last, same).order_by(table.c.workflow))]


def revisions(connection: Connection, workflow: str) -> list[Revision]:
    """Every revision of a workflow, the newest first."""
    query = select(rule_revisions).where(rule_revisions.c.workflow == workflow)
    return [_revision(row) for row in connection.execute(query.order_by(rule_revisions.c.revision.desc()))]


def add(connection: Connection, revision: Revision) -> None:
    """Store a revision."""
    connection.execute(insert(rule_revisions).values(vars(revision)))


def draft(connection: Connection, workflow: str) -> Draft | None:
    """The draft of a workflow that waits."""
    row = connection.execute(select(rule_drafts).where(rule_drafts.c.workflow == workflow)).first()
    return Draft(**row._mapping) if row else None


def drafts(connection: Connection) -> list[Draft]:
    """All drafts, by workflow."""
    return [Draft(**row._mapping) for row in connection.execute(select(rule_drafts).order_by(rule_drafts.c.workflow))]


def put_draft(connection: Connection, one: Draft) -> None:
    """Store a draft in place of the one that may be there."""
    drop_draft(connection, one.workflow)
    connection.execute(insert(rule_drafts).values(vars(one)))


def drop_draft(connection: Connection, workflow: str) -> None:
    """Forget the draft of a workflow."""
    connection.execute(delete(rule_drafts).where(rule_drafts.c.workflow == workflow))


def unsent(connection: Connection, topic: str, workflow: str) -> bool:
    """Whether a change of a workflow has not reached Kafka yet."""
    waiting = select(outbox.c.id).where(outbox.c.topic == topic, outbox.c.key == workflow.encode())
    return connection.execute(waiting.limit(1)).first() is not None


def _revision(row: Row[Any]) -> Revision:
    return Revision(**row._mapping)
