"""BLEU-4 and ROUGE equal LLaMA-Factory's formulas, run with nltk and rouge-chinese."""

import json
import logging
import random
from itertools import pairwise

import jieba
import pytest
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu

from metier.evaluate.metrics import overlap
from metier.evaluate.words import words

rouge_chinese = pytest.importorskip("rouge_chinese")
jieba.setLogLevel(logging.CRITICAL)


def llama_factory(predict: str, label: str) -> list[float]:
    hypothesis, reference = list(jieba.cut(predict)), list(jieba.cut(label))
    bleu = sentence_bleu([list(label)], list(predict), smoothing_function=SmoothingFunction().method3)
    rouge = [0.0, 0.0, 0.0]
    if " ".join(hypothesis).split() and " ".join(reference).split():
        scores = rouge_chinese.Rouge().get_scores(" ".join(hypothesis), " ".join(reference))[0]
        rouge = [scores[name]["f"] for name in ("rouge-1", "rouge-2", "rouge-l")]
    return [round(bleu * 100, 4), *(round(value * 100, 4) for value in rouge)]


def ours(predict: str, label: str) -> list[float]:
    rouge = overlap.rouge_chinese(predict, label)
    return [overlap.bleu4_characters(predict, label), *(round(value * 100, 4) for value in rouge)]


@pytest.mark.parametrize(
    ("predict", "label"),
    [
        ("建议多休息，多饮水。", "建议休息，多喝水。"),
        ("", "答案"),
        ("答案", ""),
        ("\n\n", "答案"),
        ("a", "a"),
        ("好", "好的"),
        ("第一。\n\n第二？”好", "第一。第二。"),
        ("等等........然后", "等等......然后"),
        ("完全不同", "abc def"),
        ("的的的的的的", "的"),
    ],
)
def test_rows_equal_llama_factory(predict, label):
    assert ours(predict, label) == llama_factory(predict, label)


def test_random_rows_equal_llama_factory():
    generator = random.Random(0)
    pieces = [*"的了是在我 \n\t.。！？a1%…“”", "......", "\r\n", "检查", "血压"]
    for _ in range(400):
        predict, label = ("".join(generator.choices(pieces, k=generator.randint(0, 25))) for _ in range(2))
        assert ours(predict, label) == llama_factory(predict, label), (predict, label)


def test_real_rows_equal_llama_factory(shared_data):
    lines = (shared_data / "medical" / "qa_zh.jsonl").read_text(encoding="utf-8").splitlines()[:200]
    answers = [json.loads(line)["output"] for line in lines]
    for predict, label in pairwise(answers):
        assert ours(predict, label) == pytest.approx(llama_factory(predict, label), abs=1e-9)


@pytest.mark.parametrize("text", ["建议患者多休息", "好", "", "no match here"])
def test_sentence_bleu_with_method_4_equals_nltk(text):
    label = words("建议患者注意休息并复查")
    expected = sentence_bleu([list(label)], list(words(text)), smoothing_function=SmoothingFunction().method4)
    assert overlap.sentence_bleu(words(text), label, overlap.method4) == pytest.approx(expected, abs=1e-12)
