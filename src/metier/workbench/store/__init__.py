"""What must survive a restart, in SQLite (one file, WAL) or PostgreSQL."""

from metier.workbench.store.database import Database

__all__ = ["Database"]
