"""What a workbench is started with."""

from __future__ import annotations

import os
import secrets
import socket
from dataclasses import dataclass, field
from pathlib import Path

from metier.core.errors import ConfigError
from metier.core.files import write_text
from metier.core.settings import settings

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class WorkbenchSettings:
    """Where a workbench keeps things and how it may be reached.

    folder: the one data folder; database_url: left out, SQLite in that folder; secret: seals keys and signs links, made
    once where left out; hosts: names it answers to beside its address; upload_bytes, quota_bytes: of one file, and of
    one owner's files; https: whether cookies are for https only; notify_local: whether word of ended jobs may go to
    addresses of this machine and its network; servers_local: the same of servers that models are behind; address:
    how people reach it, for links in messages, made from the others where left out.
    """

    folder: Path
    database_url: str = ""
    secret: str = ""
    host: str = "127.0.0.1"
    port: int = 8710
    hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    https: bool = False
    upload_bytes: int = 2 * 1024**3
    quota_bytes: int = 50 * 1024**3
    devices: tuple[str, ...] = field(default=())
    notify_local: bool = False
    servers_local: bool = False
    address: str = ""

    @property
    def database(self) -> str:
        """The database's address."""
        return self.database_url or f"sqlite:///{(self.folder / 'metier.db').resolve()}"

    @property
    def site(self) -> str:
        """The address that links in messages begin with: of the names it answers to the first, where it has some."""
        everywhere = self.host in ("0.0.0.0", "::")  # noqa: S104 - to be told from others
        host = next(iter(self.hosts), socket.gethostname() if everywhere else self.host)
        host = f"[{host}]" if ":" in host else host
        port = f":{self.port}" if self.port else ""
        return self.address.rstrip("/") or f"{'https' if self.https else 'http'}://{host}{port}"

    @property
    def jobs(self) -> Path:
        """A folder for each job."""
        return self.folder / "jobs"

    @property
    def datasets(self) -> Path:
        """A folder for each registered set."""
        return self.folder / "datasets"

    @property
    def uploads(self) -> Path:
        """Uploads that are not registered yet."""
        return self.folder / "uploads"

    def checked(self) -> WorkbenchSettings:
        """These settings with a secret. Raises ConfigError where the world could reach it and there is none."""
        if self.secret and len(self.secret) < 16:
            raise ConfigError("workbench.short_secret")
        if self.host not in LOOPBACK and not self.secret:
            raise ConfigError("workbench.no_secret", host=self.host)
        if self.secret:
            return self
        return WorkbenchSettings(**{**self.__dict__, "secret": _kept_secret(self.folder / "secret")})


def default_settings(**given: object) -> WorkbenchSettings:
    """Settings from `METIER_*` variables, over which what is given counts."""
    values: dict[str, object] = {
        "folder": settings().home / "workbench",
        "database_url": os.environ.get("METIER_DATABASE_URL", ""),
        "secret": os.environ.get("METIER_SECRET", ""),
        "notify_local": os.environ.get("METIER_NOTIFY_LOCAL", "") in ("1", "true", "yes"),
        "servers_local": os.environ.get("METIER_SERVERS_LOCAL", "") in ("1", "true", "yes"),
        "address": os.environ.get("METIER_ADDRESS", ""),
    }
    return WorkbenchSettings(**{**values, **{key: value for key, value in given.items() if value is not None}})  # type: ignore[arg-type]


def _kept_secret(path: Path) -> str:
    """The installation's own secret, readable by its owner alone."""
    if path.is_file():
        return path.read_text(encoding="ascii").strip()
    value = secrets.token_urlsafe(32)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, value)
    path.chmod(0o600)
    return value
