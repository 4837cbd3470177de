"""A set's check: a job like any other (kind `prepare`), whose findings lead to rows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from metier.core.files import read_json
from metier.data.entries import shipped_entries
from metier.workbench import layout
from metier.workbench.accounts import Person
from metier.workbench.artifacts import Artifacts
from metier.workbench.datasets import Datasets
from metier.workbench.errors import NotFoundError
from metier.workbench.jobs import Jobs
from metier.workbench.rows import Rows
from metier.workbench.store.tables import Job

CUTOFF, DEFAULT_MODEL = 2048, "smollm2-135m"
_ROWS_SHOWN = 200


@dataclass(frozen=True)
class Finding:
    """One kind of finding. rows: the first of the rows it is about; partners: row → the earlier row it repeats,
    of a leak the row of the test set; words: row → why, where there is a reason for each."""

    kind: str
    count: int
    rows: list[int]
    partners: dict[int, int] = field(default_factory=dict)
    words: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """A set's newest check. result: `prepare.json`, None while it is not written."""

    job: Job
    result: dict[str, Any] | None
    findings: list[Finding]


class Checks:
    """Orders checks and reads what they found."""

    def __init__(self, jobs: Jobs, datasets: Datasets, artifacts: Artifacts, rows: Rows) -> None:
        self.jobs = jobs
        self.datasets = datasets
        self.artifacts = artifacts
        self.rows = rows

    def order(self, owner: Person, name: str, *, model: str, cutoff_len: int = CUTOFF, test: str | None = None) -> Job:
        """Puts a check of a set into the queue. It counts a model's tokens, and fetches the model if need be.

        test: the set that scores will be taken on, whose rows must not be among these.
        """
        if model.startswith("run:"):
            folder, base = self.artifacts.weights(owner, model)
            model = model if folder.name == "model" else base  # an adapter sees what its base sees
        work = {
            "dataset": self._name(owner, name),
            "test_dataset": self._name(owner, test) if test else None,
            "model_name_or_path": model,
            "cutoff_len": cutoff_len,
            "skip_bad_rows": True,
            "allow_truncated_answers": True,
            "preview_rows": 0,
        }
        return self.jobs.submit(owner, "prepare", work)

    def _name(self, owner: Person, name: str) -> str:
        return name if name in shipped_entries() else self.datasets.get(owner, name).name

    def newest(self, owner: Person, name: str) -> Check | None:
        """A set's newest check, finished or not."""
        query = select(Job).where(
            Job.owner_id == owner.id, Job.kind == "prepare", Job.spec["asked"]["dataset"].as_string() == name
        )
        if name not in shipped_entries():
            query = query.where(Job.created >= self.datasets.get(owner, name).created)
        with self.jobs.database.read() as session:
            job = session.scalar(query.order_by(Job.created.desc()).limit(1))
        if job is None:
            return None
        file = self.jobs.folder_of(job) / layout.RUN / "steps" / "prepare" / "prepare.json"
        result = read_json(file) if file.is_file() else None
        found = findings(result, self.jobs.folder_of(job) / layout.DATA) if result else []
        return Check(job, result, [self._in_own_words(owner, name, one) for one in found])

    def _in_own_words(self, owner: Person, name: str, finding: Finding) -> Finding:
        """The reasons in the reader's language, where reading the set found them too."""
        words = {}
        for row, said in finding.words.items():
            try:
                words[row] = self.rows.row(owner, name, row).problem or said
            except NotFoundError:
                words[row] = said
        return replace(finding, words=words)


def findings(result: dict[str, Any], data: Path) -> list[Finding]:
    """What a check found, the gravest first; kinds without rows are left out. data: the folder of the job's copies,
    which no message names."""
    copy = re.compile(re.escape(f"{data.resolve()}/") + r"[^/:\s]+")
    unusable = {int(one["row"]): copy.sub("…", str(one["problem"])) for one in result["unusable"] if one.get("row")}
    duplicates = {later: earlier for earlier, later in result["duplicates"]}
    near = {later: earlier for earlier, later, _ in result["near_duplicates"]}
    leaks = {int(one["train_row"]): int(one["test_row"]) for one in result["leaks"] or []}
    found = [
        _finding("leaks", list(leaks), partners=leaks),
        _finding("unusable", list(unusable), words=unusable),
        _finding("answers_cut", result["truncated"]["answers"]),
        _finding("rows_cut", [row for row in result["truncated"]["rows"] if row not in result["truncated"]["answers"]]),
        _finding("empty", [row for row in result["empty"] if row not in unusable]),
        _finding("duplicates", list(duplicates), partners=duplicates),
        _finding("near_duplicates", list(near), partners=near),
    ]
    return [one for one in found if one.count]


def _finding(
    kind: str, rows: list[int], *, partners: dict[int, int] | None = None, words: dict[int, str] | None = None
) -> Finding:
    shown = sorted(rows)[:_ROWS_SHOWN]
    kept = {row: partners[row] for row in shown} if partners else {}
    said = {row: words[row] for row in shown} if words else {}
    return Finding(kind, len(rows), shown, kept, said)
