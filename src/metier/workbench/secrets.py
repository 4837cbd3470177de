"""Trackers' and hubs' keys: sealed with the installation's secret, opened only for a job that names their use."""

from __future__ import annotations

import base64
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import delete, select

from metier.workbench.accounts import Person
from metier.workbench.errors import ConflictError, NotFoundError
from metier.workbench.store.database import Database
from metier.workbench.store.tables import Job, Secret

# name: what it is for. The name is the environment variable that the job's child gets.
NAMES = {"SWANLAB_API_KEY": "swanlab", "HF_TOKEN": "hf", "MODELSCOPE_API_TOKEN": "ms"}
SERVERS = {"MODEL_SERVER_KEY": "server"}  # for models behind servers; of jobs only a proof of such a specialist gets it
EMBEDDINGS_KEY = "EMBEDDINGS_KEY"  # for the endpoint that makes a base's vectors, in proofs too
NAMES |= SERVERS | {EMBEDDINGS_KEY: "embeddings"}


class Box:
    """Seals texts with the installation's secret: what is stored is of no use without it."""

    def __init__(self, secret: str) -> None:
        material = HKDF(SHA256(), 32, salt=None, info=b"metier secrets").derive(secret.encode("utf-8"))
        self._key = Fernet(base64.urlsafe_b64encode(material))

    def seal(self, text: str) -> str:
        """The text, sealed."""
        return self._key.encrypt(text.encode("utf-8")).decode("ascii")

    def open(self, sealed: str) -> str | None:
        """The text again; None for what was not sealed with this secret."""
        try:
            return self._key.decrypt(sealed.encode("ascii")).decode("utf-8")
        except (InvalidToken, UnicodeEncodeError):
            return None


class Secrets:
    """Keys of an installation's owners."""

    def __init__(self, database: Database, box: Box) -> None:
        self.database = database
        self._box = box

    def put(self, owner: Person, name: str, value: str) -> None:
        """Keeps a key under one of the known names."""
        if name not in NAMES:
            raise ConflictError("workbench.bad_secret_name", name=name[:80], known=", ".join(NAMES))
        value = value.strip()
        if not value or len(value) > 4096 or not value.isprintable():
            raise ConflictError("workbench.bad_secret")
        sealed = self._box.seal(value)
        with self.database.write() as session:
            session.execute(delete(Secret).where(Secret.owner_id == owner.id, Secret.name == name))
            session.add(Secret(owner_id=owner.id, name=name, sealed=sealed))

    def names(self, owner: Person) -> list[str]:
        """Which keys somebody has put here. Their values are never given out."""
        return [row.name for row in self.rows(owner)]

    def rows(self, owner: Person) -> list[Secret]:
        """The rows of somebody's keys, still sealed."""
        with self.database.read() as session:
            query = select(Secret).where(Secret.owner_id == owner.id, Secret.name.in_(NAMES))
            return list(session.scalars(query.order_by(Secret.name)))

    def for_servers(self, owner: Person) -> dict[str, str]:
        """The keys that somebody's specialists may send to the servers of their models, and no others."""
        opened = {row.name: self._box.open(row.sealed) for row in self.rows(owner) if row.name in SERVERS}
        return {name: value for name, value in opened.items() if value is not None}

    def value(self, owner_id: str, name: str) -> str:
        """One of somebody's keys, opened; empty where there is none. For services that use it, never to be shown."""
        with self.database.read() as session:
            query = select(Secret.sealed).where(Secret.owner_id == owner_id, Secret.name == name)
            sealed = session.scalar(query)
        return (self._box.open(sealed) if sealed else None) or ""

    def remove(self, owner: Person, name: str) -> None:
        """Forgets a key."""
        if name not in NAMES:
            raise NotFoundError("workbench.not_found")
        with self.database.write() as session:
            result: Any = session.execute(delete(Secret).where(Secret.owner_id == owner.id, Secret.name == name))
            if result.rowcount != 1:
                raise NotFoundError("workbench.not_found")

    def environment(self, job: Job) -> dict[str, str]:
        """The keys that this job's work names, as variables for its child."""
        wanted = {name for name, use in NAMES.items() if use in _uses(job)} | _named(job)
        if not wanted:
            return {}
        with self.database.read() as session:
            query = select(Secret).where(Secret.owner_id == job.owner_id, Secret.name.in_(wanted))
            rows = list(session.scalars(query))
        # One that was sealed with another secret is left out: the tracker will say that there is no key.
        opened = {row.name: self._box.open(row.sealed) for row in rows}
        return {name: value for name, value in opened.items() if value is not None}


def _named(job: Job) -> set[str]:
    """The keys that the specialist of a proof or a report, and its documents, go by, as they were frozen."""
    return set(job.spec["work"].get("keys") or ()) & set(NAMES) if job.kind in ("prove", "findings") else set()


def _uses(job: Job) -> set[str]:
    work = job.spec.get("asked") or {}
    train = work if job.kind == "train" else work.get("train") or {}
    trackers = train.get("report_to") or ()
    uses = {trackers} if isinstance(trackers, str) else set(trackers)
    return uses | {"hf", "ms"} if job.kind == "fetch" else uses
