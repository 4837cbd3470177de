"""LeCoQA's published table: ten systems to four decimals."""

import json

import pytest

from metier.core.events import EventLog
from metier.evaluate import EvaluateSpec, run_evaluate

SYSTEMS = [
    "bc13B-direct", "bc13B-RAG", "qwen7B-ins-direct", "qwen7B-ins-RAG", "qwen7B-ins-finetune", "qwen14B-direct",
    "qwen14B-RAG", "qwen7B-finetune", "gpt-direct", "gpt-fewshot-evi",
]  # fmt: skip


@pytest.mark.parametrize("system", SYSTEMS)
def test_system_scores_as_published(system, shared_data, tmp_path):
    folder = shared_data / "metrics" / "lecoqa"
    published = json.loads((folder / "published.json").read_text(encoding="utf-8"))[system]
    spec = EvaluateSpec(pred_file=folder / f"{system}.jsonl", metrics="bleu_sentence,meteor", bootstrap_samples=100)
    scores = run_evaluate(spec, tmp_path, EventLog(None))["metrics"]
    assert round(scores["meteor"]["score"], 4) == published["meteor"]
    assert round(scores["bleu_sentence"]["score"], 4) == published["bleu_sentence_jieba_method4"]
