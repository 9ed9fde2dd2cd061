"""What Alembic runs: the migrations, on the connection that `Records.migrate` has opened."""

from __future__ import annotations

from alembic import context

from api.records.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a table by writing it anew
)
context.run_migrations()
