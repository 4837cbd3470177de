"""One function for all sides' loss on rows that none of them trained on: base model and adapter, plain transformers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

Row = dict[str, str]


def prompt_of(row: Row) -> str:
    """An alpaca row's question, as all three sides join it."""
    return "\n".join(filter(None, (row["instruction"], row["input"])))


def render(tokenizer: Any, row: Row) -> tuple[list[int], int]:
    """Token ids of a row by the model's own chat template, to the answer's end mark; tokens of the prompt."""
    ask = [{"role": "user", "content": prompt_of(row)}]
    prompt = tokenizer.apply_chat_template(ask, add_generation_prompt=True, tokenize=False)
    whole = tokenizer.apply_chat_template([*ask, {"role": "assistant", "content": row["output"]}], tokenize=False)
    start, ids = tokenizer(prompt).input_ids, tokenizer(whole.rstrip("\n")).input_ids
    if ids[: len(start)] != start:
        raise ValueError("the prompt is not the beginning of the whole row")
    return ids, len(start)


def answer_loss(model: Any, rendered: list[tuple[list[int], int]]) -> float:
    """Mean loss over all answer tokens of `rendered`."""
    total, count = 0.0, 0
    with torch.inference_mode():
        for ids, prompt in rendered:
            keep = len(ids) - prompt
            logits = model(input_ids=torch.tensor([ids]), logits_to_keep=keep + 1).logits[0, :-1]
            total += torch.nn.functional.cross_entropy(logits, torch.tensor(ids[prompt:]), reduction="sum").item()
            count += keep
    return total / count


def losses(model_folder: Path, adapters: dict[str, Path], rows_file: Path) -> dict[str, float]:
    """The loss of the base (`base`) and of each adapter."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    rendered = [render(tokenizer, row) for row in json.loads(rows_file.read_text(encoding="utf-8"))]
    base = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32).eval()
    found = {"base": answer_loss(base, rendered)}
    for name, folder in adapters.items():
        adapted = PeftModel.from_pretrained(base, str(folder)).eval()
        found[name] = answer_loss(adapted, rendered)
        base = adapted.unload()
    return found
