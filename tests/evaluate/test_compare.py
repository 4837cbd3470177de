"""The compare step and its verdict."""

import random

import pytest

from metier.core.errors import ConfigError, DataError
from metier.core.events import EventLog
from metier.core.files import read_json, write_json
from metier.evaluate import CompareSpec, EvaluateSpec, run_compare, run_evaluate
from tests.evaluate.support import LETTERS, choice_rows, right_with, write_rows


def compare(tmp_path, base, tuned, **options):
    spec = CompareSpec(
        base=write_rows(tmp_path / "base.jsonl", base),
        tuned=write_rows(tmp_path / "tuned.jsonl", tuned),
        **{"bootstrap_samples": 500, "metrics": "choice_accuracy", **options},
    )
    summary = run_compare(spec, tmp_path / "out", EventLog(None))
    found = read_json(tmp_path / "out" / "compare.json")
    assert found["verdict"]["outcome"] == summary["outcome"]
    return found


def guarded(tmp_path, before, after, count=60):
    return {
        "guard_base": write_rows(tmp_path / "gb.jsonl", choice_rows(count, right_with(before), seed=5)),
        "guard_tuned": write_rows(tmp_path / "gt.jsonl", choice_rows(count, right_with(after), seed=6)),
    }


def english(found):
    return " ".join(sentence["en"] for sentence in found["verdict"]["sentences"])


def cautions(found):
    return " ".join(caution["en"] for caution in found["cautions"])


def test_a_clear_gain_is_better(tmp_path):
    found = compare(tmp_path, choice_rows(120, right_with(0.1)), choice_rows(120, right_with(0.8), seed=1))
    entry = found["metrics"]["choice_accuracy"]
    assert found["verdict"]["outcome"] == "better"
    assert 0 < entry["low"] < entry["difference"] < entry["high"]
    assert entry["wins"] + entry["ties"] + entry["losses"] == entry["n"] == 120
    assert english(found).startswith("Better: choice accuracy rose from")
    assert all(sentence["zh"] and "{" not in sentence["zh"] for sentence in found["verdict"]["sentences"])


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_model_trained_on_shuffled_labels_is_no_improvement(tmp_path, seed):
    guessing = [choice_rows(100, right_with(0.0), seed=seed), choice_rows(100, right_with(0.0), seed=seed + 50)]
    found = compare(tmp_path, *guessing)
    assert found["verdict"]["outcome"] == "no_improvement"
    assert english(found).startswith("No improvement")


def test_learning_only_the_form_of_answers_is_no_improvement(tmp_path):
    silent = choice_rows(200, lambda gold, generator: "I am not sure.")
    found = compare(tmp_path, silent, choice_rows(200, right_with(0.0), seed=3))
    assert found["metrics"]["choice_accuracy"]["low"] > 0
    assert found["verdict"]["outcome"] == "no_improvement"
    assert "Blind guessing would reach 20.0%" in english(found)
    assert "No option or number could be read in 200 (base)" in cautions(found)


def open_rows(answer, count=80):
    generator = random.Random(0)
    facts = ["rest", "surgery", "insulin", "aspirin", "water", "iron", "oxygen", "heparin"]
    rows = []
    for place in range(count):
        fact = " and ".join(generator.sample(facts, 3))
        label = f"The first treatment of case {place % 7} is {fact}."
        rows.append({"prompt": f"q{place}", "label": label, "predict": answer(label, generator)})
    return rows


@pytest.mark.parametrize("shift", [22, 33, 40])
def test_learning_only_the_style_of_texts_is_no_improvement(tmp_path, shift):
    base = open_rows(lambda label, generator: "See a doctor soon")
    others = [row["label"] for row in base]
    tuned = [{**row, "predict": others[(at + shift) % len(others)]} for at, row in enumerate(base)]
    found = compare(tmp_path, base, tuned, metrics="auto")
    assert found["primary"] == "rougel_answer"
    assert found["metrics"]["rougel_answer"]["low"] > 0
    assert found["verdict"]["outcome"] == "no_improvement"
    assert "Against the references of other rows" in english(found)


def test_texts_that_say_the_right_thing_are_better(tmp_path):
    base = open_rows(lambda label, generator: "See a doctor soon")
    found = compare(tmp_path, base, [{**row, "predict": row["label"]} for row in base], metrics="auto")
    assert found["verdict"]["outcome"] == "better"
    assert found["control"]["low"] > 0


@pytest.mark.parametrize(
    ("gain", "after", "outcome"),
    [(0.8, 0.9, "better"), (0.8, 0.2, "mixed"), (0.1, 0.2, "worse"), (0.1, 0.9, "no_improvement")],
)
def test_the_guard_turns_the_verdict(tmp_path, gain, after, outcome):
    guard = guarded(tmp_path, 0.9, after)
    found = compare(tmp_path, choice_rows(120, right_with(0.1)), choice_rows(120, right_with(gain), seed=1), **guard)
    assert found["verdict"]["outcome"] == outcome
    assert found["guard_rows"] == 60
    assert ("clear loss of general knowledge" in english(found)) == (after == 0.2)


def test_a_clear_loss_is_worse(tmp_path):
    found = compare(tmp_path, choice_rows(120, right_with(0.9)), choice_rows(120, right_with(0.2), seed=1))
    assert found["verdict"]["outcome"] == "worse"
    assert "fell from" in english(found)


def test_the_same_answers_are_no_improvement(tmp_path):
    rows = choice_rows(30, right_with(0.5))
    found = compare(tmp_path, rows, rows)
    assert found["verdict"]["outcome"] == "no_improvement"
    assert found["worst"] == found["best"] == []
    assert "Both models score the same on every row" in cautions(found)


def test_five_rows_are_too_few(tmp_path):
    found = compare(tmp_path, choice_rows(5, right_with(0.0)), choice_rows(5, right_with(1.0)))
    assert found["verdict"]["outcome"] == "no_improvement"
    assert "5 rows are too few" in english(found)


def test_worst_and_best_rows_stand_side_by_side(tmp_path):
    base, tuned = choice_rows(20, right_with(1.0)), choice_rows(20, right_with(1.0))
    wrong = LETTERS[(LETTERS.index(tuned[3]["meta"]["answer"]) + 1) % 5]
    tuned[3]["predict"] = f"Answer: {wrong}"
    base[8]["predict"] = "no idea"
    found = compare(tmp_path, base, tuned)
    assert [row["id"] for row in found["worst"]] == [3]
    assert [row["id"] for row in found["best"]] == [8]
    worst = found["worst"][0]
    assert worst["extracted"] == {"base": worst["gold"], "tuned": wrong}
    assert worst["scores"]["choice_accuracy"] == {"base": 1.0, "tuned": 0.0}


def test_rows_that_do_not_match_are_refused_by_name(tmp_path):
    base, tuned = choice_rows(6, right_with(1.0)), choice_rows(6, right_with(1.0))
    with pytest.raises(DataError, match="Row 5"):
        compare(tmp_path, base, tuned[:5])
    with pytest.raises(DataError, match="Row 6"):
        compare(tmp_path, base, [*tuned, {**tuned[0], "id": 6}])
    tuned[2] = {**tuned[2], "prompt": "something else"}
    with pytest.raises(DataError, match="Row 2 asks something else"):
        compare(tmp_path, base, tuned)
    tuned[2] = {**base[2], "label": "Answer: X", "prompt_sha256": "x"}
    with pytest.raises(DataError, match="Row 2 has another reference"):
        compare(tmp_path, base, tuned)


def test_prompt_hashes_go_before_prompt_texts(tmp_path):
    base = [{**row, "prompt_sha256": f"a{row['id']}"} for row in choice_rows(6, right_with(1.0))]
    tuned = [{**row, "prompt": "rendered otherwise"} for row in base]
    assert compare(tmp_path, base, tuned)["rows"] == 6
    tuned[4]["prompt_sha256"] = "b"
    with pytest.raises(DataError, match="Row 4"):
        compare(tmp_path, base, tuned)


def test_order_of_rows_does_not_matter(tmp_path):
    base, tuned = choice_rows(40, right_with(0.3)), choice_rows(40, right_with(0.7), seed=1)
    straight = compare(tmp_path, base, tuned)["metrics"]
    assert compare(tmp_path, base, tuned[::-1])["metrics"] == straight


def test_leaks_and_cut_answers_are_stamped(tmp_path):
    prepare = {
        "leaks": [{"train_row": 7, "test_row": 3, "kind": "exact", "score": 1.0}],
        "truncated": {"rows": [4], "answers": [4]},
    }
    write_json(tmp_path / "prepare.json", prepare)
    rows = choice_rows(30, right_with(0.5))
    text = cautions(compare(tmp_path, rows, rows, prepare=tmp_path / "prepare.json"))
    assert "1 rows of the test set also stand in the training set (test ← train: 3 ← 7)" in text
    assert "1 training answers were cut (rows 4)" in text
    assert "Only 30 rows decide" in text
    assert "No leak check" in cautions(compare(tmp_path, rows, rows))


def test_length_change_ceiling_and_several_metrics_are_cautioned(tmp_path):
    long = choice_rows(120, lambda gold, generator: "It fits well. " * 20 + f"Answer: {gold}")
    text = cautions(compare(tmp_path, choice_rows(120, right_with(1.0)), long, metrics="auto"))
    assert "The mean answer went from 16 to" in text
    assert "too easy to tell them apart" in text
    assert "metrics are shown" in text


def test_evaluate_folders_can_be_compared(tmp_path):
    for side, share in (("one", 0.2), ("two", 0.9)):
        file = write_rows(tmp_path / f"{side}.jsonl", choice_rows(60, right_with(share), seed=2))
        run_evaluate(EvaluateSpec(pred_file=file, bootstrap_samples=100), tmp_path / side, EventLog(None))
    spec = CompareSpec(base=tmp_path / "one", tuned=tmp_path / "two", bootstrap_samples=200, metrics="choice_accuracy")
    assert run_compare(spec, tmp_path / "out", EventLog(None))["outcome"] == "better"


def test_an_evaluate_folder_whose_predictions_changed_is_refused(tmp_path):
    file = write_rows(tmp_path / "p.jsonl", choice_rows(10, right_with(0.5)))
    run_evaluate(EvaluateSpec(pred_file=file, bootstrap_samples=100), tmp_path / "one", EventLog(None))
    write_rows(file, choice_rows(9, right_with(0.5)))
    with pytest.raises(DataError, match="sha256 differs"):
        run_compare(CompareSpec(base=tmp_path / "one", tuned=tmp_path / "one"), tmp_path / "out", EventLog(None))


def test_half_a_guard_and_an_unfit_deciding_metric_are_refused(tmp_path):
    rows = choice_rows(10, right_with(0.5))
    with pytest.raises(ConfigError, match="guard_tuned"):
        compare(tmp_path, rows, rows, guard_base=tmp_path / "base.jsonl")
    with pytest.raises(ConfigError, match="chrff"):
        compare(tmp_path, rows, rows, primary="chrff")
    assert compare(tmp_path, rows, rows, primary="chrf")["verdict"]["metric"] == "chrf"
