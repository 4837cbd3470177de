"""The step: inputs become `report.json` and `report.html`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from metier.core.events import EventLog
from metier.core.files import write_json, write_text
from metier.core.i18n import translate
from metier.report.spec import ReportSpec

REPORT_JSON = "report.json"
REPORT_HTML = "report.html"


def run_report(spec: ReportSpec, folder: Path, events: EventLog) -> dict[str, Any]:
    """Writes `report.json` and `report.html` into `folder`, and into the run folder's top if `spec.run` holds `folder`.

    Returns outcome, headline, missing parts and the page's path and size in bytes. Raises RunError for a named input
    that does not exist, DataError for one that cannot be read.
    """
    # The templates are imported here, so that the command line starts without them.
    from metier.report.build import build_report
    from metier.report.inputs import read_inputs
    from metier.report.page import page

    events.emit("start", total=2)
    inputs = read_inputs(spec)
    report = build_report(spec, inputs)
    if report["missing"]:
        events.emit("log", message=translate("report.log.missing", parts=", ".join(report["missing"])))
    html = page(report)
    targets = [folder]
    if spec.run is not None and folder.resolve().is_relative_to(spec.run.resolve()):
        targets = list(dict.fromkeys([folder, spec.run]))
    for target in targets:
        write_json(target / REPORT_JSON, report)
        write_text(target / REPORT_HTML, html)
    events.emit("progress", step=2, total=2, eta_seconds=0)
    summary = {
        "outcome": report["verdict"]["outcome"],
        "headline": report["metrics"][0] if report["metrics"] else None,
        "missing": report["missing"],
        "html": str(folder / REPORT_HTML),
        "html_bytes": len(html.encode("utf-8")),
    }
    events.emit("end", **summary)
    return summary
