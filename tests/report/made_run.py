"""A run folder made by hand: what the steps of a medical run leave, with realistic figures."""

from __future__ import annotations

import json
import math
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

CAUTIONS = [
    {
        "en": "Test and training rows come from the same generator; real patients describe themselves otherwise.",
        "zh": "测试数据与训练数据出自同一生成器；真实患者的叙述并非如此。",
    },
    {
        "en": "Choice accuracy counts the letter alone. Whether the reasoning before it is sound was not measured.",
        "zh": "选择题正确率只看选项字母，未衡量其前的推理是否成立。",
    },
    {
        "en": "100 rows were measured. A difference smaller than about 0.09 could not have been seen.",
        "zh": "共测量 100 行；小于约 0.09 的差异无法被发现。",
    },
]
PROMPT = (
    "<|im_start|>system\nYou are a careful assistant.<|im_end|>\n<|im_start|>user\n{question}\n\nA. Iron deficiency\n"
    "B. Hypothyroidism\nC. Asthma\nD. Migraine\nE. Gout<|im_end|>\n<|im_start|>assistant\n"
)
QUESTIONS = (
    "A {age}-year-old gardener wakes at night with a tight chest and a whistling breath that eases outdoors. "
    "Which condition is the most likely?",
    "A {age}-year-old teacher is always cold, has gained weight and speaks more slowly. What fits best?",
    "一位{age}岁的教师近三个月怕冷、体重增加、反应变慢。最可能的诊断是什么？",
    "A {age}-year-old runner is pale, tires quickly and craves ice. Which finding explains it?",
)


def make_run(folder: Path) -> Path:
    """Writes a whole run into `folder` and returns it."""
    rng = random.Random(7)
    _json(folder / "manifest.json", _manifest())
    (folder / "recipe.yaml").write_text("name: medical\ntitle: {en: Medical, zh: 医学}\nseed: 42\n", encoding="utf-8")
    _json(folder / "steps/prepare/prepare.json", _prepare(rng))
    _json(folder / "steps/prepare/preview.json", _preview())
    _train(folder / "steps/train", rng)
    for side in ("base", "tuned"):
        _json(folder / f"steps/evaluate-{side}/metrics.json", _metrics(side))
    _json(folder / "steps/compare/compare.json", _compare(rng))
    for index, (name, seconds) in enumerate(
        [("prepare", 3.2), ("predict-base", 21.4), ("train", 231.7), ("predict-tuned", 14.9), ("compare", 1.8)]
    ):
        ended = datetime(2026, 11, 24, 9, 10 + index, tzinfo=UTC).isoformat()
        _json(
            folder / f"steps/{name}/done.json", {"fingerprint": "f", "ended": ended, "seconds": seconds, "summary": {}}
        )
    return folder


def metric(
    base: float, tuned: float, width: float, rows: tuple[int, int, int], *, proportion: bool = False
) -> dict[str, Any]:
    """One compared metric with intervals of about `width`."""

    def score(value: float) -> dict[str, float]:
        return {"score": value, "low": round(max(0, value - width), 4), "high": round(value + width * 0.9, 4)}

    gain = round(tuned - base, 4)
    return {
        "base": score(base),
        "tuned": score(tuned),
        "difference": gain,
        "low": round(gain - width * 1.1, 4),
        "high": round(gain + width * 1.05, 4),
        "method": "newcombe" if proportion else "bootstrap",
        "proportion": proportion,
        **dict(zip(("wins", "ties", "losses"), rows, strict=True)),
        "n": sum(rows),
    }


def compared_metrics() -> dict[str, Any]:
    """The metrics of the made run."""
    return {
        "bleu4": metric(4.12, 38.67, 4.4, (83, 6, 11)),
        "choice_accuracy": metric(0.19, 0.86, 0.075, (70, 27, 3), proportion=True),
        "rouge1": metric(18.3, 52.94, 3.9, (86, 3, 11)),
        "rouge2": metric(5.21, 36.4, 4.1, (80, 9, 11)),
        "rougel": metric(14.9, 47.11, 3.9, (85, 4, 11)),
        "chrf": metric(22.05, 51.8, 3.1, (88, 1, 11)),
        "token_f1": metric(0.214, 0.603, 0.04, (84, 5, 11)),
        "exact_match": metric(0.0, 0.0, 0.0, (0, 100, 0), proportion=True),
    }


def _manifest() -> dict[str, Any]:
    return {
        "created": "2026-11-24T09:04:11+00:00",
        "command": ["metier", "run", "medical", "--profile", "demo"],
        "python": "3.12.8",
        "versions": {"metier": "0.1.0", "torch": "2.13.0", "transformers": "5.24.0", "peft": "0.21.2"},
        "model": {
            "reference": "smollm2-135m",
            "config_sha256": "8eb740e8bbe4cff95ea7b4588d17a2432deb16e8075bc5828ff7ba9be94d982a",
            "weights_sha256": {"model.safetensors": "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"},
        },
        "datasets": {"train": "2a7c" * 16, "test": "91be" * 16, "guard": "d04f" * 16},
        "seed": 42,
        "hardware": {
            "cpus": 2,
            "cpu_name": "Intel Xeon",
            "memory": 25_769_803_776,
            "cpu_flags": ["avx2", "fma"],
            "gpus": [{"name": "none", "memory": 0}],
        },
        "command_line": "metier run medical --profile demo --train.learning_rate 1e-3",
    }


def _prepare(rng: random.Random) -> dict[str, Any]:
    def counts(mean: float, spread: float, width: int) -> dict[str, Any]:
        lengths = [max(8, round(rng.gauss(mean, spread))) for _ in range(640)]
        top = max(lengths) // width + 1
        bins = [
            [upper * width, sum((upper - 1) * width < one <= upper * width for one in lengths)]
            for upper in range(1, top + 1)
        ]
        return {"total": sum(lengths), "mean": sum(lengths) / 640, "max": max(lengths), "histogram": bins}

    return {
        "dataset": "medical_demo_en",
        "rows": 640,
        "examples": 640,
        "cutoff_len": 192,
        "tokens": counts(112, 24, 8),
        "answer_tokens": counts(44, 9, 4),
        "truncated": {"rows": [17, 233], "answers": []},
        "empty": [],
        "duplicates": [[12, 415], [88, 90]],
        "near_duplicates": [[index, index + 300, 0.93] for index in range(1, 27)],
        "leaks": [],
        "refused": None,
    }


def _preview() -> list[dict[str, Any]]:
    answer = "Step by step: the breath whistles at night and eases outdoors, so the airways are narrow.\n\nAnswer: C"
    head = PROMPT.format(question=QUESTIONS[0].format(age=41))
    return [
        {
            "row": row,
            "text_segments": [{"text": head, "loss": False}, {"text": answer, "loss": True}],
            "cut_at": cut,
            "left_out": "\n\nThank you for asking." if cut else "",
        }
        for row, cut in ((1, None), (2, None), (17, 192))
    ]


def _train(folder: Path, rng: random.Random) -> None:
    start = datetime(2026, 11, 24, 9, 5, tzinfo=UTC)
    events: list[dict[str, Any]] = [{"time": start.isoformat(), "event": "start", "total": 160}]
    for step in range(1, 161):
        loss = 0.42 + 2.1 * math.exp(-step / 22) + rng.gauss(0, 0.07)
        event = {
            "time": (start + timedelta(seconds=1.45 * step)).isoformat(),
            "event": "progress",
            "step": step,
            "total": 160,
            "epoch": step / 160,
            "loss": loss,
            "learning_rate": 1e-3,
            "tokens_per_second": 280 + rng.gauss(0, 9),
            "memory_bytes": 2_400_000_000 + step,
        }
        if step % 20 == 0:
            event["eval_loss"] = 0.5 + 1.8 * math.exp(-step / 24)
        events.append(event)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "events.jsonl").write_text("".join(json.dumps(one) + "\n" for one in events), encoding="utf-8")
    spec = {"learning_rate": 0.001, "lora_rank": 16, "num_train_epochs": 1, "per_device_train_batch_size": 4}
    _json(folder / "spec.json", {"spec": {**spec, "cutoff_len": 192, "packing": True}})


def _metrics(side: str) -> dict[str, Any]:
    described = {
        "tokenizer": "characters",
        "smoothing": "method3",
        "level": "sentence-mean",
        "version": "1",
        "definition": {"en": "What share of the rows was answered right.", "zh": "答对的数据行所占的比例。"},
    }
    metrics = {
        name: {**one[side], **described, "scale": "0-1" if one[side]["high"] <= 1 else "0-100", "n": one["n"]}
        for name, one in compared_metrics().items()
    }
    counts = {"empty": 0, "cut": 12 if side == "base" else 0, "unreadable": 31 if side == "base" else 1, "thinking": 0}
    figures = {"predict_bleu-4": metrics["bleu4"]["score"], "predict_rouge-1": metrics["rouge1"]["score"]}
    return {"rows": 100, "metrics": metrics, "counts": counts, "warnings": [], **figures}


def _compare(rng: random.Random) -> dict[str, Any]:
    def row(number: int, right: bool) -> dict[str, Any]:
        question = QUESTIONS[number % len(QUESTIONS)].format(age=rng.randint(19, 78))
        good = "The night cough and the whistling breath point to narrow airways.\n\nAnswer: C"
        bad = "<think>\nIron, thyroid, airways: hard to tell.\n</think>\n\nIt could be many things, such as A or B."
        value = {"base": 0.0, "tuned": 1.0} if right else {"base": 1.0, "tuned": 0.0}
        return {
            "id": number,
            "row": number + 1,
            "prompt": PROMPT.format(question=question),
            "label": good,
            "base": bad if right else good,
            "tuned": good if right else bad,
            "gold": "C",
            "extracted": {"base": None if right else "C", "tuned": "C" if right else None},
            "scores": {"choice_accuracy": value, "bleu4": {"base": 3.1, "tuned": 61.2}},
        }

    return {
        "metrics": compared_metrics(),
        "guard": {
            "choice_accuracy": metric(0.425, 0.4, 0.11, (9, 60, 11), proportion=True),
            "exact_match": metric(0.3, 0.3, 0.1, (4, 72, 4), proportion=True),
        },
        "worst": [row(number, False) for number in (4, 31, 77)],
        "best": [row(number, True) for number in range(5, 17)],
        "verdict": {
            "outcome": "better",
            "sentences": [
                {
                    "en": "Better: choice accuracy rose from 19.0 % to 86.0 % on the same 100 rows: +67.0 "
                    "(95% interval +58.8 to +74.9), so it is more than chance.",
                    "zh": "有提升：在相同的 100 行上，选择题正确率从 19.0 % 升至 86.0 %：+67.0"
                    "（95% 区间 +58.8 至 +74.9），并非偶然。",
                },
                {
                    "en": "Forgetting: on 80 general questions 42.5 % → 40.0 % (−14.6 to +9.0); no certain loss.",
                    "zh": "遗忘：在 80 道通用问题上 42.5 % → 40.0 %（−14.6 至 +9.0）；未见确定的损失。",
                },
            ],
        },
        "cautions": CAUTIONS,
        "chance": 0.2,
        "interval": {"confidence": 0.95, "samples": 2000, "seed": 42},
    }


def _json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
