"""A folder of findings: `findings.html`, `.docx`, `.xlsx` and `.json`, each written whole, the JSON last."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from metier.core.errors import DataError
from metier.core.files import write_bytes, write_text
from metier.report.findings.crops import Crops
from metier.report.findings.docx import findings_docx
from metier.report.findings.page import findings_page
from metier.report.findings.xlsx import findings_xlsx
from metier.specialists.finance.schema import Findings

NAMES = ("findings.html", "findings.docx", "findings.xlsx", "findings.json")


def write_findings(
    findings: Findings, source: Path, folder: Path, *, events: Callable[[dict[str, Any]], None] | None = None
) -> list[Path]:
    """Writes the files of the findings of `source`. Interrupted, each file is whole or not there.

    Raises DataError where the folder is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise DataError("report.findings_no_folder", folder=folder)
    crops = Crops(source, findings)
    makers: list[Callable[[Path], None]] = [
        lambda path: write_text(path, findings_page(findings, crops)),
        lambda path: write_bytes(path, findings_docx(findings, crops)),
        lambda path: write_bytes(path, findings_xlsx(findings)),
        lambda path: write_text(path, findings.model_dump_json(indent=2) + "\n"),
    ]
    written = []
    for number, (name, make) in enumerate(zip(NAMES, makers, strict=True), 1):
        make(folder / name)
        written.append(folder / name)
        if events:
            events({"event": "progress", "step": number, "total": len(NAMES)})
    return written
