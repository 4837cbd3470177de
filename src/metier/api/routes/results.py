"""What evaluations found: scores, rows in any order, and the rows as a table for a spreadsheet."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from metier.api.access import Owner, Services
from metier.core.i18n import current_language
from metier.workbench.exports import as_csv, table, write_xlsx
from metier.workbench.results import Evaluation

router = APIRouter(tags=["results"])
Step = Annotated[str, Query(max_length=40, description="A step, such as `evaluate-base`; left out, the tuned one's.")]
Order = Literal["worst", "best", "lost", "gained", "row"]


def evaluation_view(found: Evaluation) -> dict[str, Any]:
    """An evaluation as the API shows it. The definition of each metric stands beside its score."""
    return {
        "job": found.job.id,
        "step": found.step,
        "steps": found.steps,
        "compared": found.base is not None,
        "scores": [_line_view(line) for line in found.lines],
        "verdict": found.verdict,
        "cautions": found.cautions,
        "groups": found.groups,
        "counts": found.side.metrics.get("counts"),
        "predict_keys": {name: value for name, value in found.side.metrics.items() if name.startswith("predict_")},
    }


def _line_view(line: Any) -> dict[str, Any]:
    return {**asdict(line), "definition": line.described.get("definition", {}).get(current_language())}


@router.get("/jobs/{job_id}/results")
def results(services: Services, owner: Owner, job_id: str, step: Step = "") -> dict[str, Any]:
    """The scores of a scored prediction, of a recipe, or of a predict or evaluate job."""
    return evaluation_view(services.results.get(owner, job_id, step))


@router.get("/jobs/{job_id}/results/rows")
def rows(
    services: Services,
    owner: Owner,
    job_id: str,
    step: Step = "",
    order: Order = "worst",
    metric: Annotated[str, Query(max_length=40)] = "",
    search: Annotated[str, Query(max_length=200)] = "",
    part: Annotated[str, Query(max_length=120, description="Such as `chart_type=bar`.")] = "",
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
) -> dict[str, Any]:
    """Rows, the worst first or in another order. `next` is the `after` of the following page."""
    found = services.results.get(owner, job_id, step)
    listed = services.results.rows(
        found, order=order, metric=metric, search=search, part=part, after=after, limit=limit
    )
    return asdict(listed)


@router.get("/jobs/{job_id}/results/rows.csv")
def rows_csv(services: Services, owner: Owner, job_id: str, step: Step = "") -> StreamingResponse:
    """All rows with their scores as CSV."""
    found = services.results.get(owner, job_id, step)
    content = as_csv(table(found, services.results.every_row(found)))
    return StreamingResponse(content, media_type="text/csv; charset=utf-8", headers=_attached(found, "csv"))


@router.get("/jobs/{job_id}/results/rows.xlsx")
def rows_xlsx(services: Services, owner: Owner, job_id: str, step: Step = "") -> StreamingResponse:
    """All rows with their scores as an Excel file."""
    found = services.results.get(owner, job_id, step)
    made = tempfile.TemporaryFile(prefix="metier-rows-")  # noqa: SIM115 - it has no name and goes with its last reader
    write_xlsx(table(found, services.results.every_row(found)), made)
    made.seek(0)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return StreamingResponse(iter(lambda: made.read(1 << 16), b""), media_type=kind, headers=_attached(found, "xlsx"))


def _attached(found: Evaluation, suffix: str) -> dict[str, str]:
    """The name is made of an id and a step's name: nothing of the user's gets into a header."""
    name = "-".join(part for part in (found.job.id, found.step, "rows") if part)
    return {
        "Content-Disposition": f'attachment; filename="{name}.{suffix}"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
    }


@router.get("/metrics")
def metrics(owner: Owner) -> list[dict[str, Any]]:
    """Every metric with its definition, scale, tokenizer and version."""
    from metier.evaluate import METRICS

    known = (METRICS.get(name) for name in METRICS)
    return [{"name": metric.name, **metric.describe(), "reads": metric.reads} for metric in known]
