"""Rules in all their revisions, and drafts that wait for another person's approval."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_rules"
down_revision = "0002_access"


def upgrade() -> None:
    """What was put in force, by whom and why."""
    op.create_table(
        "rule_revisions",
        sa.Column("workflow", sa.String(256), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("effective_from", sa.BigInteger, nullable=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("definition", sa.JSON, nullable=False),
        sa.Column("who", sa.String(256), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("approved_by", sa.String(256), nullable=False),
        sa.PrimaryKeyConstraint("workflow", "revision", name="rule_revisions_pk"),
    )
    op.create_table(
        "rule_drafts",
        sa.Column("workflow", sa.String(256), nullable=False),
        sa.Column("base", sa.Integer, nullable=True),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=True),
        sa.Column("effective_from", sa.BigInteger, nullable=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("definition", sa.JSON, nullable=False),
        sa.Column("who", sa.String(256), nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("workflow", name="rule_drafts_pk"),
    )


def downgrade() -> None:
    """Nothing of it is left."""
    op.drop_table("rule_drafts")
    op.drop_table("rule_revisions")
