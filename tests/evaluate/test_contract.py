"""Conventions: every metric is documented, every field labelled, nothing heavy is imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from metier.core.i18n import LANGUAGES, catalogue, has_text
from metier.evaluate import METRICS, CompareSpec, EvaluateSpec, metrics_table
from metier.evaluate.table import metrics_page

DOC = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"


@pytest.mark.parametrize("name", list(METRICS))
def test_a_metric_is_what_its_entry_says(name):
    metric = METRICS.get(name)
    assert metric.name == name
    assert metric.version and metric.tokenizer and metric.smoothing
    assert all(metric.definition()[language] for language in LANGUAGES)
    assert has_text(f"evaluate.metric_name.{name}")


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_has_every_metric(language):
    table = metrics_table(language)
    assert all(f"`{name}`" in table for name in METRICS)


def test_the_page_of_metrics_is_current():
    assert DOC.read_text(encoding="utf-8") == metrics_page(), (
        "write metier.evaluate.table.metrics_page() to docs/metrics.md"
    )


@pytest.mark.parametrize("given", ["bleu4, chrf", ["bleu4", "chrf"], ("bleu4,chrf",)])
def test_metrics_are_named_in_one_text_or_several(given):
    assert EvaluateSpec(metrics=given).metrics == ("bleu4", "chrf")


@pytest.mark.parametrize("spec", [EvaluateSpec, CompareSpec])
def test_every_field_has_label_and_help(spec):
    for field in spec.model_fields:
        for part in ("label", "help"):
            assert has_text(f"evaluate.{spec.__name__}.{field}.{part}")


def test_every_text_is_one_line_in_both_languages():
    for key, texts in catalogue("evaluate").items():
        assert set(texts) == set(LANGUAGES), key
        to_a_model = key in ("judge.system", "judge.asked")  # a prompt has its lines
        assert all(text and (to_a_model or "\n" not in text) for text in texts.values()), key


def test_scoring_loads_no_torch_and_specs_load_no_numpy():
    script = (
        "import sys, metier.evaluate\n"
        "assert 'numpy' not in sys.modules\n"
        "metier.evaluate.run_evaluate, metier.evaluate.run_compare\n"
        "assert not {'torch', 'transformers', 'nltk'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
