from __future__ import annotations

import inspect
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from metier.cli.app import COMMANDS, GROUPS, main
from metier.cli.options import convert, fill_bare_switches
from metier.recipes.recipe import load_recipe


def test_help_and_import_load_no_torch() -> None:
    code = "import sys; from metier.cli import main; main(['--help']); print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.rstrip().endswith("False")


@pytest.mark.parametrize("command", [*COMMANDS, *(f"{g} {n}" for g, names in GROUPS.items() for n in names)])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_command_has_a_help_page(command: str, language: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.split(), "--help", "--language", language]) == 0
    assert "Usage" in capsys.readouterr().out


def test_an_unknown_flag_is_one_line_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--learning_rat", "1e-4"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "--learning_rate" in error


def test_a_negative_learning_rate_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--dataset", "medical_demo_en", "--learning_rate", "-1"]) == 2
    assert "learning_rate" in capsys.readouterr().err


def test_json_errors_are_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "nothing-here", "--json"]) == 2
    assert "nothing-here" in json.loads(capsys.readouterr().out)["error"]


def test_flags_override_any_key() -> None:
    recipe = load_recipe("medical", overrides={"train.learning_rate": 2e-4, "lora_rank": 4, "seed": 7})
    train = recipe.step("train")
    assert (train.learning_rate, train.lora_rank, train.seed, recipe.step("predict").seed) == (2e-4, 4, 7, 7)


def test_every_key_of_a_recipe_has_a_flag(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from metier.cli.run import run

    flags = {flag for p in inspect.signature(run).parameters.values() for flag in _names(p)}
    for section, values in load_recipe("medical").to_dict().items():
        if section in ("name", "title", "profile"):
            continue
        for key in [f"{section}.{name}" for name in values] if isinstance(values, dict) else [section]:
            assert f"--{key}" in flags
    assert main(["run", "medical", "--data.test", "nowhere", "--data.guard", "null", "--run_dir", str(tmp_path)]) == 2
    assert "nowhere" in capsys.readouterr().err


def _names(parameter: inspect.Parameter) -> tuple[str, ...]:
    notes = getattr(parameter.annotation, "__metadata__", ())
    return tuple(notes[0].name or ()) if notes else ()


def test_a_misspelt_key_in_a_recipe_names_the_nearest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "my.yaml"
    file.write_text(yaml.safe_dump({"data": {"train": "a", "test": "b"}, "train": {"learning_rte": 1}}))
    assert main(["run", str(file)]) == 2
    assert "learning_rate" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"data: {train: a\n", "line 2"),
        (b"- a\n- b\n", "mapping"),
        ("训练: 1".encode("gb18030"), "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"a: \x00", "YAML"),
    ],
)
def test_a_file_that_is_no_recipe_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    file = tmp_path / "my.yaml"
    file.write_bytes(content)
    for command in ("run", "train"):
        assert main([command, str(file)]) == 2
        error = capsys.readouterr().err
        assert said in error
        assert str(file) in error
        assert len(error.strip().splitlines()) == 1


def test_a_llamafactory_yaml_is_read_and_what_changes_learning_is_refused(tmp_path: Path) -> None:
    from metier.core.errors import ConfigError

    values = {"stage": "sft", "do_train": True, "model_name_or_path": "m", "dataset": "d", "lora_rank": 4, "bf16": True}
    file = tmp_path / "lf.yaml"
    file.write_text(yaml.safe_dump({**values, "plot_loss": True, "my_key": 1}))
    recipe = load_recipe(str(file))
    assert (recipe.step("train").lora_rank, recipe.step("train").dtype) == (4, "bfloat16")
    assert "my_key" in recipe.notes
    file.write_text(yaml.safe_dump({**values, "dataset": "identity, alpaca_en_demo"}))
    assert load_recipe(str(file)).step("train").dataset == "identity,alpaca_en_demo"
    file.write_text(yaml.safe_dump({**values, "use_dora": True}))
    with pytest.raises(ConfigError, match="use_dora"):
        load_recipe(str(file))


def test_values_on_the_command_line_mean_what_the_field_says() -> None:
    assert convert(float, "2e-4", "--x") == "2e-4" or convert(float, "2e-4", "--x") == 2e-4
    assert convert(dict[str, str], "prompt=问题,response=回答", "--columns") == {"prompt": "问题", "response": "回答"}
    assert convert(bool, "true", "--packing") is True
    assert convert(str | None, "null", "--data.guard") is None
    assert convert(str, "null", "--dataset") == "null"
    assert fill_bare_switches(["train", "--packing", "--seed", "1"]) == ["train", "--packing", "true", "--seed", "1"]


def test_rows_are_checked_and_split_without_leaks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", "medical_demo_en_test", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 100
    code = main(["data", "split", "general_guard", "--test_rows", "5", "--output_dir", str(tmp_path / "s")])
    assert code == 0
    assert len((tmp_path / "s" / "test.jsonl").read_text().splitlines()) == 5


def test_a_reader_that_leaves_ends_the_output_without_a_word() -> None:
    command = f"{sys.executable} -m metier.cli recipe show medical | true"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert ended.stderr == ""


def test_cut_answers_are_allowed_in_one_place() -> None:
    recipe = load_recipe("medical", overrides={"allow_truncated_answers": True})
    assert all(recipe.step(name).allow_truncated_answers for name in ("prepare", "train"))
