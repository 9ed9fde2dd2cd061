"""Actions that were sent to the alert job, and what it answered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004_actions"
down_revision = "0003_rules"


def upgrade() -> None:
    """Which actions there are: one without an answer is pending."""
    op.create_table(
        "actions",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("at_ms", sa.BigInteger, nullable=False),
        sa.Column("answer", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="actions_pk"),
    )
