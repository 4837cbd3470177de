"""From predictions about pictures to the report: scores by kind, the worst rows with what was asked about."""

import hashlib
import json
import random
import re

import pytest

from metier.core.events import EventLog
from metier.core.files import read_json, write_json
from metier.data import load_dataset
from metier.evaluate import CompareSpec, EvaluateSpec, run_compare, run_evaluate
from metier.report import ReportSpec, run_report

SET = "chart_demo_en_test"
ROWS = 60


def answers(skill, seed):
    """Answers as the predict step leaves them."""
    chance = random.Random(seed)
    rows = []
    for place, one in enumerate(load_dataset(SET, max_samples=ROWS).conversations):
        images = [hashlib.sha256(part.read()).hexdigest() for turn in one.prompt for part in turn.images]
        right = chance.random() < skill
        predict = one.label if right else chance.choice(("I cannot tell.", "7", "maybe"))
        row = {"id": place, "row": one.row, "prompt": one.prompt[-1].text, "predict": predict, "label": one.label}
        rows.append(row | {"images": images, "meta": dict(one.meta)})
    return rows


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    for side, rows in (("base", answers(0.35, 1)), ("tuned", answers(0.8, 2))):
        step = folder / f"steps/predict-{side}"
        step.mkdir(parents=True)
        (step / "predictions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        write_json(step / "spec.json", {"spec": {"dataset": SET, "max_samples": ROWS}})
        spec = EvaluateSpec(pred_file=step, metrics=("relaxed_accuracy", "exact_match"), bootstrap_samples=200)
        run_evaluate(spec, folder / f"steps/evaluate-{side}", EventLog(None))
    steps = {side: folder / f"steps/predict-{side}" for side in ("base", "tuned")}
    spec = CompareSpec(**steps, metrics=("relaxed_accuracy", "exact_match"), bootstrap_samples=200)
    run_compare(spec, folder / "steps/compare", EventLog(None))
    run_report(ReportSpec(run=folder), folder / "steps/report", EventLog(None))
    return folder


def test_the_report_has_scores_by_kind_of_chart_and_question(run):
    report = read_json(run / "report.json")
    names = [division["name"]["en"] for division in report["groups"]["divisions"]]
    assert names == ["Kind of chart", "Kind of question"]
    parts = [part for division in report["groups"]["divisions"] for part in division["parts"]]
    assert sum(part["n"] for part in parts) == 2 * ROWS
    assert all(part["few"] for part in parts if part["n"] < 30)
    html = (run / "report.html").read_text(encoding="utf-8")
    assert 'id="groups"' in html and "折线图" in html and "few rows" in html


def test_the_first_rows_show_the_pictures_they_are_about_and_no_more_than_a_few(run):
    report = read_json(run / "report.json")
    shown = [row["pictures"] for side in ("worst", "best") for row in report["rows"][side]]
    assert sum(len(one["shown"]) for one in shown) == 12
    assert sum(one["left_out"] for one in shown) == len(shown) - 12
    html = (run / "report.html").read_text(encoding="utf-8")
    assert len(re.findall(r'<img src="data:image/(?:png|jpeg);base64,', html)) == 12


def test_a_path_that_predictions_name_is_not_opened(run, tmp_path):
    from metier.report.inputs import read_inputs
    from metier.report.thumbnails import Thumbnails

    thumbnails = Thumbnails(read_inputs(ReportSpec(run=run)))
    secret = tmp_path / "other.png"
    from PIL import Image

    Image.new("RGB", (4, 4)).save(secret)
    assert thumbnails.of({"row": 1, "images": [str(secret)]}) == {"shown": [], "left_out": 1}
    assert thumbnails.of({"row": 99_999, "images": ["x"]}) == {"shown": [], "left_out": 1}
