from __future__ import annotations

import json
from pathlib import Path

import pytest

from metier.core.errors import DataError, RunError
from metier.core.files import folder_lock
from metier.core.specs import Spec
from metier.runs import Step, find_or_create_run, run_step


class CountSpec(Spec):
    to: int = 3


def counting(spec: CountSpec, calls: list[int], **inputs: object) -> Step:
    def run(folder: Path, events) -> dict:  # type: ignore[no-untyped-def]
        calls.append(spec.to)
        (folder / "out.txt").write_text(str(spec.to))
        return {"to": spec.to}

    return Step("count", "count", spec, run, inputs)


def test_the_same_step_is_not_run_twice(tmp_path: Path) -> None:
    calls: list[int] = []
    first = run_step(counting(CountSpec(), calls), tmp_path / "s")
    second = run_step(counting(CountSpec(), calls), tmp_path / "s")
    assert calls == [3]
    assert (first.skipped, second.skipped, second.summary) == (False, True, {"to": 3})


def test_a_changed_input_file_runs_it_again_and_clears_what_lay_there(tmp_path: Path) -> None:
    calls: list[int] = []
    source = tmp_path / "rows"
    source.write_text("a")
    run_step(counting(CountSpec(), calls, rows=source), tmp_path / "s")
    (tmp_path / "s" / "stale.txt").write_text("old")
    source.write_text("b")
    run_step(counting(CountSpec(), calls, rows=source), tmp_path / "s")
    assert calls == [3, 3]
    assert not (tmp_path / "s" / "stale.txt").exists()


def test_an_unfinished_step_keeps_its_half_done_files(tmp_path: Path) -> None:
    seen: list[bool] = []

    def run(folder: Path, events) -> dict:  # type: ignore[no-untyped-def]
        seen.append((folder / "half").exists())
        (folder / "half").write_text("x")
        if len(seen) == 1:
            raise KeyboardInterrupt
        return {}

    step = Step("s", "s", CountSpec(), run)
    with pytest.raises(KeyboardInterrupt):
        run_step(step, tmp_path / "s")
    run_step(step, tmp_path / "s")
    assert seen == [False, True]


def test_a_torn_done_file_does_not_count(tmp_path: Path) -> None:
    calls: list[int] = []
    run_step(counting(CountSpec(), calls), tmp_path / "s")
    done = tmp_path / "s" / "done.json"
    done.write_text(done.read_text()[:20])
    run_step(counting(CountSpec(), calls), tmp_path / "s")
    assert calls == [3, 3]
    assert json.loads(done.read_text())["summary"] == {"to": 3}


def test_a_second_run_in_a_folder_in_use_is_refused_by_its_process(tmp_path: Path) -> None:
    with folder_lock(tmp_path / "s"), pytest.raises(RunError, match="in use by process"):
        run_step(counting(CountSpec(), []), tmp_path / "s")


def test_the_same_recipe_finds_its_run_again(tmp_path: Path) -> None:
    first = find_or_create_run(tmp_path, "medical", {"a": 1})
    again = find_or_create_run(tmp_path, "medical", {"a": 1})
    other = find_or_create_run(tmp_path, "medical", {"a": 2})
    fresh = find_or_create_run(tmp_path, "medical", {"a": 1}, fresh=True)
    assert first == again
    assert len({first.path, other.path, fresh.path}) == 3


def test_another_recipe_in_a_chosen_folder_is_refused_by_the_changed_key(tmp_path: Path) -> None:
    find_or_create_run(tmp_path, "m", {"train": {"learning_rate": 1}}, folder=tmp_path / "r")
    with pytest.raises(RunError, match=r"train\.learning_rate"):
        find_or_create_run(tmp_path, "m", {"train": {"learning_rate": 2}}, folder=tmp_path / "r")


def test_an_input_that_is_not_there_is_named_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"rows\.jsonl: there is no such file"):
        run_step(counting(CountSpec(), [], rows=tmp_path / "rows.jsonl"), tmp_path / "s")
