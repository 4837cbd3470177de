"""The registry of metrics: each a name, a version, and everything a reader must know to repeat the score."""

from metier.core.registry import Registry
from metier.evaluate.metrics.definition import Kind, Measure, Metric, Pair

_HERE = "metier.evaluate.metrics"
METRICS: Registry[Metric] = Registry(
    "metric",
    {
        "choice_accuracy": f"{_HERE}.short:CHOICE_ACCURACY",
        "relaxed_accuracy": f"{_HERE}.charts:RELAXED_ACCURACY",
        "numeric_accuracy": f"{_HERE}.charts:NUMERIC_ACCURACY",
        "finmme_accuracy": f"{_HERE}.finmme:FINMME_ACCURACY",
        "finscore": f"{_HERE}.finmme:FINSCORE",
        "contains": f"{_HERE}.short:CONTAINS",
        "exact_match": f"{_HERE}.short:EXACT_MATCH",
        "correct": f"{_HERE}.short:CORRECT",
        "token_f1": f"{_HERE}.short:TOKEN_F1",
        "bleu4": f"{_HERE}.sentences:BLEU4",
        "rouge1": f"{_HERE}.sentences:ROUGE1",
        "rouge2": f"{_HERE}.sentences:ROUGE2",
        "rougel": f"{_HERE}.sentences:ROUGEL",
        "bleu4_answer": f"{_HERE}.sentences:BLEU4_ANSWER",
        "rouge1_answer": f"{_HERE}.sentences:ROUGE1_ANSWER",
        "rouge2_answer": f"{_HERE}.sentences:ROUGE2_ANSWER",
        "rougel_answer": f"{_HERE}.sentences:ROUGEL_ANSWER",
        "bleu": f"{_HERE}.corpus:BLEU",
        "bleu_zh": f"{_HERE}.corpus:BLEU_ZH",
        "bleu_13a": f"{_HERE}.corpus:BLEU_13A",
        "chrf": f"{_HERE}.corpus:CHRF",
        "bleu_sentence": f"{_HERE}.sentences:BLEU_SENTENCE",
        "meteor": f"{_HERE}.meteor:METEOR",
        "relaxed_published": f"{_HERE}.charts:RELAXED_PUBLISHED",
        "finmme_published": f"{_HERE}.finmme:FINMME_PUBLISHED",
        "finscore_published": f"{_HERE}.finmme:FINSCORE_PUBLISHED",
        "rouge1_default": f"{_HERE}.rouge_default:ROUGE1_DEFAULT",
        "rouge2_default": f"{_HERE}.rouge_default:ROUGE2_DEFAULT",
        "rougel_default": f"{_HERE}.rouge_default:ROUGEL_DEFAULT",
    },
)

__all__ = ["METRICS", "Kind", "Measure", "Metric", "Pair"]
