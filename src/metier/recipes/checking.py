"""Everything that is wrong with a recipe as it is being written; `parse_recipe` stops at the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from metier.core.i18n import translate
from metier.core.registry import nearest
from metier.core.specs import Spec, WrongValue, wrong_values
from metier.recipes.recipe import SECTIONS, Compute, DataSection, Shared

_OTHERS = ("name", "title", "profile", "data", "compute")


def wrong_in_recipe(values: Mapping[str, Any]) -> list[WrongValue]:
    """The wrong keys and values, each by its dotted key (`train.learning_rate`)."""
    known = [*_OTHERS, *Shared.model_fields, *SECTIONS]
    unknown = [key for key in values if key not in known]
    found = [WrongValue(str(key), translate("core.wrong_extra_forbidden", hint=nearest(str(key), known)))
             for key in unknown]  # fmt: skip
    found += wrong_values(Shared, {key: value for key, value in values.items() if key in Shared.model_fields})
    # A shared value that is wrong is named once, at the top, and not again in each section that has it from there.
    common = {key: value for key, value in values.items() if key in Shared.model_fields and key != "specialist"}
    for one in found:
        common.pop(one.key, None)
    sections: dict[str, type[Spec]] = {"data": DataSection, "compute": Compute, **SECTIONS}
    for name, kind in sections.items():
        own = values.get(name)
        if own is None and name != "data":
            own = {}
        if not isinstance(own, Mapping):
            found.append(WrongValue(name, translate("recipes.not_a_section", source="–", key=name)))
            continue
        inherited = (
            {key: value for key, value in common.items() if key in kind.model_fields} if name in SECTIONS else {}
        )
        found += [WrongValue(f"{name}.{one.key}", one.message) for one in wrong_values(kind, {**inherited, **own})]
    return found
