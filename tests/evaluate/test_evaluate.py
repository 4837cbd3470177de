"""The evaluate step."""

import json

import numpy as np
import pytest

from metier.core.errors import ConfigError
from metier.core.events import EventLog
from metier.core.files import read_json, read_jsonl
from metier.evaluate import EvaluateSpec, run_evaluate
from tests.evaluate.support import choice_rows, right_with, write_rows

OPEN = [
    {"predict": "<think>想一想</think>\n建议多休息，多饮水。", "label": "建议休息，多喝水。"},
    {"predict": "需要复查血常规。", "label": "应复查血常规与肝功能。"},
    {"predict": "", "label": "建议手术治疗。"},
]


def evaluate(tmp_path, rows, **options):
    file = write_rows(tmp_path / "p.jsonl", rows)
    run_evaluate(EvaluateSpec(pred_file=file, bootstrap_samples=200, **options), tmp_path / "out", EventLog(None))
    return read_json(tmp_path / "out" / "metrics.json")


def test_open_rows_get_text_metrics_with_intervals_and_definitions(tmp_path):
    found = evaluate(tmp_path, OPEN)
    assert {"bleu4", "rougel", "rougel_answer", "bleu", "chrf", "meteor", "token_f1"} <= set(found["metrics"])
    assert "choice_accuracy" not in found["metrics"]
    for one in found["metrics"].values():
        assert one["low"] <= one["score"] <= one["high"]
        assert one["n"] == 3
        assert one["definition"]["zh"] and one["tokenizer"] and one["version"] and one["scale"] in ("0-1", "0-100")
    assert found["metrics"]["bleu"]["tokenizer"] == "zh"
    assert "tok:zh" in found["metrics"]["bleu"]["version"]


def test_raw_metrics_keep_thinking_and_answer_metrics_do_not(tmp_path):
    found = evaluate(tmp_path, OPEN)["metrics"]
    assert found["bleu4"]["score"] < found["bleu4_answer"]["score"]
    without = [{**row, "predict": row["predict"].rpartition("</think>\n")[2]} for row in OPEN]
    assert evaluate(tmp_path, without)["metrics"]["bleu4"]["score"] == found["bleu4_answer"]["score"]


def test_empty_and_thinking_are_counted_and_empty_scores_zero(tmp_path):
    found = evaluate(tmp_path, OPEN)
    assert found["counts"]["empty"] == 1
    assert found["counts"]["thinking"] == 1
    assert any("1 of 3 answers are empty" in warning["en"] for warning in found["warnings"])
    last = read_jsonl(tmp_path / "out" / "rows.jsonl")[2]
    assert last["empty"] and set(last["scores"].values()) == {0.0}


def test_predict_keys_are_means_of_rounded_rows_over_the_raw_text(tmp_path):
    found = evaluate(tmp_path, OPEN, metrics="chrf")
    rows = evaluate(tmp_path, OPEN, metrics="bleu4")
    values = [row["scores"]["bleu4"] for row in read_jsonl(tmp_path / "out" / "rows.jsonl")]
    assert found["predict_bleu-4"] == rows["predict_bleu-4"] == float(np.mean(values))
    assert all(value == round(value, 4) for value in values)
    assert {"predict_rouge-1", "predict_rouge-2", "predict_rouge-l"} <= set(found)


def test_runtime_keys_beside_the_file_are_passed_on(tmp_path):
    (tmp_path / "done.json").write_text(
        json.dumps({"summary": {"predict_runtime": 2.5, "predict_bleu-4": 1, "rows": 3}})
    )
    found = evaluate(tmp_path, OPEN)
    assert found["predict_runtime"] == 2.5
    assert found["predict_bleu-4"] != 1


def test_choice_rows_are_scored_and_unreadable_counts_as_wrong(tmp_path):
    rows = choice_rows(40, right_with(1.0))
    rows[0]["predict"] = "I cannot tell."
    found = evaluate(tmp_path, rows)
    assert found["metrics"]["choice_accuracy"]["score"] == pytest.approx(39 / 40)
    assert found["counts"]["unreadable"] == 1
    first, second = read_jsonl(tmp_path / "out" / "rows.jsonl")[:2]
    assert first["unreadable"] and first["extracted"] is None
    assert second["extracted"] == second["gold"]


def test_the_output_goes_where_it_was_asked_for(tmp_path):
    found = evaluate(tmp_path, OPEN, output_metrics=tmp_path / "deep" / "scores.json")
    assert read_json(tmp_path / "deep" / "scores.json") == found


@pytest.mark.parametrize("metric", ["bleu_13a", "rouge1_default"])
def test_a_metric_that_cannot_see_chinese_says_so(tmp_path, metric):
    warnings = [warning["en"] for warning in evaluate(tmp_path, OPEN, metrics=metric)["warnings"]]
    assert any(warning.startswith(f"{metric}: its tokenizer") for warning in warnings)
    english = [{"predict": "take more rest", "label": "rest and drink more water"}]
    warnings = evaluate(tmp_path, english, metrics=metric)["warnings"]
    assert not any("tokenizer" in warning["en"] for warning in warnings)


def test_an_unknown_metric_is_refused_with_the_nearest(tmp_path):
    with pytest.raises(ConfigError, match=r"bleu5.*bleu"):
        evaluate(tmp_path, OPEN, metrics="bleu5")


def test_a_metric_asked_for_by_name_scores_rows_of_any_kind(tmp_path):
    assert evaluate(tmp_path, choice_rows(5, right_with(1.0)), metrics="chrf")["metrics"]["chrf"]["n"] == 5


def test_lone_surrogates_and_nul_break_nothing(tmp_path):
    (tmp_path / "p.jsonl").write_text('{"predict": "a\\ud800\\u0000b", "label": "a\\udfffb"}\n', encoding="utf-8")
    spec = EvaluateSpec(pred_file=tmp_path / "p.jsonl", bootstrap_samples=100)
    assert run_evaluate(spec, tmp_path / "out", EventLog(None))["rows"] == 1


def test_a_second_run_gives_the_same_file(tmp_path):
    first = evaluate(tmp_path, OPEN)
    assert evaluate(tmp_path, OPEN) == first
