"""The variants of a specialist: with and without what it was taught, with and without its documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from metier.core.errors import ConfigError
from metier.evaluate.proof.spec import VARIANTS, ProofSpec, VariantName
from metier.specialists.spec import AnswerRules, Specialist

Pair = tuple[VariantName, VariantName]


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant, as the specialist that answers for it."""

    name: VariantName
    specialist: Specialist

    @property
    def model(self) -> tuple[str, str | None]:
        """What must be loaded for it: variants that share it are asked one after the other."""
        return self.specialist.model_name_or_path, self.specialist.adapter_name_or_path

    @property
    def has_knowledge(self) -> bool:
        """Whether it answers from documents."""
        return bool(self.specialist.knowledge)

    def describe(self) -> dict[str, Any]:
        """What it is made of."""
        made = self.specialist
        model = f"{made.server.model} @ {made.server.address}".strip(" @") if made.server else made.model_name_or_path
        return {
            "model": model,
            "adapter": made.adapter_name_or_path,
            "knowledge": list(made.knowledge),
            "tools": list(made.tools),
        }


def variants_of(specialist: Specialist, spec: ProofSpec) -> list[Variant]:
    """The variants to compare, in the order of `VARIANTS`.

    Raises ConfigError for a named one that the specialist cannot have, and where fewer than two are left.
    """
    adapter = spec.adapter_name_or_path or specialist.adapter_name_or_path
    possible = {
        "base": True,
        "tuned": adapter is not None,
        "base_knowledge": bool(specialist.knowledge),
        "tuned_knowledge": adapter is not None and bool(specialist.knowledge),
    }
    for name in spec.variants:
        if not possible[name]:
            what = "adapter" if not adapter and name.startswith("tuned") else "knowledge"
            raise ConfigError(f"evaluate.no_variant_{what}", variant=name, specialist=specialist.name)
    wanted = spec.variants or VARIANTS
    found = [
        Variant(name, _made(specialist, name, spec, adapter)) for name in VARIANTS if name in wanted and possible[name]
    ]
    if len(found) < 2:
        raise ConfigError("evaluate.one_variant", specialist=specialist.name)
    return found


def _made(specialist: Specialist, name: VariantName, spec: ProofSpec, adapter: str | None) -> Specialist:
    changes: dict[str, object] = {"adapter_name_or_path": adapter if name.startswith("tuned") else None}
    if spec.model_name_or_path is not None:
        changes |= {"model_name_or_path": spec.model_name_or_path, "server": None}
    if spec.max_new_tokens is not None:
        changes["sampling"] = specialist.sampling.model_copy(update={"max_new_tokens": spec.max_new_tokens})
    if not name.endswith("knowledge"):
        # The bare model: the same prompt and sampling, and nothing that checks, quotes or abstains on its behalf.
        rules = specialist.rules.model_copy(
            update={"cite": False, "abstain": False, "quote": "never", "unsupported": "keep"}
        )
        changes |= {"knowledge": (), "tools": (), "rules": AnswerRules.model_validate(rules.model_dump())}
    return specialist.model_copy(update=changes)


def pairs_of(variants: Sequence[Variant], which: str) -> tuple[Pair, ...]:
    """Which variants are set against each other. `base`: each against the first, and knowledge against knowledge;
    `all`: each against each."""
    names = [one.name for one in variants]
    every = tuple((left, right) for place, left in enumerate(names) for right in names[place + 1 :])
    if which == "all":
        return every
    return tuple(pair for pair in every if pair[0] == names[0] or pair == ("base_knowledge", "tuned_knowledge"))
