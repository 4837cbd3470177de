"""All services of one installation, opened together and closed together."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import select

from metier.core.errors import CorruptionError, RunError
from metier.core.files import folder_lock
from metier.specialists.store import Specialists
from metier.workbench import devices
from metier.workbench.accounts import Accounts, Person
from metier.workbench.artifacts import Artifacts
from metier.workbench.assistants import Assistants
from metier.workbench.backends import Backend, LocalBackend
from metier.workbench.chathosts import ChatHosts
from metier.workbench.chatmodels import ChatModels
from metier.workbench.chatpictures import Pictures
from metier.workbench.chats import Chats
from metier.workbench.checking import Checks
from metier.workbench.comparison import Comparisons
from metier.workbench.datasets import Datasets
from metier.workbench.drafts import Drafts
from metier.workbench.embedders import Embedders
from metier.workbench.findings import FindingsDesk
from metier.workbench.following import Followers
from metier.workbench.forgetting import Forgetting
from metier.workbench.freezing import Freezer
from metier.workbench.gateway import WorkbenchCatalogue
from metier.workbench.jobs import Jobs
from metier.workbench.judging import Judging
from metier.workbench.knowledge import Knowledge
from metier.workbench.models import Models
from metier.workbench.notifications import Notifications
from metier.workbench.planning import Planner
from metier.workbench.proofs import Proofs
from metier.workbench.quota import Quota
from metier.workbench.records import Records
from metier.workbench.results import Results
from metier.workbench.reviewrows import ReviewRows
from metier.workbench.reviews import Reviews
from metier.workbench.rows import Rows
from metier.workbench.saved import SavedRecipes
from metier.workbench.scheduler import Scheduler
from metier.workbench.secrets import Box, Secrets
from metier.workbench.settings import WorkbenchSettings
from metier.workbench.shares import Reports, Shares
from metier.workbench.specialists import OwnSpecialists
from metier.workbench.store.database import Database
from metier.workbench.store.tables import Job
from metier.workbench.streams import Streams
from metier.workbench.taught import Taught
from metier.workbench.teaching import teach_owners
from metier.workbench.writers import Writers
from metier.workbench.writing import Writings


class Workbench:
    """One server's services. Opening it locks the data folder, brings the store up to date, and starts nothing yet.

    Raises ConfigError for settings that would leave it open to the world, RunError where another server holds the
    folder or a newer program has changed the store.
    """

    def __init__(self, settings: WorkbenchSettings, *, backend: Backend | None = None) -> None:
        self.settings = settings.checked()
        self._held = ExitStack()
        self.draining = False
        for folder in (settings.folder, settings.jobs, settings.datasets, settings.uploads):
            folder.mkdir(parents=True, exist_ok=True)
        try:
            self._held.enter_context(folder_lock(settings.folder))
        except RunError as error:
            raise RunError("workbench.second_server", folder=settings.folder) from error
        try:
            self.database = Database(settings.database)
            self._held.callback(self.database.close)
            self._refuse_lost_store()
            self.database.upgrade()
            self.database.lead()
        except BaseException:
            self._held.close()
            raise
        self.backend: Backend = backend or LocalBackend(settings.devices)
        self.accounts = Accounts(self.database)
        self.box = Box(self.settings.secret)
        self.secrets = Secrets(self.database, self.box)
        self.notifications = Notifications(
            self.database, self.box, local=self.settings.notify_local, site=self.settings.site
        )
        self.quota = Quota(upload_bytes=settings.upload_bytes, quota_bytes=settings.quota_bytes)
        self.datasets = Datasets(
            self.database,
            settings.datasets,
            settings.uploads,
            self.quota,
        )
        self.embedders = Embedders(self.secrets, local=settings.servers_local)
        self._held.callback(self.embedders.close)
        self.knowledge = Knowledge(settings.folder / "knowledge", self.quota, self.embedders)
        self.artifacts = Artifacts(self.database, settings.jobs)
        specialists = Specialists(settings.folder / "specialists")
        models = ChatModels(self.artifacts)
        proofs = Proofs(specialists, models, settings.folder, local=settings.servers_local)
        freezer = Freezer(self.artifacts, self.datasets.find, specialists, proofs)
        self.drafts = Drafts(freezer.freeze, self.datasets.rows_of)
        self.recipes = SavedRecipes(self.database)
        self.jobs = Jobs(
            self.database,
            settings.jobs,
            freeze=freezer.freeze,
            devices=self.backend.devices,
            keep_address=self.notifications.keep_for_job,
        )
        brought = settings.folder / "brought"
        self.findings = FindingsDesk(self.jobs, brought, self.quota, specialists, local=settings.servers_local)
        freezer.freeze_report = self.findings.freeze
        self.scheduler = Scheduler(
            self.database,
            self.jobs,
            self.backend,
            environment=self._environment,
            settle=partial(teach_owners, specialists),
            ended=self.notifications.job_ended,
        )
        self.models = Models(self.database, settings.jobs, self.artifacts)
        self.rows = Rows(self.datasets, settings.folder / "cache", find_model=self.models.folder)
        self._held.callback(self.rows.close)
        self.checks = Checks(self.jobs, self.datasets, self.artifacts, self.rows)
        self.forgetting = Forgetting(self.jobs)
        self.datasets.removed = self.forgetting.removed
        self.comparisons = Comparisons(self.jobs, self.artifacts, settings.folder / "pairs")
        self._held.callback(self.comparisons.close)
        self.reviews = Reviews(self.database, self.comparisons)
        self.judging = Judging(self.database, ReviewRows(self.database, self.comparisons))
        self.records = Records(self.jobs)
        self.planner = Planner(
            freezer.freeze, self.datasets, self.jobs, self.records, self.backend, draining=lambda: self.draining
        )
        self._held.callback(self.planner.close)
        self.followers = Followers(self.jobs, draining=lambda: self.draining)
        writings = Writings(self.database)
        hosts = ChatHosts(self.database, self.backend.devices)
        self.pictures = Pictures(settings.folder / "pictures", self.database, self.quota)
        self.chats = Chats(self.database, writings, self.pictures, models, hosts)
        self.specialists = OwnSpecialists(specialists, self.chats.models)
        self.streams = Streams()
        writers = Writers(self.specialists, hosts, self.secrets, local=settings.servers_local)
        self.assistants = Assistants(
            self.database, writings, self.pictures, self.specialists, writers, self.knowledge.opened
        )
        self.gateway = WorkbenchCatalogue(
            self.accounts, self.assistants, self.chats.models, settings.site, self.embedders
        )
        self.scheduler.ahead = self.chats.hosts.ahead
        self.chats.hosts.free_again = self.jobs.changed
        self.jobs.removed.append(self.chats.forget_run)
        self.results = Results(self.jobs)
        self.taught = Taught(self.artifacts)
        self.reports = Reports(self.jobs)
        self.shares = Shares(self.jobs, self.reports)

    def _environment(self, job: Job) -> dict[str, str]:
        """What a job's child gets of its owner's: the keys that it names, and the language."""
        return {"METIER_LANGUAGE": self.accounts.language_of(job.owner_id), **self.secrets.environment(job)}

    def start(self) -> None:
        """Clears away what a kill left, takes over what still runs, and begins to serve the queue."""
        self.datasets.clear_away()
        self.pictures.clear_away()
        self.findings.brought.clear_away()
        self.knowledge.start()
        self.chats.start()
        self.comparisons.clear_away()
        self.scheduler.start()

    def close(self) -> None:
        """Stops looking after jobs, which go on, and lets the folder go."""
        self.draining = True
        self.assistants.stop()
        self.chats.stop()
        self.knowledge.stop()
        self.scheduler.stop()
        self.notifications.close()
        self._held.close()

    def _refuse_lost_store(self) -> None:
        """A data folder with contents and an empty database: one of them is not the other's."""
        there = any(any(folder.iterdir()) for folder in (self.settings.jobs, self.settings.datasets))
        if there and self.database.is_empty():
            raise CorruptionError("workbench.store_lost", folder=self.settings.folder)

    def can_write(self) -> bool:
        """Whether the data folder takes a file with something in it."""
        probe = self.settings.folder / ".probe"
        try:
            probe.write_bytes(b"?" * 4096)
        except OSError:
            return False
        finally:
            with suppress(OSError):
                probe.unlink()
        return True

    def holders(self, person: Person) -> list[dict[str, Any]]:
        """The devices with what holds each: `{device, kind, id, title, mine}`, without what is somebody else's.

        mine: whether the person owns it; an admin sees others' too.
        """
        with self.database.read() as session:
            held = {one["device"]: one for one in devices.holders(session)}
            query = select(Job.id, Job.title).where(Job.state == "running")
            titles = {row[0]: row[1] for row in session.execute(query)}
        shown = []
        for device in self.backend.devices():
            holder = held.get(device)
            mine = holder is not None and holder["owner_id"] == person.id
            seen = mine or (holder is not None and person.is_admin)
            shown.append(
                {
                    "device": device,
                    "kind": holder["kind"] if holder else None,
                    "id": holder["id"] if holder and seen else None,
                    "title": titles.get(holder["id"]) if holder and seen else None,
                    "mine": mine,
                }
            )
        return shown

    @property
    def folder(self) -> Path:
        """The one data folder."""
        return self.settings.folder
