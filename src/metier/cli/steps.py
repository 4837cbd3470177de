"""One step by itself: `metier train`, `predict`, `evaluate`, `compare`, `report`, with the flags of their specs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from metier.cli.app import write_json, write_line
from metier.cli.options import with_spec_flags
from metier.cli.progress import Display
from metier.cli.proof import write_proof
from metier.cli.run import write_verdict
from metier.core.errors import ConfigError
from metier.core.i18n import translate
from metier.core.specs import Spec, parse_spec
from metier.evaluate import CompareSpec, EvaluateSpec
from metier.evaluate.proof import ProofSpec
from metier.predict import PredictSpec
from metier.report import ReportSpec
from metier.train import TrainSpec


def _command(kind: str, spec: type[Spec]) -> Callable[..., Any]:
    def execute(
        config: Path | None = None,
        /,
        *,
        output_dir: Path | None = None,
        fresh: Annotated[bool, Parameter(negative=())] = False,
        json: Annotated[bool, Parameter(negative=())] = False,
        overrides: dict[str, Any],
    ) -> int:
        values = {**_from_file(config, kind), **overrides}
        return _execute(kind, spec, values, config, output_dir, fresh=fresh, as_json=json)

    execute.__name__ = kind
    execute.__doc__ = translate(f"cli.{kind}")
    return with_spec_flags(execute, {"": spec})


class _Comparison(CompareSpec, ProofSpec):
    """The flags of both things that can be compared: two files of answers, or a specialist's variants."""


def _compare(
    config: Path | None = None,
    /,
    *,
    output_dir: Path | None = None,
    fresh: Annotated[bool, Parameter(negative=())] = False,
    json: Annotated[bool, Parameter(negative=())] = False,
    overrides: dict[str, Any],
) -> int:
    section = "prove" if overrides.get("specialist") else "compare"
    values = {**_from_file(config, section), **overrides}
    if isinstance(values.get("prove"), dict):  # a file of nothing but a proof
        values = values["prove"] | overrides
    kind, spec = ("prove", ProofSpec) if values.get("specialist") else ("compare", CompareSpec)
    return _execute(kind, spec, values, config, output_dir, fresh=fresh, as_json=json)


def _execute(
    kind: str,
    spec: type[Spec],
    values: dict[str, Any],
    config: Path | None,
    folder: Path | None,
    *,
    fresh: bool,
    as_json: bool,
) -> int:
    checked = parse_spec(spec, values, source=str(config) if config else translate("cli.command_line"))
    from metier.recipes.single import run_single

    with Display() as display:
        # Proving a specialist is what its comparison is called in a recipe: a command goes by its own name.
        display({"event": "step", "name": "compare" if kind == "prove" else kind})
        result = run_single(kind, checked, folder=folder, fresh=fresh, listeners=(display,))
    if as_json:
        write_json({"folder": result.folder, "skipped": result.skipped, **result.summary})
    else:
        _show(kind, result.folder, result.summary, skipped=result.skipped)
    return 0


def _from_file(path: Path | None, kind: str) -> dict[str, Any]:
    """The step's keys in a YAML file: the file itself, or its section of that name; LLaMA-Factory's file for train."""
    if path is None:
        return {}
    if not path.is_file():
        raise ConfigError("cli.no_file", file=path)
    from metier.recipes import llamafactory, load_recipe
    from metier.recipes.yamlfile import read_mapping

    values = read_mapping(path)
    if kind == "train" and llamafactory.is_training_yaml(values):
        return dict(load_recipe(str(path)).step("train").model_dump(exclude_unset=True))
    return values[kind] if isinstance(values.get(kind), dict) else values


def _show(kind: str, folder: Path, summary: dict[str, Any], *, skipped: bool) -> None:
    if skipped:
        write_line(translate("cli.already_done"))
    if kind == "compare":
        write_verdict(folder / "compare.json")
    if kind == "prove":
        write_verdict(folder / "proof.json")
        write_proof(folder / "proof.json")
    for key, value in _readable(summary):
        write_line(f"{key:<32} {value}")
    write_line(translate("cli.results_at", folder=folder.resolve()))


def _readable(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """The figures of a summary, one a line; scores with their intervals."""
    lines = []
    for key, value in summary.items():
        if key == "metrics" and isinstance(value, dict):
            for name, metric in value.items():
                if isinstance(metric, dict) and metric.get("score") is not None:
                    interval = f"[{metric['low']:.4g}, {metric['high']:.4g}]" if metric.get("low") is not None else ""
                    lines.append((name, f"{metric['score']:.4g} {interval}"))
        elif isinstance(value, float):
            lines.append((key, f"{value:.6g}"))
        elif isinstance(value, str | int):
            lines.append((key, str(value)))
    return lines


train = _command("train", TrainSpec)
predict = _command("predict", PredictSpec)
evaluate = _command("evaluate", EvaluateSpec)
_compare.__name__ = "compare"
_compare.__doc__ = translate("cli.compare")
compare = with_spec_flags(_compare, {"": _Comparison})
report = _command("report", ReportSpec)
