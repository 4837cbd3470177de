"""The connection to the store: one writer at a time, readers beside it, migrations, and who may open it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from metier.core.errors import ConfigError, CorruptionError, RunError
from metier.workbench.store.sweeping import Sweeper

_WAIT_SECONDS = 15  # how long a writer waits for its turn before the request is answered with 503
_LEAD_SECONDS = 3.0
_MIGRATIONS = Path(__file__).parent / "migrations"
_SCHEDULER_LOCK = 0x6D657469  # any constant: PostgreSQL's advisory lock of the one server


class Database:
    """SQLite or PostgreSQL behind two contexts, `read()` and `write()`; both give a SQLAlchemy session.

    `write()` commits at its end, or rolls back if anything was raised. url: such as `sqlite:////data/metier.db` or
    `postgresql+psycopg://user@host/name`.
    """

    def __init__(self, url: str) -> None:
        try:
            self.url = make_url(url)
        except ArgumentError as error:
            raise ConfigError("workbench.bad_database_url", url=url) from error
        if self.url.get_backend_name() not in ("sqlite", "postgresql"):
            raise ConfigError("workbench.bad_database_url", url=self.url.render_as_string())
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"pool_pre_ping": not self.is_sqlite}
        # As many connections as there are threads that answer requests: none waits for one in vain.
        options |= {"pool_size": 45, "max_overflow": 20, "pool_timeout": _WAIT_SECONDS}
        self.engine: Engine = create_engine(self.url, **options)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        self._turn = threading.Lock()
        file = self.url.database if self.is_sqlite else None
        self.sweeper = Sweeper(self.engine, Path(file), self._turn) if file else None
        self._leader: Any = None

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one state of the store and changes nothing."""
        with Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are all kept at its end, or none. SQLite has one writer: others wait in line."""
        if self.is_sqlite and not self._turn.acquire(timeout=_WAIT_SECONDS):
            raise OperationalError("write", None, TimeoutError("other writers did not end"))
        try:
            with (
                Session(self.engine.execution_options(writes=True), expire_on_commit=False) as session,
                session.begin(),
            ):
                yield session
        finally:
            if self.is_sqlite:
                self._turn.release()

    def upgrade(self) -> None:
        """Brings the tables to this program's version. Raises RunError for a store that a newer program has changed or
        that does not answer, CorruptionError for one whose bytes are damaged."""
        shown = self.url.render_as_string(hide_password=True)
        try:
            with self.engine.connect() as connection:
                there = MigrationContext.configure(connection).get_current_revision()
                found = connection.scalar(text("PRAGMA quick_check(1)")) if self.is_sqlite else "ok"
        except DatabaseError as error:
            if self.is_sqlite and not isinstance(error, OperationalError):
                raise CorruptionError("workbench.store_damaged", file=self.url.database) from error
            raise RunError("workbench.no_database", url=shown, problem=_first_line(error)) from error
        if found != "ok":
            raise CorruptionError("workbench.store_damaged", file=self.url.database)
        known = {script.revision for script in ScriptDirectory(str(_MIGRATIONS)).walk_revisions()}
        if there is not None and there not in known:
            raise RunError("workbench.newer_database", revision=there)
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS))
        with self.engine.execution_options(writes=True).begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def is_empty(self) -> bool:
        """Whether nothing was ever stored. A store that cannot be read is not empty: `upgrade` says what is wrong."""
        try:
            return self.revision() is None
        except SQLAlchemyError:
            return False

    def revision(self) -> str | None:
        """The version of the tables."""
        with self.engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()

    def lead(self) -> None:
        """Makes this process the one server of a shared database. Raises RunError if there is another."""
        if self.is_sqlite:
            return  # its data folder is locked
        end = time.monotonic() + _LEAD_SECONDS  # a server that has just ended may still be known for a moment
        while not self._take_lead():
            if time.monotonic() > end:
                shown = self.url.render_as_string(hide_password=True)
                raise RunError("workbench.second_server", folder=shown)
            time.sleep(0.2)

    def still_leads(self) -> bool:
        """Whether this process is still the one server: PostgreSQL may have been restarted, and another been faster."""
        if self.is_sqlite:
            return True
        try:
            if self._leader is not None:
                self._leader.execute(text("SELECT 1"))
                return True
        except SQLAlchemyError:
            self._leader.invalidate()
            self._leader = None
        return self._take_lead()

    def _take_lead(self) -> bool:
        connection = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if connection.execute(text(f"SELECT pg_try_advisory_lock({_SCHEDULER_LOCK})")).scalar():
            self._leader = connection
            return True
        connection.close()
        return False

    def check(self) -> None:
        """Raises where the store does not answer or cannot be written."""
        with self.write() as session:
            session.execute(text("SELECT 1"))

    def close(self) -> None:
        """Ends all connections."""
        if self.sweeper is not None:
            self.sweeper.close()
        if self._leader is not None:
            self._leader.close()
            self._leader = None
        self.engine.dispose()


def _prepare_sqlite(connection: Any, record: object) -> None:
    connection.isolation_level = None  # pysqlite begins nothing by itself: `_begin_sqlite` does
    cursor = connection.cursor()
    settings = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")
    for pragma in (*settings, f"busy_timeout={_WAIT_SECONDS * 1000}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    # A writer takes the write lock at once: a reader that turns into a writer half-way would fail as "locked".
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0]
