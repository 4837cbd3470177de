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


class Secrets:
    """Keys of an installation's owners."""

    def __init__(self, database: Database, secret: str) -> None:
        self.database = database
        material = HKDF(SHA256(), 32, salt=None, info=b"metier secrets").derive(secret.encode("utf-8"))
        self._box = Fernet(base64.urlsafe_b64encode(material))

    def put(self, owner: Person, name: str, value: str) -> None:
        """Keeps a key under one of the known names."""
        if name not in NAMES:
            raise ConflictError("workbench.bad_secret_name", name=name[:80], known=", ".join(NAMES))
        value = value.strip()
        if not value or len(value) > 4096 or not value.isprintable():
            raise ConflictError("workbench.bad_secret")
        sealed = self._box.encrypt(value.encode("utf-8")).decode("ascii")
        with self.database.write() as session:
            session.execute(delete(Secret).where(Secret.owner_id == owner.id, Secret.name == name))
            session.add(Secret(owner_id=owner.id, name=name, sealed=sealed))

    def names(self, owner: Person) -> list[str]:
        """Which keys somebody has put here. Their values are never given out."""
        with self.database.read() as session:
            return list(session.scalars(select(Secret.name).where(Secret.owner_id == owner.id).order_by(Secret.name)))

    def remove(self, owner: Person, name: str) -> None:
        """Forgets a key."""
        with self.database.write() as session:
            result: Any = session.execute(delete(Secret).where(Secret.owner_id == owner.id, Secret.name == name))
            if result.rowcount != 1:
                raise NotFoundError("workbench.not_found")

    def environment(self, job: Job) -> dict[str, str]:
        """The keys that this job's work names, as variables for its child."""
        wanted = {name for name, use in NAMES.items() if use in _uses(job)}
        if not wanted:
            return {}
        with self.database.read() as session:
            query = select(Secret).where(Secret.owner_id == job.owner_id, Secret.name.in_(wanted))
            rows = list(session.scalars(query))
        opened = {}
        for row in rows:
            try:
                opened[row.name] = self._box.decrypt(row.sealed.encode("ascii")).decode("utf-8")
            except InvalidToken:
                continue  # sealed with another secret: the tracker will say that there is no key
        return opened


def _uses(job: Job) -> set[str]:
    work = job.spec.get("asked") or {}
    train = work if job.kind == "train" else work.get("train") or {}
    trackers = train.get("report_to") or ()
    uses = {trackers} if isinstance(trackers, str) else set(trackers)
    return uses | {"hf", "ms"} if job.kind == "fetch" else uses
