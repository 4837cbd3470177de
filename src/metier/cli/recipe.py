"""`metier recipe`: the recipes that come with the product, to read and to start from."""

from __future__ import annotations

from typing import Annotated

import yaml
from cyclopts import Parameter

from metier.cli.app import write_json, write_line
from metier.core.i18n import current_language
from metier.core.yamltext import parse_yaml
from metier.recipes.recipe import load_recipe, shipped_recipes


def list_(*, json: Annotated[bool, Parameter(negative=())] = False) -> None:
    """Lists the shipped recipes and their profiles."""
    rows = []
    for name, text in shipped_recipes().items():
        values = parse_yaml(text)
        rows.append({"name": name, "title": values["title"], "profiles": list(values.get("profiles", {}))})
    if json:
        write_json(rows)
        return
    for row in rows:
        write_line(f"{row['name']:<12} {row['title'][current_language()]:<24} {', '.join(row['profiles'])}")


def show_(
    name: str, /, *, resolved: Annotated[bool, Parameter(negative=())] = False, profile: str | None = None
) -> None:
    """Prints a recipe as it is written, or `--resolved`: every key with the value it takes."""
    if resolved or profile or name not in shipped_recipes():
        recipe = load_recipe(name, profile=profile)
        write_line(yaml.safe_dump(recipe.to_dict(), allow_unicode=True, sort_keys=False).rstrip())
    else:
        write_line(shipped_recipes()[name].rstrip())
