"""Corpus scores equal sacrebleu's; their intervals are made from counts."""

import numpy as np
import pytest
import sacrebleu

from metier.evaluate.metrics.corpus import bleu_counts, chrf_counts, combine_bleu, combine_chrf

ANSWERS = ["The cat sat on the mat.", "", "Hello there, general", "患者应多休息，注意饮水。", "x"]
LABELS = ["The cat is on the mat.", "missing", "Hello there General Kenobi", "患者应当休息，多饮水。", "y"]


@pytest.mark.parametrize("tokenizer", ["zh", "13a"])
@pytest.mark.parametrize("rows", [[0], [0, 1, 2], [3], [4], [0, 1, 2, 3, 4]])
def test_bleu_equals_sacrebleu(tokenizer, rows):
    answers, labels = [ANSWERS[at] for at in rows], [LABELS[at] for at in rows]
    counts = np.array([bleu_counts(a, b, tokenizer) for a, b in zip(answers, labels, strict=True)])
    expected = sacrebleu.BLEU(tokenize=tokenizer).corpus_score(answers, [labels]).score
    assert combine_bleu(counts.sum(0, keepdims=True), np.ones(1))[0] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("rows", [[0], [1], [2, 3], [4], [0, 1, 2, 3, 4]])
def test_chrf_equals_sacrebleu(rows):
    answers, labels = [ANSWERS[at] for at in rows], [LABELS[at] for at in rows]
    counts = np.array([chrf_counts(a, b) for a, b in zip(answers, labels, strict=True)])
    expected = sacrebleu.CHRF().corpus_score(answers, [labels]).score
    assert combine_chrf(counts.sum(0, keepdims=True), np.ones(1))[0] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("row", range(len(ANSWERS)))
def test_a_rows_own_bleu_equals_sacrebleus_sentence_score(row):
    counts = np.array([bleu_counts(ANSWERS[row], LABELS[row], "zh")])
    expected = sacrebleu.BLEU(tokenize="zh", effective_order=True).sentence_score(ANSWERS[row], [LABELS[row]]).score
    assert combine_bleu(counts, np.ones(1), effective_order=True)[0] == pytest.approx(expected, abs=1e-9)
