"""Prediction with pictures, rows a second: the `hf` engine against transformers' generate one by one.

    python bench/vision_predict.py [--data ../shared/data/finance/charts] [--rows 60] [--max_new_tokens 64]

Both sides in one process on the same tiny Llama 3.2 Vision and the same charts, each from the picture's file to the
answer's text, greedy. The answers must be the same. Then the memory of 10,000 pictures looked at in batches of 8, as
training and prediction do, measured after the first hundred batches and at the end.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import psutil
import torch
from support.charts import CHARTS, chart_rows, tiny_model

from metier.data.messages import ImagePart, Message, TextPart
from metier.engines import EngineOptions, Sampling, open_engine
from metier.models import resolve_model
from metier.rendering.eyes import Seen

BAR = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=CHARTS)
    parser.add_argument("--rows", type=int, default=60)
    parser.add_argument("--max_new_tokens", type=int, default=64)
    parser.add_argument("--pictures", type=int, default=10_000, help="looked at for the memory; 0 leaves it out")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    with tempfile.TemporaryDirectory() as folder:
        model = tiny_model(Path(folder) / "model", initializer_range=0.3)
        rows = chart_rows(given.data, "val", given.rows)
        speed(model, rows, given)
        if given.pictures:
            memory(model, rows, given.pictures)


def speed(model: Path, rows: list[dict[str, str]], given: argparse.Namespace) -> None:
    engine = open_engine("hf", resolve_model(str(model)), EngineOptions(dtype="float32", device="cpu"))
    ours, our_seconds = timed(lambda: batched(engine, rows, given.max_new_tokens))
    core = engine._network.core  # the same weights
    stops = list(engine.renderer.stop_ids)
    theirs, their_seconds = timed(lambda: one_by_one(model, core, rows, stops, given.max_new_tokens))
    same = sum(one == other for one, other in zip(ours, theirs, strict=True))
    tokens = sum(map(len, ours)) / len(ours)
    print(
        f"{len(rows)} charts, {tokens:.1f} tokens an answer: {len(rows) / our_seconds:.2f} rows/s, one by one "
        f"{len(rows) / their_seconds:.2f}: {their_seconds / our_seconds:.2f} times (bar {BAR}); "
        f"{same} of {len(rows)} answers the same",
        flush=True,
    )


def batched(engine: Any, rows: list[dict[str, str]], tokens: int) -> list[list[int]]:
    prompts = [
        engine.renderer.prompt([Message("user", (ImagePart(path=row["image"]), TextPart(row["question"])))])
        for row in rows
    ]
    found = {
        index: done.token_ids
        for batch in engine.generate(prompts, Sampling(temperature=0, max_new_tokens=tokens))
        for index, done in batch
    }
    return [found[index] for index in range(len(rows))]


def one_by_one(folder: Path, model: Any, rows: list[dict[str, str]], stops: list[int], tokens: int) -> list[list[int]]:
    """What a plain script does."""
    from PIL import Image
    from transformers import AutoProcessor

    processor = AutoProcessor.from_pretrained(folder)
    answers = []
    for row in rows:
        asked = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": row["question"]}]}]
        text = processor.apply_chat_template(asked, add_generation_prompt=True)
        picture = Image.open(row["image"]).convert("RGB")
        inputs = processor(images=[[picture]], text=[text], add_special_tokens=False, return_tensors="pt")
        with torch.inference_mode():
            output = model.generate(
                **inputs, do_sample=False, max_new_tokens=tokens, eos_token_id=stops, pad_token_id=stops[0]
            )
        answers.append(output[0, inputs["input_ids"].shape[1] :].tolist())
    return answers


def timed(work: Any) -> tuple[list[list[int]], float]:
    begin = time.process_time()
    return work(), time.process_time() - begin


def memory(model: Path, rows: list[dict[str, str]], pictures: int) -> None:
    renderer = open_engine("hf", resolve_model(str(model)), EngineOptions(device="cpu")).renderer
    eyes = renderer.eyes
    assert eyes is not None
    prompts = [
        renderer.prompt([Message("user", (ImagePart(path=row["image"]), TextPart(row["question"])))]) for row in rows
    ]
    process, early = psutil.Process(), 0
    turning = itertools.cycle(prompts)
    for batch in range(pictures // 8):
        seen = [Seen(prompt.input_ids, prompt.pictures) for prompt in itertools.islice(turning, 8)]
        eyes.tensors(seen, max(len(row.input_ids) for row in seen), left=True)
        if batch == min(100, pictures // 16):
            early = process.memory_info().rss
    late = process.memory_info().rss
    print(f"memory after 100 batches {early / 1e6:.0f} MB, after {pictures:,} pictures {late / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
