"""Loading: the right number format, nothing from the network, no code."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest

import metier
from metier.core.errors import ModelError
from metier.models import load_config, load_model, load_tokenizer, resolve_model


def test_a_model_loads_in_evaluation_mode_in_the_format_of_the_processor(tiny_model: Path) -> None:
    from metier.models import choose_dtype

    model = load_model(resolve_model(str(tiny_model)))
    assert not model.training
    assert str(model.dtype) == f"torch.{choose_dtype('cpu')}"


def test_the_number_format_can_be_chosen(tiny_model: Path) -> None:
    assert str(load_model(resolve_model(str(tiny_model)), dtype="bfloat16").dtype) == "torch.bfloat16"


def test_the_tokenizer_round_trips(tiny_model: Path) -> None:
    tokenizer = load_tokenizer(resolve_model(str(tiny_model)))
    assert tokenizer.decode(tokenizer("发热 38.5 ℃").input_ids) == "发热 38.5 ℃"


def test_a_missing_tokenizer_is_one_clear_error(tiny_model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    with pytest.raises(ModelError, match=r"tokenizer in .* cannot be read"):
        load_tokenizer(resolve_model(str(folder)))


def test_an_architecture_that_transformers_does_not_know_is_named(tiny_model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    (folder / "config.json").write_text('{"model_type": "from_the_future"}')
    with pytest.raises(ModelError, match="from_the_future"):
        load_config(resolve_model(str(folder)))


def test_code_put_in_after_resolving_is_refused_too(tiny_model: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    resolved = resolve_model(str(folder))
    (folder / "config.json").write_text('{"model_type": "llama", "auto_map": {"AutoConfig": "x.Y"}}')
    with pytest.raises(ModelError, match="asks to run code"):
        load_model(resolved)


def test_trust_remote_code_is_passed_nowhere() -> None:
    for path in Path(metier.__file__).parent.rglob("*.py"):
        calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        assert not [call for call in calls if any(word.arg == "trust_remote_code" for word in call.keywords)], path
