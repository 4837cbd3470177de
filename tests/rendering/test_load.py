from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from metier.core.errors import ConfigError
from metier.rendering import make_renderer
from metier.rendering.load import families
from tests.rendering.families import TOKENS, renderer_of, shown, talk, tokenizer
from tests.support.tiny import CHATML, byte_tokenizer


def test_a_template_file_replaces_the_models_own(tmp_path: Path) -> None:
    file = tmp_path / "own.jinja"
    file.write_text(CHATML.replace("'\n'", "' says\n'"), encoding="utf-8")
    assert "user says\nHi" in make_renderer(byte_tokenizer(), template=str(file)).prompt(talk("Hi").messages).text


def test_a_missing_template_file_is_named() -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.jinja cannot be read"):
        make_renderer(byte_tokenizer(), template="nowhere.jinja")


def test_a_model_without_template_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match=r"no chat template .*--template chatml"):
        renderer_of("")


def test_a_familys_name_takes_the_models_own_template() -> None:
    own = make_renderer(byte_tokenizer(CHATML + "{# own #}"), template="qwen")
    assert own.template.source.endswith("{# own #}")


@pytest.mark.parametrize(("name", "model"), [("llama3", "llama3_1"), ("gemma", "gemma2"), ("chatml", "qwen3")])
def test_a_base_model_without_template_gets_its_familys(name: str, model: str) -> None:
    bos, eos, others = TOKENS[model]
    bare = tokenizer(bos, eos, tuple(others))
    bare.chat_template = None
    renderer = make_renderer(bare, template=name)
    (example,) = renderer.examples(talk("Hi", "Hello", "And?", "Fine", system="S"), train_on_history=True)
    text = shown(renderer, example)
    assert text.count("⟦") == 2 and "⟦Fine<" in text and "S" in text


def test_a_name_of_another_family_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"--template llama3 does not fit .*<\|start_header_id\|>"):
        make_renderer(byte_tokenizer(), template="llama3")


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(ConfigError, match="→ llama3"):
        make_renderer(byte_tokenizer(), template="lama3")


def test_every_familys_template_is_there() -> None:
    import metier.rendering as package

    folder = Path(package.__file__).parent / "templates"
    named = {entry["file"] for entry in families().values() if "file" in entry}
    assert named == {file.name for file in folder.iterdir()}


def test_rendering_is_imported_without_torch() -> None:
    code = "import sys, metier.rendering; sys.exit(any(m in sys.modules for m in ('torch', 'transformers')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
