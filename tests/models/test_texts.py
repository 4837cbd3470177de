"""Every text that models and plans ask for exists, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import metier
from metier.core.i18n import catalogue, has_text
from metier.models import ModelSpec


def test_every_message_that_is_raised_has_a_text() -> None:
    folder = Path(metier.__file__).parent
    sources = [*(folder / "models").glob("*.py"), *(folder / "recipes").glob("plan*.py")]
    keys = {key for path in sources for key in re.findall(r'"(models\.[a-z_]+)"', path.read_text(encoding="utf-8"))}
    assert len(keys) > 20
    assert [key for key in keys if not has_text(key)] == []


def test_every_text_is_in_both_languages_with_the_same_fields() -> None:
    for key, texts in catalogue("models").items():
        assert set(texts) == {"en", "zh"}, key
        fields = [sorted(re.findall(r"\{(\w+)\}", text)) for text in texts.values()]
        assert fields[0] == fields[1], key


def test_every_field_has_label_and_help() -> None:
    for field in ModelSpec.model_fields:
        assert has_text(f"models.ModelSpec.{field}.label")
        assert has_text(f"models.ModelSpec.{field}.help")
