"""What a vision model is shown: equal to its own processor, and refused where it would not be."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from metier.core.errors import ConfigError, DataError
from metier.data.messages import Conversation, ImagePart, Message, TextPart, message
from metier.models import load_model, resolve_model
from metier.rendering import Renderer, load_renderer
from metier.rendering.eyes import Seen
from tests.vision.support import Talk, processed


@pytest.fixture(scope="module")
def renderer(mllama: Path) -> Renderer:
    return load_renderer(resolve_model(str(mllama)))


@pytest.mark.parametrize("family", ["mllama", "gemma3"], indirect=True)
@pytest.mark.parametrize("sizes", [[(64, 40)], [(20, 90)], [(64, 40), (200, 30)]])
def test_ids_and_tensors_are_the_processors_own(family: Path, talk: Talk, sizes: list[tuple[int, int]]) -> None:
    renderer = load_renderer(resolve_model(str(family)))
    messages = talk.ask("What is the trend?", *sizes)
    prompt = renderer.prompt(messages)
    wanted = processed(family, messages)
    assert prompt.input_ids == wanted["input_ids"][0].tolist()
    assert renderer.eyes is not None
    made = renderer.eyes.tensors([Seen(prompt.input_ids, prompt.pictures)], len(prompt.input_ids))
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in made.items())
    assert set(made) == set(wanted) - {"input_ids", "attention_mask"}


def test_text_alone_is_the_processors_own(mllama: Path, renderer: Renderer, talk: Talk) -> None:
    messages = talk.ask("What is the trend?")
    prompt = renderer.prompt(messages)
    assert prompt.input_ids == processed(mllama, messages)["input_ids"][0].tolist()
    assert renderer.eyes is not None
    assert renderer.eyes.tensors([Seen(prompt.input_ids, ())], len(prompt.input_ids)) == {}


@pytest.mark.parametrize("family", ["qwen2_5_vl", "qwen3_vl"], indirect=True)
def test_qwens_tokens_are_those_of_the_grid_and_its_positions_the_models_own(family: Path, talk: Talk) -> None:
    resolved = resolve_model(str(family))
    renderer = load_renderer(resolved)
    eyes = renderer.eyes
    assert eyes is not None
    for sizes in ([(64, 40)], [(300, 31), (9, 9), (90, 400)], [(1400, 900)]):
        prompt = renderer.prompt(talk.ask("Trend?", *sizes))
        made = eyes.tensors([Seen(prompt.input_ids, prompt.pictures)], len(prompt.input_ids))
        counts = (made["image_grid_thw"].prod(dim=1) // 4).tolist()
        assert [renderer.image_tokens([picture]) for picture in prompt.pictures] == counts
        ids = torch.tensor([prompt.input_ids])
        pads = ids == renderer.tokenizer.convert_tokens_to_ids("<|image_pad|>")
        assert int(pads.sum()) == sum(counts) == len(made["pixel_values"]) // 4
        model = load_model(resolved, device="cpu", dtype=torch.float32)
        wanted, _ = model.model.get_rope_index(ids, pads.long(), made["image_grid_thw"])
        assert torch.equal(made["position_ids"], wanted)


def test_internvls_tokens_are_those_of_its_tiles(internvl: Path, talk: Talk) -> None:
    renderer = load_renderer(resolve_model(str(internvl)))
    assert renderer.eyes is not None
    for sizes in ([(64, 40)], [(300, 31), (9, 9), (90, 400)], [(28, 28)]):
        prompt = renderer.prompt(talk.ask("Trend?", *sizes))
        made = renderer.eyes.tensors([Seen(prompt.input_ids, prompt.pictures)], len(prompt.input_ids))
        tokens = [renderer.tokenizer.convert_ids_to_tokens(one) for one in prompt.input_ids]
        assert tokens.count("<IMG_CONTEXT>") == len(made["pixel_values"])
        assert tokens.count("<img>") == tokens.count("</img>") == len(sizes)


def test_smolvlms_tokens_are_those_of_its_tiles_by_row_and_column(smolvlm: Path, talk: Talk) -> None:
    renderer = load_renderer(resolve_model(str(smolvlm)))
    assert renderer.eyes is not None
    for size in ((64, 40), (300, 31), (9, 9), (90, 400), (28, 28), (500, 500)):
        prompt = renderer.prompt(talk.ask("Trend?", size))
        made = renderer.eyes.tensors([Seen(prompt.input_ids, prompt.pictures)], len(prompt.input_ids))
        tokens = [renderer.tokenizer.convert_ids_to_tokens(one) for one in prompt.input_ids]
        assert tokens.count("<image>") == made["pixel_values"].shape[1]
        assert tokens.count("<image>") == 1 + sum(token.startswith("<row_") for token in tokens)


def test_a_picture_too_long_for_qwen_is_refused_with_the_row(qwen3_vl: Path, talk: Talk) -> None:
    renderer = load_renderer(resolve_model(str(qwen3_vl)))
    messages = talk.ask("Trend?", (900, 4), answer="Up.")
    with pytest.raises(DataError, match=r"Row 2 .*200 times"):
        renderer.examples(Conversation(2, tuple(messages)))


_PROCESSORS = {
    "qwen2_5_vl": ("Qwen2_5_VLProcessor", "Qwen2VLVideoProcessor"),
    "qwen3_vl": ("Qwen3VLProcessor", "Qwen3VLVideoProcessor"),
    "internvl": ("InternVLProcessor", "InternVLVideoProcessor"),
    "smolvlm": ("SmolVLMProcessor", "SmolVLMVideoProcessor"),
}
# Run by a Python that has torchvision, where transformers' own processor of the family can be made.
_PROCESSED = """
import hashlib, json, sys
from PIL import Image
from transformers import AutoProcessor, AutoTokenizer
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil
folder, text, *pictures = sys.argv[1:]
processor = AutoProcessor.from_pretrained(folder)
pillows = {"InternVLProcessor": GotOcr2ImageProcessorPil, "SmolVLMProcessor": SmolVLMImageProcessorPil}
pillow = pillows.get(type(processor).__name__, Qwen2VLImageProcessorPil)
processor.image_processor = pillow.from_pretrained(folder)
made = processor(images=[Image.open(one) for one in pictures], text=[text], return_tensors="np")
pixels = hashlib.sha256(made["pixel_values"].tobytes()).hexdigest()
print(json.dumps([made["input_ids"][0].tolist(), pixels]))
"""


@pytest.mark.long
@pytest.mark.parametrize("family", ["qwen2_5_vl", "qwen3_vl", "internvl", "smolvlm"], indirect=True)
def test_others_are_their_own_processors_where_torchvision_is_there(family: Path, talk: Talk, tmp_path: Path) -> None:
    python = os.environ.get("METIER_TORCHVISION_PYTHON")
    if python is None:
        pytest.skip("METIER_TORCHVISION_PYTHON names no Python with torch, torchvision, num2words, transformers")
    folder = tmp_path / "whole"
    shutil.copytree(family, folder)
    name, video_name = _PROCESSORS[family.name]
    settings = json.loads((folder / "preprocessor_config.json").read_text())
    (folder / "preprocessor_config.json").write_text(json.dumps({**settings, "processor_class": name}))
    video = {"video_processor_type": video_name, "processor_class": name}
    (folder / "video_preprocessor_config.json").write_text(json.dumps(video))
    renderer = load_renderer(resolve_model(str(family)))
    prompt = renderer.prompt(talk.ask("Trend?", (64, 40), (90, 400), (1400, 900)))
    command = [python, "-c", _PROCESSED, str(folder), prompt.text, *(one.path or "" for one in prompt.pictures)]
    ids, pixels = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    assert renderer.eyes is not None
    made = renderer.eyes.tensors([Seen(prompt.input_ids, prompt.pictures)], len(prompt.input_ids))
    assert prompt.input_ids == ids
    assert hashlib.sha256(made["pixel_values"].numpy().tobytes()).hexdigest() == pixels


def test_an_example_is_its_prompt_and_answer_with_loss_on_the_answer_alone(
    mllama: Path, renderer: Renderer, talk: Talk
) -> None:
    messages = talk.ask("And now?", (64, 40), answer="It falls.")
    (example,) = renderer.examples(Conversation(1, tuple(messages)))
    assert example.input_ids == processed(mllama, messages, generation=False)["input_ids"][0].tolist()
    prompt = renderer.prompt(messages[:1])
    assert example.input_ids[: len(prompt.input_ids)] == prompt.input_ids
    assert [segment.text for segment in renderer.segments(example) if segment.loss] == ["It falls.<|eot_id|>"]
    assert example.pictures == messages[0].images


def test_pictures_of_all_turns_are_kept_in_order_and_answers_share_an_example(renderer: Renderer, talk: Talk) -> None:
    messages = [*talk.ask("First?", (64, 40), answer="Up."), *talk.ask("Then?", (30, 30), answer="Down.")]
    (example,) = renderer.examples(Conversation(1, tuple(messages)), train_on_history=True)
    assert example.pictures == (*messages[0].images, *messages[2].images)
    assert sum(label != -100 for label in example.labels) == len("Up.Down.") + 2


def test_a_system_prompt_goes_behind_the_picture_where_the_template_refuses_it_beside_one(
    renderer: Renderer, talk: Talk
) -> None:
    prompt = renderer.prompt([message("system", "Be brief."), *talk.ask("Trend?", (64, 40))])
    assert "<|image|>Be brief.\n\nTrend?" in prompt.text
    assert "system" in renderer.prompt([message("system", "Be brief."), message("user", "Trend?")]).text


def test_cutting_takes_text_and_never_a_picture(renderer: Renderer, talk: Talk) -> None:
    long = talk.ask("a" * 300 + " end?", (64, 40))
    prompt = renderer.prompt(long, cutoff_len=120)
    assert len(prompt.input_ids) <= 120
    assert prompt.text.count("<|image|>") == 1
    assert prompt.text.count("[…]") == 1
    assert prompt.pictures == long[0].images
    history = [*talk.ask("First?", (64, 40), answer="Up."), *talk.ask("Then?", (30, 30))]
    shorter = renderer.prompt(history, cutoff_len=60)
    assert shorter.dropped_turns == 1
    assert shorter.pictures == history[2].images


def test_pictures_without_room_are_refused_with_the_row(renderer: Renderer, talk: Talk) -> None:
    messages = talk.ask("", *[(64, 40)] * 40, answer="Yes.")
    with pytest.raises(DataError, match=r"Row 7: cutoff_len = 50 .*40 picture"):
        renderer.examples(Conversation(7, tuple(messages)), cutoff_len=50)
    with pytest.raises(ConfigError, match="40 picture"):
        renderer.prompt(messages[:1], cutoff_len=50)


@pytest.mark.parametrize("place", ["question", "answer"])
def test_a_pictures_token_in_somebodys_words_is_refused(renderer: Renderer, talk: Talk, place: str) -> None:
    messages = talk.ask("Look: <|image|>" if place == "question" else "Look", (64, 40), answer="An <|image|>")
    with pytest.raises(DataError, match=r"Row 3 .*token that stands for a picture"):
        renderer.examples(Conversation(3, tuple(messages)))


def test_an_answer_with_a_picture_and_models_without_eyes_are_refused(
    renderer: Renderer, talk: Talk, mllama: Path, tiny_model: Path, tmp_path: Path
) -> None:
    answer = Message("assistant", (TextPart("Here"), talk.picture()))
    with pytest.raises(DataError, match=r"Row 1 .*writes text only"):
        renderer.examples(Conversation(1, (message("user", "Draw"), answer)))
    blind = load_renderer(resolve_model(str(tiny_model)))
    assert not blind.takes_images
    assert blind.image_tokens([talk.picture()]) == 0
    with pytest.raises(DataError, match="takes no pictures"):
        blind.prompt(talk.ask("What?", (64, 40)))
    whole = tmp_path / "cut"
    shutil.copytree(mllama, whole, ignore=shutil.ignore_patterns("*processor_config.json"))
    with pytest.raises(DataError, match="preprocessor_config"):
        load_renderer(resolve_model(str(whole))).prompt(talk.ask("What?", (64, 40)))


def test_what_a_picture_costs(renderer: Renderer, talk: Talk) -> None:
    assert renderer.takes_images
    assert renderer.image_tokens([talk.picture(), TextPart("no"), talk.picture()]) == 2


def test_rows_in_a_batch_are_what_they_are_alone(renderer: Renderer, talk: Talk) -> None:
    assert renderer.eyes is not None
    prompts = [renderer.prompt(talk.ask(text, (64, 40), (20, 80))) for text in ("One?", "Another one?")]
    rows = [Seen(prompt.input_ids, prompt.pictures) for prompt in prompts]
    width = max(len(row.input_ids) for row in rows)
    together = renderer.eyes.tensors(rows, width, left=True)
    for number, row in enumerate(rows):
        alone = renderer.eyes.tensors([row], len(row.input_ids))
        mask = together["cross_attention_mask"][number]
        assert torch.equal(mask[width - len(row.input_ids) :], alone["cross_attention_mask"][0])
        assert not mask[: width - len(row.input_ids)].any()
        assert torch.equal(together["pixel_values"][number], alone["pixel_values"][0])


def test_pictures_from_bytes_are_those_from_files(renderer: Renderer, talk: Talk) -> None:
    assert renderer.eyes is not None
    prompt = renderer.prompt(talk.ask("What?", (64, 40)))
    held = dataclasses.replace(
        prompt, pictures=tuple(ImagePart(data=Path(one.path or "").read_bytes()) for one in prompt.pictures)
    )
    one, other = (
        renderer.eyes.tensors([Seen(given.input_ids, given.pictures)], len(given.input_ids)) for given in (prompt, held)
    )
    assert torch.equal(one["pixel_values"], other["pixel_values"])
