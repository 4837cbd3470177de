"""Reports that were read, without waiting for a run: a table that its text contradicts, as CSV or PDF."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from metier.workbench import layout
from metier.workbench.accounts import Person
from metier.workbench.findingsjob import run_findings
from metier.workbench.store.tables import Job, new_id, now
from metier.workbench.workbench import Workbench

ROWS = (
    ("USD million", "2021", "2022", "2023"),
    ("Revenue", "1,010.2", "1,103.6", "1,240.5"),
    ("Cost of sales", "(640.1)", "(702.4)", "(801.7)"),
    ("Operating profit", "180.4", "195.0", "201.3"),
)
SAID = "Revenue rose by 12.4 % in 2023. Operating profit was 210.3 million USD in 2023."


def csv_report() -> bytes:
    """The table alone."""
    return "\n".join(",".join(f'"{cell}"' for cell in row) for row in ROWS).encode()


def pdf_report() -> bytes:
    """The table and what is said of it, on one page, and a second page."""
    from reportlab.lib import colors
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Table

    file, styles = io.BytesIO(), getSampleStyleSheet()
    table = Table([list(row) for row in ROWS], style=[("GRID", (0, 0), (-1, -1), 0.4, colors.grey)])
    said = Paragraph(SAID, styles["BodyText"])
    title = Paragraph("Income statement (USD million)", styles["Heading2"])
    rest = Paragraph("The auditor is Example LLP.", styles["BodyText"])
    SimpleDocTemplate(file, title="Annual report 2023").build([said, title, table, PageBreak(), rest])
    return file.getvalue()


def give_report(workbench: Workbench, owner: Person, name: str, content: bytes, **asked: Any) -> Job:
    """A run that has read a report."""
    job_id = new_id()
    folder = layout.job_folder(workbench.settings.jobs, job_id)
    file = folder / layout.DATA / f"report{Path(name).suffix}"
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    wish = {
        "upload": "0123456789abcdef",
        "of": "",
        "question": "",
        "rules": "",
        "specialist": "",
        "language": "en",
        **asked,
    }
    work = {**wish, "file_name": name, "file": str(file)}
    summary = run_findings(work, folder / layout.RUN, ())
    spec = {"asked": wish, "work": work}
    job = Job(id=job_id, owner_id=owner.id, kind="findings", title=name, spec=spec, state="done", summary=summary)
    job.started = job.ended = now()
    with workbench.database.write() as session:
        session.add(job)
    return job
