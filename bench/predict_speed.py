"""Prediction rows a second: the `hf` engine against `transformers` generate in left-padded batches of 8 in file order.

    python bench/predict_speed.py [MODEL_FOLDER] [--rows 64] [--max_new_tokens 128] [--sample]

Both sides run in one process on the same loaded model and the same prompts of mixed length, whose answers end by
themselves (mixed length too). Without a folder, a tiny random model is made. Greedy answers of both are compared.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import torch
from tests.support.tiny import tiny_llama
from transformers import AutoModelForCausalLM, AutoTokenizer

from metier.engines import Sampling
from metier.engines.hf import HFEngine

QUESTIONS = [
    "What is the capital of {place}? Answer with the name only.",
    "Name three things one can see in {place}.",
    "Write a short paragraph about the weather in {place}.",
    "Is {place} in Europe? Answer yes or no.",
    "Explain to a child where {place} lies, and how one gets there by train, ship or aeroplane.",
    "List five dishes that people in {place} like, with one sentence about each.",
]
PLACES = ["France", "Japan", "Egypt", "Peru", "Norway", "Kenya", "Italy", "Canada", "India", "Greece"]
FILLER = "A traveller wrote this in a diary: the morning was clear, the market was full, and the tea was hot. "


def prompts_of(tokenizer: Any, rows: int) -> list[list[int]]:
    """Prompts of mixed length: half are the question alone, some have much to read before it."""
    draw = random.Random(7)
    result = []
    for row in range(rows):
        question = QUESTIONS[row % len(QUESTIONS)].format(place=draw.choice(PLACES))
        text = FILLER * draw.choice([0, 0, 0, 1, 2, 4, 8, 16]) + question
        message = [{"role": "user", "content": text}]
        result.append(tokenizer.apply_chat_template(message, add_generation_prompt=True)["input_ids"])
    draw.shuffle(result)
    return result


def generate_in_batches_of_8(
    model: Any, prompts: list[list[int]], options: dict[str, Any], stop: list[int]
) -> list[list[int]]:
    """What a plain script does."""
    answers = []
    for begin in range(0, len(prompts), 8):
        batch = prompts[begin : begin + 8]
        width = max(map(len, batch))
        ids = torch.tensor([[0] * (width - len(p)) + p for p in batch])
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in batch])
        with torch.inference_mode():
            output = model.generate(input_ids=ids, attention_mask=mask, eos_token_id=stop, pad_token_id=0, **options)
        for row in output[:, width:].tolist():
            end = next((at + 1 for at, token in enumerate(row) if token in stop), len(row))
            answers.append(row[:end])
    return answers


def timed(work: Callable[[], list[list[int]]]) -> tuple[list[list[int]], float]:
    begin = time.perf_counter()
    return work(), time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--max_new_tokens", type=int, default=128)
    parser.add_argument("--batch_size", type=int)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sample", action="store_true", help="temperature 0.1, top_p 0.9, top_k 40, penalty 1.1")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    folder = given.folder or tiny_llama(
        Path(tempfile.mkdtemp()) / "tiny", hidden_size=64, layers=4, tie_word_embeddings=False, initializer_range=0.3
    )
    model = AutoModelForCausalLM.from_pretrained(folder, dtype="float32").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    # A random model never says “end”: let every fiftieth token end an answer, so that lengths are mixed.
    stop = [tokenizer.eos_token_id] if given.folder else list(range(2, len(tokenizer), 50))
    prompts = prompts_of(tokenizer, given.rows)
    renderer = SimpleNamespace(
        stop_ids=stop, pad_id=0, decode=lambda ids: tokenizer.decode(ids, skip_special_tokens=True), eyes=None
    )
    engine = HFEngine(model, renderer)
    sampling = Sampling(temperature=0, max_new_tokens=given.max_new_tokens)
    options: dict[str, Any] = {"do_sample": False, "max_new_tokens": given.max_new_tokens}
    if given.sample:
        sampling = Sampling(max_new_tokens=given.max_new_tokens, repetition_penalty=1.1)
        options.update(do_sample=True, temperature=0.1, top_p=0.9, top_k=40, repetition_penalty=1.1)

    def ours() -> list[list[int]]:
        asked = [SimpleNamespace(text="", input_ids=ids, pictures=()) for ids in prompts]
        answers: dict[int, list[int]] = {}
        for batch in engine.generate(asked, sampling, batch_size=given.batch_size):
            answers.update((index, completion.token_ids) for index, completion in batch)
        return [answers[index] for index in range(len(prompts))]

    generate_in_batches_of_8(model, prompts[:8], {**options, "max_new_tokens": 2}, stop)
    engine_answers, engine_seconds = timed(ours)
    plain_answers, plain_seconds = timed(lambda: generate_in_batches_of_8(model, prompts, options, stop))
    report = {
        "model": given.folder.name if given.folder else "tiny random Llama",
        "rows": given.rows,
        "prompt_tokens": [min(map(len, prompts)), sum(map(len, prompts)) // given.rows, max(map(len, prompts))],
        "answer_tokens": [
            min(map(len, plain_answers)),
            sum(map(len, plain_answers)) // given.rows,
            max(map(len, plain_answers)),
        ],
        "engine_answer_tokens": sum(map(len, engine_answers)),
        "plain_answer_tokens": sum(map(len, plain_answers)),
        "engine_rows_per_second": round(given.rows / engine_seconds, 3),
        "plain_rows_per_second": round(given.rows / plain_seconds, 3),
        "ratio": round(plain_seconds / engine_seconds, 2),
    }
    if not given.sample:
        report["equal_answers"] = sum(a == b for a, b in zip(engine_answers, plain_answers, strict=True))
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
