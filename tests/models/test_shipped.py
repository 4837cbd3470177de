"""The toy that comes with the package: whole, small, here without a fetch, loaded like any model, and there to stay."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from tools.charts.chart import toy_chart
from tools.charts.draw import draw
from tools.charts.styles import draw_style
from tools.charts.toy import seedling_questions
from tools.seedling.files import chat_prompt, pixels
from transformers import AutoProcessor

from metier.core.errors import ModelError
from metier.core.files import verify_manifest
from metier.data.messages import ImagePart, Message, TextPart
from metier.engines import EngineOptions, Sampling, open_engine
from metier.models import find, resolve_model
from metier.models.library import add_model, list_models, remove_model, show_model
from metier.models.store import SHIPPED

SEEDLING = "chart-seedling"


def test_the_seedling_is_here_on_a_machine_that_has_nothing(own_home: Path) -> None:
    assert not (own_home / "models").exists()
    assert SEEDLING in [model.name for model in list_models(here_only=True)]
    assert resolve_model(SEEDLING).folder == SHIPPED / SEEDLING
    assert add_model(SEEDLING).folder == SHIPPED / SEEDLING
    assert "(toy)" in show_model(SEEDLING).title


def test_its_files_are_those_of_its_manifest_and_small() -> None:
    verify_manifest(SHIPPED / SEEDLING)
    assert sum(path.stat().st_size for path in (SHIPPED / SEEDLING).iterdir()) < 16_000_000


def test_it_cannot_be_removed(own_home: Path) -> None:
    with pytest.raises(ModelError) as refused:
        remove_model(SEEDLING)
    assert refused.value.key == "models.shipped_stays"
    assert (SHIPPED / SEEDLING / "model.safetensors").is_file()


def test_it_is_called_a_toy_in_its_licence_too() -> None:
    entry = find(SEEDLING)
    assert entry is not None
    assert "toy" in entry.licence.duty("en")


@pytest.mark.slow
def test_it_answers_questions_about_charts_through_the_engine() -> None:
    """Charts and questions of the kind it was made with: far above guessing, far from right each time."""
    chance, asked = random.Random(4), []
    for _ in range(60):
        chart = toy_chart("bar", "Revenue", chance)
        picture = io.BytesIO()
        draw(chart, draw_style("seedling", chance), chance).save(picture, "PNG")
        values = [item for item in seedling_questions(chart, chance) if item.kind in ("type", "trend")]
        question = chance.choice(values)
        parts = (ImagePart(data=picture.getvalue()), TextPart(question.text))
        asked.append((Message("user", parts), question.answer))
    engine = open_engine("hf", resolve_model(SEEDLING), EngineOptions(dtype="float32", device="cpu"))
    prompts = [engine.renderer.prompt([turn]) for turn, _ in asked]
    sampling = Sampling(temperature=0, max_new_tokens=8)
    told = {index: done.text for batch in engine.generate(prompts, sampling) for index, done in batch}
    right = sum(told[index].strip() == answer for index, (_, answer) in enumerate(asked))
    assert right >= 42


@pytest.mark.slow
def test_its_processor_makes_of_a_chart_what_training_saw() -> None:
    chance = random.Random(4)
    picture = draw(toy_chart("line", "Revenue", chance), draw_style("seedling", chance), chance)
    processor = AutoProcessor.from_pretrained(SHIPPED / SEEDLING)
    content = [{"type": "image"}, {"type": "text", "text": "What kind of chart is this?"}]
    text = processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
    assert text == chat_prompt("What kind of chart is this?")
    made = processor(images=[[picture]], text=[text], add_special_tokens=False, return_tensors="np")
    seen = pixels(picture).transpose(2, 0, 1) / 127.5 - 1
    assert abs(made["pixel_values"][0, 0, 0] - seen).max() < 1e-6
