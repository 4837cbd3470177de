"""The sentence metrics of `overlap` as registered: raw text as LLaMA-Factory scores it, and without thinking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from metier.evaluate.metrics.definition import ALL_KINDS, Measure, Metric, Pair
from metier.evaluate.metrics.overlap import bleu4_characters, method4, rouge_chinese, sentence_bleu
from metier.evaluate.words import words, words_version


def _value(value: float) -> Measure:
    return Measure(value, (value,))


def _rouge(place: int) -> Callable[[Pair], Measure]:
    return lambda pair: _value(round(rouge_chinese(pair.answer, pair.label)[place] * 100, 4))


BLEU4 = Metric(
    name="bleu4",
    version="1 (LLaMA-Factory 0.9)",
    level="sentence-mean",
    maximum=100.0,
    tokenizer="characters",
    smoothing="nltk method 3 (NIST geometric)",
    reads="raw",
    kinds=ALL_KINDS,
    measure=lambda pair: _value(bleu4_characters(pair.answer, pair.label)),
)
ROUGE1 = replace(
    BLEU4,
    name="rouge1",
    version="1 (LLaMA-Factory 0.9, rouge-chinese 1.0.3)",
    tokenizer=words_version(),
    smoothing="none",
    measure=_rouge(0),
)
ROUGE2 = replace(ROUGE1, name="rouge2", measure=_rouge(1))
ROUGEL = replace(ROUGE1, name="rougel", measure=_rouge(2))

BLEU4_ANSWER = replace(BLEU4, name="bleu4_answer", reads="answer")
ROUGE1_ANSWER = replace(ROUGE1, name="rouge1_answer", reads="answer")
ROUGE2_ANSWER = replace(ROUGE2, name="rouge2_answer", reads="answer")
ROUGEL_ANSWER = replace(ROUGEL, name="rougel_answer", reads="answer")

BLEU_SENTENCE = Metric(
    name="bleu_sentence",
    version="1 (as published for LeCoQA)",
    level="sentence-mean",
    maximum=1.0,
    tokenizer=words_version(),
    smoothing="nltk method 4 (Chen and Cherry, k 5)",
    reads="answer",
    kinds=frozenset(("open",)),
    measure=lambda pair: _value(sentence_bleu(words(pair.answer), words(pair.label), method4)),
)
