"""The quick measures agree with those of the model that is built for real."""

from __future__ import annotations

import pytest

from metier.models import catalogue, find
from metier.models.skeleton import build_skeleton
from metier.models.sketch import sketch


def test_every_model_of_the_catalogue_has_measures() -> None:
    for entry in catalogue():
        measures = sketch(entry, lora_rank=16)
        assert measures is not None, entry.name
        assert 0.0004 < measures.trainable / entry.parameters < (0.1 if entry.shipped else 0.05), entry.name


@pytest.mark.parametrize(
    "name", ["smollm2-135m", "qwen3-8b", "gemma-2-2b-it", "qwen3-30b-a3b", "llama-3.2-1b-instruct"]
)
def test_they_are_those_of_the_built_model(name: str) -> None:
    entry = find(name)
    assert entry is not None
    quick, built = sketch(entry, lora_rank=16), build_skeleton(name, lora_rank=16)
    assert quick is not None
    for measure in ("trainable", "layers", "hidden", "vocabulary", "layer_elements", "key_value_heads", "context"):
        assert getattr(quick, measure) == getattr(built, measure), measure
    assert [one.elements for one in quick.caches] == [one.elements for one in built.caches]
