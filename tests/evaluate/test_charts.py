"""Metrics of answers about charts: numeric, relaxed, FinMME's."""

import json
import random

import numpy as np
import pytest

from metier.core.events import EventLog
from metier.core.files import read_json
from metier.data import load_dataset
from metier.evaluate import METRICS, CompareSpec, EvaluateSpec, run_compare, run_evaluate
from metier.evaluate.metrics import Pair
from tests.evaluate.support import write_rows


def value(metric, given, gold, kind="number", **meta):
    return METRICS.get(metric).measure(Pair(given, gold, kind, gold, meta=meta)).value


def compared(folder, base, tuned):
    """What a comparison of two sides' rows comes to."""
    files = {"base": write_rows(folder / "base.jsonl", base), "tuned": write_rows(folder / "tuned.jsonl", tuned)}
    run_compare(CompareSpec(**files, bootstrap_samples=300), folder / "out", EventLog(None))
    return read_json(folder / "out" / "compare.json")


@pytest.mark.parametrize(
    ("answer", "gold", "kind", "score"),
    [
        ("It is 104.9.", "100", "number", 1.0),
        ("It is 105.1.", "100", "number", 0.0),
        ("2018", "2018", "number", 1.0),
        ("2019", "2018", "number", 0.0),
        ("Answer: brazil.", "Brazil", "exact", 1.0),
        ("Brazil and China", "Brazil", "exact", 0.0),
        ("Answer: B, A", "AB", "choice", 1.0),
        ("Answer: A", "AB", "choice", 0.0),
        ("no idea", "12", "number", 0.0),
    ],
)
def test_relaxed_accuracy(answer, gold, kind, score):
    assert value("relaxed_accuracy", answer, gold, kind) == score


def test_the_published_comparison_takes_bare_texts_only():
    assert value("relaxed_published", "104.9", "100") == 1.0
    assert value("relaxed_published", "It is 104.9.", "100") == 0.0
    assert value("relaxed_published", "5%", "0.05") == 1.0
    assert value("relaxed_published", "1950", "2018") == 1.0


def test_a_number_is_right_within_its_tolerance_else_to_its_last_digit():
    assert value("numeric_accuracy", "12.7", "12.5", tolerance=0.2) == 1.0
    assert value("numeric_accuracy", "12.8", "12.5", tolerance=0.2) == 0.0
    assert value("numeric_accuracy", "12.53", "12.5") == 1.0
    assert value("numeric_accuracy", "12.6", "12.5") == 0.0
    assert value("numeric_accuracy", "3%", "3", unit="个百分点") == 0.0
    assert value("numeric_accuracy", "Beijing", "Beijing") is None


def finmme_rows(count, skill, seed=0):
    """Rows of FinMME's three types in three domains, answered right with probability `skill`."""
    asked, chance = random.Random(5), random.Random(seed)
    rows = []
    for place in range(count):
        kind = ("single_choice", "multiple_choice", "numerical")[place % 3]
        if kind == "numerical":
            gold, meta = str(asked.randint(10, 99)), {"unit": "%", "tolerance": 0.5, "kind": "numerical"}
            wrong = str(int(gold) + 3)
        else:
            gold = asked.choice("ABCD") if kind == "single_choice" else asked.choice(("A,C", "B,D", "D"))
            meta, wrong = {"options": ["a", "b", "c", "d"], "kind": "choice"}, "A,B"
        answer = gold if chance.random() < skill else wrong
        rows.append(
            {
                "id": place,
                "prompt": f"Question {place}",
                "predict": f"Answer: {answer}",
                "label": f"Answer: {gold}",
                "images": [f"{place}.png"],
                "meta": {"answer": gold, "question_type": kind, "knowledge_domain": f"domain {place % 4}"} | meta,
            }
        )
    return rows


def by_the_published_script(rows):
    """FinScore as `calculate_finscore` has it, in plain loops."""
    right = [row["predict"] == row["label"] for row in rows]
    domains = {}
    for row, one in zip(rows, right, strict=True):
        domains.setdefault(row["meta"]["knowledge_domain"], []).append(one)
    several = [
        one
        for row, one in zip(rows, right, strict=True)
        if row["meta"]["question_type"] == "multiple_choice" and len(row["meta"]["answer"]) > 1
    ]
    return np.mean([np.mean(found) for found in domains.values()]) * (1 - np.mean([not one for one in several]))


def test_finscore_is_the_published_one(tmp_path):
    rows = finmme_rows(119, 0.6)
    file = write_rows(tmp_path / "predictions.jsonl", rows)
    run_evaluate(EvaluateSpec(pred_file=file, bootstrap_samples=200), tmp_path / "out", EventLog(None))
    found = read_json(tmp_path / "out" / "metrics.json")["metrics"]
    assert found["finscore"]["score"] == pytest.approx(by_the_published_script(rows), abs=1e-12)
    assert found["finscore"]["low"] < found["finscore"]["score"] < found["finscore"]["high"]
    assert found["finmme_accuracy"]["n"] == 119
    assert found["choice_accuracy"]["n"] + found["numeric_accuracy"]["n"] == 119


def test_finmme_as_published_reads_one_word_and_no_unit():
    numbers = {"question_type": "numerical", "knowledge_domain": "banks", "tolerance": 0.5, "unit": "billion"}
    assert value("finmme_published", "Answer: 12.4bn", "12", **numbers) == 1.0
    assert value("finmme_published", "It is 12.", "12", **numbers) == 0.0
    assert value("finmme_accuracy", "It is 12.", "12", **numbers) == 1.0
    assert value("finmme_accuracy", "12 million", "12", **numbers) == 0.0
    several = {"question_type": "multiple_choice", "knowledge_domain": "banks", "answer": "A,C"}
    assert value("finmme_published", "Answer: A, C", "AC", "choice", **several) == 0.0
    assert value("finmme_accuracy", "Answer: A, C", "AC", "choice", **several) == 1.0


def test_finmme_rows_decide_by_their_own_accuracy(tmp_path):
    found = compared(tmp_path, finmme_rows(150, 0.2), finmme_rows(150, 0.8, seed=1))
    assert found["primary"] == "finmme_accuracy"
    assert found["verdict"]["outcome"] == "better"
    assert found["metrics"]["finscore"]["low"] > 0
    assert found["worst"][0]["images"] and found["worst"][0]["extracted"]["base"]


def test_kinds_are_found_from_the_rows(tmp_path):
    rows = [
        {"predict": "42", "label": "42"},
        {"predict": "x", "label": "China", "images": ["a.png"], "meta": {"answer": "China"}},
        {"predict": "x", "label": "China", "meta": {"answer": "China"}},
        {"predict": "x", "label": "why " * 40, "images": ["a.png"]},
    ]
    file = write_rows(tmp_path / "predictions.jsonl", rows)
    run_evaluate(EvaluateSpec(pred_file=file, bootstrap_samples=100), tmp_path / "out", EventLog(None))
    kinds = [json.loads(line)["kind"] for line in (tmp_path / "out" / "rows.jsonl").read_text().splitlines()]
    assert kinds == ["number", "exact", "open", "open"]


def test_the_right_answers_of_real_charts_are_right_and_a_changed_digit_is_wrong(shared_data):
    rows = [
        json.loads(line)
        for split in ("train", "val")
        for line in (shared_data / f"finance/charts/{split}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    chance = random.Random(3)
    numbers = 0
    for row in rows:
        gold = row["answer"]
        measured = METRICS.get("numeric_accuracy").measure(Pair(gold, gold, "number", gold))
        if measured.value is None:
            assert value("relaxed_accuracy", gold, gold, "exact") == 1.0
            continue
        numbers += 1
        assert measured.value == value("relaxed_accuracy", gold, gold) == 1.0
        places = [place for place, char in enumerate(gold) if char.isdigit()]
        for place in (places[0], chance.choice(places)):
            digit = chance.choice([digit for digit in "123456789" if digit != gold[place]])
            changed = gold[:place] + digit + gold[place + 1 :]
            assert value("numeric_accuracy", changed, gold) == 0.0, (changed, gold)
            if place == places[0]:
                assert value("relaxed_accuracy", changed, gold) == 0.0, (changed, gold)
    assert (len(rows), numbers) == (520, 410)


def chart_rows(count, skill, seed=0):
    """Questions about charts, `kind` saying what is asked, answered right with probability `skill`."""
    chance = random.Random(seed)
    rows = []
    for place in range(count):
        gold = ("30", "yes", "no", "rising")[place % 4]
        meta = {"answer": gold, "kind": ("difference", "comparison", "comparison", "trend")[place % 4]}
        meta["chart_type"] = "pie" if place % 10 == 0 else "bar"
        answer = gold if chance.random() < skill else "I do not know"
        rows.append(
            {"id": place, "row": place + 3, "prompt": f"Q{place}", "predict": answer, "label": gold, "meta": meta}
        )
    return rows


def test_scores_by_kind_of_chart_and_question_have_rows_and_intervals(tmp_path):
    found = compared(tmp_path, chart_rows(80, 0.3), chart_rows(80, 0.9, seed=1))
    assert found["primary"] == found["groups"]["metric"] == "relaxed_accuracy"
    parts = {one["value"]: one for one in found["groups"]["by"]["question_type"]["parts"]}
    assert {name: one["n"] for name, one in parts.items()} == {"comparison": 40, "difference": 20, "trend": 20}
    assert parts["comparison"]["low"] <= parts["comparison"]["difference"] <= parts["comparison"]["high"]
    assert [one["few"] for one in found["groups"]["by"]["chart_type"]["parts"]] == [False, True]
    assert "knowledge_domain" not in found["groups"]["by"]
    assert found["best"][0]["row"] == found["best"][0]["id"] + 3


def yes_or_no(count, said):
    """Questions of which six in ten are to be answered with yes, all answered with `said`."""
    return [
        row | {"predict": said, "label": gold, "meta": {"answer": gold, "kind": "comparison", "chart_type": "bar"}}
        for row in chart_rows(count, 0)
        for gold in ("yes" if row["id"] % 10 < 6 else "no",)
    ]


def test_always_the_commonest_answer_of_its_kind_is_no_improvement(tmp_path):
    found = compared(tmp_path, yes_or_no(80, "I do not know"), yes_or_no(80, "yes"))
    assert found["metrics"]["relaxed_accuracy"]["low"] > 0
    assert found["chance"] == pytest.approx(0.6)
    assert found["verdict"]["outcome"] == "no_improvement"


def test_a_kind_that_gives_its_answer_away_does_not_raise_chance(tmp_path):
    found = compared(tmp_path, chart_rows(160, 0.2), chart_rows(160, 0.9, seed=1))
    # Half of the rows are a comparison (yes or no), the others always 30 or rising: a quarter of all each.
    assert found["chance"] == pytest.approx(0.5 * 0.5 + 0.5 * 0.25)


@pytest.mark.parametrize("name", ["chart_demo_en_test", "chart_sample_en_test", "chart_sample_zh_test"])
def test_the_right_answers_of_the_sample_sets_are_right(name):
    for one in load_dataset(name).conversations:
        gold, kind = one.meta["answer"], "number" if one.meta.get("question_type") == "numerical" else "exact"
        pair = Pair(one.label, one.label, kind, gold, meta=one.meta)
        assert METRICS.get("relaxed_accuracy").measure(pair).value == 1.0, (one.label, gold)
        assert kind != "number" or METRICS.get("numeric_accuracy").measure(pair).value == 1.0, (one.label, gold)
