"""Documents with their versions, and the outbox."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _document() -> list[sa.Column[Any]]:
    return [
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("deleted", sa.Boolean, nullable=False),
        sa.Column("updated_by", sa.String(256), nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
    ]


def upgrade() -> None:
    """The first tables."""
    op.create_table("documents", *_document(), sa.PrimaryKeyConstraint("kind", "name", name="documents_pk"))
    op.create_table(
        "document_versions",
        *_document(),
        sa.PrimaryKeyConstraint("kind", "name", "version", name="document_versions_pk"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("topic", sa.String(256), nullable=False),
        sa.Column("key", sa.LargeBinary, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=True),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    """Nothing of it is left."""
    for table in ("outbox", "document_versions", "documents"):
        op.drop_table(table)
