"""The tables, as SQLAlchemy sees them. They are created by migrations/: a change here needs one there."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

metadata = MetaData()

Number = BigInteger().with_variant(Integer, "sqlite")
"""Of ids that count by themselves: SQLite does that for INTEGER alone, which has 64 bits there."""


def _document() -> list[Column[Any]]:
    """A document, as it stands or in one of its versions."""
    return [
        Column("kind", String(64), nullable=False),
        Column("name", String(256), nullable=False),
        Column("version", Integer, nullable=False),
        Column("body", JSON, nullable=False),
        Column("deleted", Boolean, nullable=False),
        Column("updated_by", String(256), nullable=False),
        Column("updated_ms", BigInteger, nullable=False),
    ]


documents = Table(
    "documents",
    metadata,
    *_document(),
    PrimaryKeyConstraint("kind", "name", name="documents_pk"),
)

document_versions = Table(
    "document_versions",
    metadata,
    *_document(),
    PrimaryKeyConstraint("kind", "name", "version", name="document_versions_pk"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Number, primary_key=True, autoincrement=True),
    Column("topic", String(256), nullable=False),
    Column("key", LargeBinary, nullable=False),
    Column("value", LargeBinary, nullable=True),
    Column("created_ms", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

actions = Table(
    "actions",
    metadata,
    Column("id", String(64), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("answer", JSON(none_as_null=True), nullable=True),  # none: the alert job has not answered yet
    PrimaryKeyConstraint("id", name="actions_pk"),
)

rule_revisions = Table(
    "rule_revisions",
    metadata,
    Column("workflow", String(256), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("action", String(16), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("effective_from", BigInteger, nullable=True),
    Column("text", Text, nullable=False),
    Column("definition", JSON, nullable=False),
    Column("who", String(256), nullable=False),
    Column("why", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    Column("approved_by", String(256), nullable=False),
    PrimaryKeyConstraint("workflow", "revision", name="rule_revisions_pk"),
)

rule_drafts = Table(
    "rule_drafts",
    metadata,
    Column("workflow", String(256), nullable=False),
    Column("base", Integer, nullable=True),  # the revision that stood when it was made; none: there was no such rule
    Column("action", String(16), nullable=False),
    Column("version", BigInteger, nullable=True),
    Column("effective_from", BigInteger, nullable=True),
    Column("text", Text, nullable=False),
    Column("definition", JSON, nullable=False),
    Column("who", String(256), nullable=False),
    Column("why", Text, nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("workflow", name="rule_drafts_pk"),
)
