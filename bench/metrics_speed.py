"""Speed of `bleu4` and `rouge1/2/l` on 1,000 Chinese pairs, against LLaMA-Factory's formulas in the same process.

    python bench/metrics_speed.py [--pairs 1000] [--rounds 3]

Pairs: answers of `shared/data/medical/qa_zh.jsonl` (short, about 60 characters) and of `shared/data/metrics/lecoqa`
(longer, about 200), each where present; otherwise sentences made from a small word list. The peer's side is
`jieba.cut`, nltk's `sentence_bleu` (method 3) and `rouge-chinese`, called as `train/sft/metric.py` calls them. Both
sides start with their dictionaries loaded; the peer's and our times alternate, the best of the rounds counts; ours
starts each round with empty caches.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import time
from collections.abc import Callable
from pathlib import Path

import jieba
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from rouge_chinese import Rouge

from metier.evaluate import words as words_module
from metier.evaluate.metrics import overlap

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
Pairs = list[tuple[str, str]]


def peer(predict: str, label: str) -> list[float]:
    """One row as LLaMA-Factory scores it: BLEU-4, ROUGE-1, ROUGE-2, ROUGE-L."""
    hypothesis, reference = list(jieba.cut(predict)), list(jieba.cut(label))
    bleu = sentence_bleu([list(label)], list(predict), smoothing_function=SmoothingFunction().method3)
    f = [0.0, 0.0, 0.0]
    if " ".join(hypothesis).split() and " ".join(reference).split():
        scores = Rouge().get_scores(" ".join(hypothesis), " ".join(reference))[0]
        f = [scores[name]["f"] for name in ("rouge-1", "rouge-2", "rouge-l")]
    return [round(bleu * 100, 4), *(round(value * 100, 4) for value in f)]


def ours(predict: str, label: str) -> list[float]:
    return [
        overlap.bleu4_characters(predict, label),
        *(round(f * 100, 4) for f in overlap.rouge_chinese(predict, label)),
    ]


def clear_caches() -> None:
    for function in (words_module.words, words_module._block_words, words_module._unknown_words):
        function.cache_clear()
    for function in (overlap.rouge_words, overlap._rouge_sets, overlap.rouge_chinese, overlap.bleu4_characters):
        function.cache_clear()


def timed(score: Callable[[str, str], list[float]], pairs: Pairs) -> tuple[float, list[list[float]]]:
    start = time.process_time()
    scores = [score(predict, label) for predict, label in pairs]
    return time.process_time() - start, scores


def medical(count: int, generator: random.Random) -> Pairs:
    lines = (SHARED / "medical" / "qa_zh.jsonl").read_text(encoding="utf-8").splitlines()
    answers = [json.loads(line)["output"] for line in lines]
    generator.shuffle(answers)
    return list(zip(answers[:count], answers[count : 2 * count], strict=True))


def legal(count: int, generator: random.Random) -> Pairs:
    rows = [
        json.loads(line)
        for path in sorted((SHARED / "metrics" / "lecoqa").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return [(row["predict"], row["label"]) for row in generator.sample(rows, count)]


def generated(count: int, generator: random.Random) -> Pairs:
    words = "患者 发热 咳嗽 三天 建议 检查 血常规 ， 。 可能 是 上呼吸道 感染 需要 休息 多饮水 服用 药物 复查"
    parts = words.split()
    return [("".join(generator.choices(parts, k=40)), "".join(generator.choices(parts, k=40))) for _ in range(count)]


def measure(name: str, pairs: Pairs, rounds: int) -> None:
    peer_seconds, our_seconds = [], []
    for _ in range(rounds):
        seconds, expected = timed(peer, pairs)
        peer_seconds.append(seconds)
        clear_caches()
        seconds, found = timed(ours, pairs)
        our_seconds.append(seconds)
    difference = max(
        abs(a - b) for row, other in zip(expected, found, strict=True) for a, b in zip(row, other, strict=True)
    )
    theirs, mine = min(peer_seconds), min(our_seconds)
    characters = sum(len(predict) + len(label) for predict, label in pairs) / len(pairs) / 2
    print(
        f"{name}: {len(pairs)} pairs of {characters:.0f} characters: LLaMA-Factory's formulas "
        f"{1000 * theirs / len(pairs):.2f} ms a pair, ours {1000 * mine / len(pairs):.2f} ms, "
        f"ratio {theirs / mine:.1f}, largest difference {difference:.1e}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    jieba.setLogLevel(logging.CRITICAL)
    jieba.initialize()
    words_module.words("预热")
    sources = [("medical", medical, SHARED / "medical"), ("legal", legal, SHARED / "metrics")]
    present = [(name, make) for name, make, folder in sources if folder.is_dir()] or [("generated", generated)]
    for name, make in present:
        measure(name, make(arguments.pairs, random.Random(0)), arguments.rounds)


if __name__ == "__main__":
    main()
