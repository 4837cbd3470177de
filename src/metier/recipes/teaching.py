"""Which shipped recipe teaches a specialist: who has not been through it answers with the base model."""

from __future__ import annotations

from metier.recipes.recipe import shipped_recipes
from metier.recipes.yamlfile import parse_mapping
from metier.specialists.store import StoredSpecialist


def untaught_by(stored: StoredSpecialist) -> str | None:
    """The shipped recipe that a shipped specialist has not been through yet; None where there is none."""
    specialist = stored.specialist
    if not stored.shipped or specialist.adapter_name_or_path or specialist.server:
        return None
    for name, text in shipped_recipes().items():
        if parse_mapping(text, name).get("specialist") == specialist.name:
            return name
    return None
