"""`metier run`: a recipe from base model to report, or its plan."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from metier.cli.app import write_json, write_line
from metier.cli.options import with_spec_flags
from metier.cli.progress import Display, clock
from metier.core.files import read_json
from metier.core.i18n import current_language, translate
from metier.core.settings import settings
from metier.recipes.recipe import SECTIONS, Compute, DataSection, Recipe, Shared, load_recipe, owners


def _run(
    recipe: str,
    /,
    *,
    profile: str | None = None,
    plan: Annotated[bool, Parameter(negative=())] = False,
    run_dir: Path | None = None,
    fresh: Annotated[bool, Parameter(negative=())] = False,
    json: Annotated[bool, Parameter(negative=())] = False,
    devices: int | None = None,
    device_memory: float | None = None,
    overrides: dict[str, Any],
) -> int:
    """Runs a recipe: a shipped name or a YAML file. The same command goes on where it stopped."""
    wanted: dict[str, Any] = dict(overrides)
    if devices:
        wanted["compute.devices"] = devices
    if device_memory:
        wanted["compute.device_memory_gb"] = device_memory
    resolved = load_recipe(recipe, profile=profile, overrides=wanted)
    for note in resolved.notes:
        sys.stderr.write(translate("cli.unread_key", key=note) + "\n")
    if plan:
        return _plan(resolved, as_json=json)
    return _execute(resolved, run_dir, fresh, as_json=json)


def _plan(recipe: Recipe, *, as_json: bool) -> int:
    from dataclasses import asdict

    from metier.recipes.plan import plan_recipe

    plan = plan_recipe(recipe)
    if as_json:
        write_json(asdict(plan))
    else:
        for line in plan.lines(current_language()):
            write_line(line)
    return 0 if plan.fits else 2


def _execute(recipe: Recipe, run_dir: Path | None, fresh: bool, *, as_json: bool) -> int:
    from metier.recipes.pipeline import run_recipe
    from metier.runs import find_or_create_run
    from metier.specialists.store import Specialists
    from metier.specialists.taught import taught_text

    run = find_or_create_run(settings().runs, recipe.name, recipe.to_dict(), folder=run_dir, fresh=fresh)
    command = shlex.join(["metier", *sys.argv[1:]])
    with Display() as display:
        display.console.print(translate("cli.run_folder", folder=run.path), style="dim", markup=False)
        results = run_recipe(
            recipe, run, listeners=(display,), command=command, specialists=Specialists(settings().home / "specialists")
        )
    taught = next((result.summary for result in results if result.name == "specialist"), None)
    report = run.step("report") / "report.html"
    proof = read_json(run.step("prove") / "proof.json") if recipe.step("prove").specialist else None
    if as_json:
        steps = [{"step": r.name, "skipped": r.skipped, "seconds": r.seconds, "summary": r.summary} for r in results]
        comparison = read_json(run.step("compare") / "compare.json")
        said = {"verdict": comparison.get("verdict"), **({"proof": proof["verdict"]} if proof else {})}
        write_json({"run": run.path, "report": report, **said, "specialist": taught, "steps": steps})
        return 0
    for result in results:
        mark = translate("cli.was_done") if result.skipped else clock(result.seconds)
        sys.stderr.write(f"   {result.name:<16} {mark}\n")
    write_verdict(run.step("compare") / "compare.json")
    write_line(translate("cli.report_at", file=report.resolve()))
    if proof is not None:
        write_verdict(run.step("prove") / "proof.json")
        write_line(translate("cli.proof_page", file=(run.step("prove") / "proof.html").resolve()))
    if taught:
        write_line(taught_text(taught))
        if taught["version"]:
            write_line(translate("cli.ask_it", name=taught["specialist"]))
    return 0


def write_verdict(comparison: Path) -> None:
    """The verdict's sentences and cautions, as a person reads them."""
    verdict = read_json(comparison)
    language = current_language()
    write_line()
    for sentence in verdict["verdict"]["sentences"]:
        write_line(sentence[language])
    for caution in verdict.get("cautions", []):
        write_line(f"– {caution[language]}")
    write_line()


def _is_plain(section: str, field: str) -> bool:
    return owners(field) == [section]


run = with_spec_flags(_run, {"": Shared, "data": DataSection, "compute": Compute, **SECTIONS}, _is_plain)
run.__name__ = "run"
