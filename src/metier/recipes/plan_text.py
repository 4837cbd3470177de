"""A plan as lines that a person reads."""

from __future__ import annotations

from typing import Any

from metier.core.i18n import Language, translate
from metier.recipes.plan import Plan, PredictPlan, TrainPlan, Transfer
from metier.recipes.plan_memory import size_text


def plan_lines(plan: Plan, language: Language) -> list[str]:
    """Model, training, memory, generating, reading and writing, and the verdict with its advice."""

    def say(key: str, **fields: Any) -> str:
        return translate(f"models.plan_{key}", language=language, **fields)

    device = say("gpus" if plan.gpu else "cpu", count=plan.devices, memory=size_text(plan.device_memory_bytes))
    lines = [say("title", model=plan.model, device=device), ""]
    lines += _table(_training(plan.train, say))
    lines += ["", say("memory_title", total=size_text(plan.train.total), available=size_text(plan.device_memory_bytes))]
    lines += _table([(say(f"memory_{name}"), size_text(size)) for name, size in plan.train.memory.items() if size])
    if plan.predict is not None:
        lines += ["", *_generating(plan.predict, say)]
    lines += ["", say("reads"), *_table([_transfer(item, say) for item in plan.reads])]
    lines += ["", say("writes"), *_table([_transfer(item, say) for item in plan.writes])]
    lines += ["", say("fits" if plan.fits else "does_not_fit")]
    return lines + [f"– {text[language]}" for text in plan.advice]


def _training(part: TrainPlan, say: Any) -> list[tuple[str, str]]:
    method = say("lora", rank=part.rank, modules=part.adapted) if part.method == "lora" else say("full")
    share = f"{part.trainable:,} / {part.parameters:,} ({100 * part.trainable / part.parameters:.2f} %)"
    layout = [say("sharded" if part.sharded else "replicated") if part.devices > 1 else say("one_device")]
    layout += [say("checkpointing")] if part.checkpointing else []
    rows = say("rows_unknown") if part.rows is None else f"{part.rows:,}"
    if part.rows_from not in ("", "here"):
        rows += " " + say("published", source=part.rows_from)
    steps = say("steps_unknown") if part.steps is None else say("steps_of", steps=f"{part.steps:,}", warmup=part.warmup)
    return [
        (say("method"), method),
        (say("trainable"), share),
        (say("layout"), say("comma").join(layout)),
        (say("micro_batch"), say("tokens", tokens=f"{part.tokens:,}")),
        (say("rows"), rows),
        (say("rows_per_step"), f"{part.rows_per_step:,}"),
        (say("steps"), steps),
    ]


def _generating(part: PredictPlan, say: Any) -> list[str]:
    title = say("predict_title", engine=part.engine, parallel=part.tensor_parallel)
    total = say("predict_memory", total=size_text(part.total), available=size_text(part.budget))
    room = say("predict_room", rows=part.concurrent, length=f"{part.length:,}")
    rows = [(say(f"memory_{name}"), size_text(size)) for name, size in part.memory.items() if size]
    return [say("titled", title=title, text=total), *_table([*rows, (say("concurrent"), room)])]


def _transfer(item: Transfer, say: Any) -> tuple[str, str]:
    parts = [] if item.size is None else [size_text(item.size)]
    return say(f"io_{item.what}"), "  ".join([*parts, item.detail]).strip() or "–"


def _table(rows: list[tuple[str, str]]) -> list[str]:
    """Rows in two columns; a Chinese character is as wide as two letters."""
    width = max((_wide(label) for label, _ in rows), default=0)
    return [f"  {label}{' ' * (width - _wide(label) + 2)}{value}" for label, value in rows]


def _wide(text: str) -> int:
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in text)
