"""Alembic's entry point: runs on the connection that ``database.Database`` hands over."""

from alembic import context

from service.foundation.database import tables

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables,
    render_as_batch=True,
    compare_type=True,
)
# The caller holds the lock and commits: the upgrade is one transaction from its first look to its last statement.
context.run_migrations()
