"""`metier init`: what it makes runs as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from metier.cli.app import main
from metier.evaluate.rubric import load_rubric
from metier.recipes.recipe import load_recipe


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_new_trade_is_asked_from_its_own_documents(
    language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "coffee-bar", "--language", language]) == 0
    monkeypatch.chdir(tmp_path / "coffee-bar")
    assert load_recipe("recipe.yaml", profile="single-gpu").name == "coffee-bar"
    assert load_rubric("rubric.yaml")[0].name == "coffee-bar"
    assert main(["knowledge", "add", "coffee-bar", "documents"]) == 0
    assert main(["specialist", "create", "specialist.yaml", "--rules.quote", "always"]) == 0
    capsys.readouterr()
    question = {
        "en": "The display shows E3 and the brewing unit is blocked. What now?",
        "zh": "显示 E3，冲煮单元堵塞怎么办？",
    }
    assert main(["ask", "coffee-bar", question[language], "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)[0]
    assert answer["mode"] == "quoted"
    assert {"en": "rinse it under warm water", "zh": "用温水冲洗"}[language] in answer["text"]


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["init", "coffee-bar", "--folder", str(tmp_path)]) == 2
    assert main(["init", "Coffee Bar", "--folder", str(tmp_path / "new")]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    assert "coffee-machines" in capsys.readouterr().err


@pytest.mark.slow
def test_a_new_trade_runs_from_base_model_to_report(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "coffee-bar"]) == 0
    monkeypatch.chdir(tmp_path / "coffee-bar")
    capsys.readouterr()
    flags = ["--model_name_or_path", str(tiny_model), "--train.num_train_epochs", "1", "--predict.max_new_tokens", "8"]
    assert main(["run", "recipe.yaml", "--json", *flags]) == 0
    done = json.loads(capsys.readouterr().out)
    assert Path(done["report"]).is_file()
    made = done["specialist"]
    assert (made["specialist"], made["version"]) == ("coffee-bar", None if made["outcome"] == "worse" else "v2")
    assert main(["run", "recipe.yaml", "--json", *flags]) == 0
    assert json.loads(capsys.readouterr().out)["steps"][-1] == {
        "step": "specialist", "skipped": True, "seconds": done["steps"][-1]["seconds"], "summary": made,
    }  # fmt: skip
    if made["version"]:
        assert main(["ask", "coffee-bar", "E3?", "--json"]) == 0
        assert json.loads(capsys.readouterr().out)[0]["version"] == "v2"
