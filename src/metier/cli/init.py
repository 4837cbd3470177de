"""`metier init`: the skeleton of a new industry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from metier.cli.app import write_json, write_line
from metier.core.i18n import translate
from metier.recipes.trade import make_trade


def init(name: str, /, *, folder: Path | None = None, json: Annotated[bool, Parameter(negative=())] = False) -> None:
    """Makes a folder with recipe, sample set, documents, specialist and rubric that runs as it is."""
    target = folder or Path(name)
    written = make_trade(name, target)
    if json:
        write_json([str(path) for path in written])
        return
    for path in written:
        write_line(f"  {path}")
    write_line(translate("cli.init_next", folder=target, name=name))
