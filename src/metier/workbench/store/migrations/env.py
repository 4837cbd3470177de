"""How Alembic reaches the store: always over the connection that `Database.upgrade` holds."""

from alembic import context

from metier.workbench.store.tables import Base

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
