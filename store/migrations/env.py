"""Alembic's entry: run the revisions on the connection that `store.upgrade` hands over."""

from __future__ import annotations

from alembic import context

from store.models import Base


def run() -> None:
    """Run on the given connection, inside the caller's transaction."""
    connection = context.config.attributes["connection"]
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


run()
