"""Trains the vision seedling: `python -m tools.make_seedling --out FOLDER [--minutes N] [--seed N]`.

The seedling is a toy: a Llama-3.2-Vision (Mllama) of a few million parameters that learns, from nothing, to read small
charts drawn while it trains. First the vision tower alone learns to measure what it sees, under a head that is thrown
away; then the whole model learns to answer, each picture passing the tower once for several questions. The seed decides
what is drawn and asked; how far it gets is a matter of minutes, so that another machine makes other weights.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, distributed, multiprocessing, nn
from transformers import AutoTokenizer

from tools.charts.chart import COLOURS, Chart, toy_chart
from tools.charts.draw import draw
from tools.charts.styles import draw_style
from tools.charts.toy import SEEDLING_TITLES, Question, levels, seedling_questions
from tools.seedling.files import build_tokenizer, chat_prompt, load, new_model, pixels, save
from tools.seedling.words import repeat_question

KINDS = ("bar", "bar", "line", "line", "stacked", "pie", "candlestick")
PLACES = 6  # labels that a chart may have, and colours
MEASURES = 3 * PLACES  # heights at each label, the lower part or opening price there, and shares by colour
IGNORED = -100
_WEIGHTS = {"type": 0.1, "count": 0.1, "comparison": 2.5}


@dataclass(frozen=True, slots=True)
class Pictures:
    """charts: what they show; pixels: pictures × 3 × size × size; heights: pictures × MEASURES, -1 to 1, or NaN."""

    charts: list[Chart]
    pixels: Tensor
    heights: Tensor


@dataclass(frozen=True, slots=True)
class Asked:
    """Questions about pictures, as many for each. ids, labels, mask: questions × length."""

    questions: list[Question]
    ids: Tensor
    labels: Tensor
    mask: Tensor


class Measuring(nn.Module):
    """The head that is thrown away: a question vector for each label looks over the patches and says a height."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(MEASURES, width) * 0.5)
        self.look = nn.MultiheadAttention(width, 4, batch_first=True)
        self.say = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 1))

    def forward(self, seen: Tensor) -> Tensor:
        queries = self.queries.expand(seen.shape[0], -1, -1)
        return self.say(self.look(queries, seen, seen, need_weights=False)[0]).squeeze(-1)


def draw_chart(chance: random.Random) -> tuple[Chart, Image.Image]:
    chart = toy_chart(chance.choice(KINDS), chance.choice(SEEDLING_TITLES), chance)
    return chart, draw(chart, draw_style("seedling", chance), chance)


class Album:
    """Pictures drawn lately: each step draws a few new ones and looks again at others, as drawing takes time too."""

    def __init__(self, chance: random.Random, room: int) -> None:
        self.chance, self.room = chance, room
        self.drawn: list[tuple[Chart, Any]] = []

    def pictures(self, count: int, new: int) -> Pictures:
        """`count` pictures, of which at least `new` were never looked at."""
        fresh = []
        while len(fresh) < (new if len(self.drawn) >= count else count):
            chart, image = draw_chart(self.chance)
            fresh.append((chart, pixels(image)))
        chosen = fresh + self.chance.sample(self.drawn, count - len(fresh))
        self.drawn = (self.drawn + fresh)[-self.room :] if len(self.drawn) >= self.room else self.drawn + fresh
        charts = [chart for chart, _ in chosen]
        images = torch.from_numpy(np.stack([image for _, image in chosen])).permute(0, 3, 1, 2)
        return Pictures(charts, (images / 127.5 - 1).contiguous(), torch.tensor([measures(c) for c in charts]) / 50 - 1)


def measures(chart: Chart) -> list[float]:
    """What there is to measure in a chart; not a number where it shows no such thing."""
    unknown = math.nan
    if chart.kind == "pie":
        shares = dict(zip(chart.labels, chart.series[0].values, strict=True))
        return [unknown] * (2 * PLACES) + [shares.get(colour, 0.0) for colour in COLOURS]
    if chart.kind == "candlestick":
        parts = [candle.opened for candle in chart.candles]
    else:
        parts = list(chart.series[0].values) if chart.kind == "stacked" else []
    rows = (levels(chart), parts, [])
    return [value for row in rows for value in [*row, *[unknown] * (PLACES - len(row))]]


def ask(tokenizer: Any, charts: Sequence[Chart], each: int, chance: random.Random) -> Asked:
    """`each` questions about each chart, one in twenty-five of them a phrase to repeat."""
    asked = []
    for chart in charts:
        chosen = weighted(list(seedling_questions(chart, chance)), each, chance)
        asked += [repeat_question(chance) if chance.random() < 0.04 else question for question in chosen]
    return Asked(asked, *encoded(tokenizer, asked))


def weighted(options: Sequence[Question], count: int, chance: random.Random) -> list[Question]:
    """Questions by chance: seldom those that every chart answers at a glance, often those that are learnt last."""
    weights = [_WEIGHTS.get(question.kind, 1.0) for question in options]
    return chance.choices(options, weights, k=count)


def encoded(tokenizer: Any, questions: Sequence[Question]) -> tuple[Tensor, Tensor, Tensor]:
    rows = []
    for question in questions:
        prompt = tokenizer(chat_prompt(question.text), add_special_tokens=False)["input_ids"]
        answer = tokenizer(question.answer, add_special_tokens=False)["input_ids"] + [tokenizer.eos_token_id]
        rows.append((prompt, answer))
    length = max(len(prompt) + len(answer) for prompt, answer in rows)
    ids = torch.full((len(rows), length), tokenizer.pad_token_id)
    labels, mask = torch.full_like(ids, IGNORED), torch.zeros_like(ids)
    for row, (prompt, answer) in enumerate(rows):
        end = len(prompt) + len(answer)
        ids[row, :end] = torch.tensor(prompt + answer)
        labels[row, len(prompt) : end] = torch.tensor(answer)
        mask[row, :end] = 1
    return ids, labels, mask


def see(model: Any, batch_pixels: Tensor) -> Tensor:
    """What the vision tower says of pictures: pictures × patches × width of the text model."""
    count = batch_pixels.shape[0]
    ones = torch.ones(count, 1, dtype=torch.long)
    shaped = batch_pixels.view(count, 1, 1, *batch_pixels.shape[1:])
    seen = model.model.vision_model(shaped, ones, ones.view(count, 1, 1)).last_hidden_state
    return model.model.multi_modal_projector(seen).flatten(1, 3)


def measuring_loss(measuring: nn.Module, seen: Tensor, heights: Tensor) -> Tensor:
    known = ~heights.isnan()
    return nn.functional.smooth_l1_loss(measuring(seen).float()[known], heights[known], beta=0.1)


def answering_loss(model: Any, seen: Tensor, asked: Asked, image_id: int) -> tuple[Tensor, list[bool]]:
    """Loss of the answers' tokens, and which answers came out whole (each token after the right ones before it)."""
    each = len(asked.questions) // len(seen)
    looks = (asked.ids == image_id).cumsum(1).clamp(max=1)[:, :, None, None]
    hidden = model.model(
        input_ids=asked.ids,
        attention_mask=asked.mask,
        cross_attention_states=seen.repeat_interleave(each, 0),
        cross_attention_mask=looks,
        use_cache=False,
    ).last_hidden_state
    wanted = asked.labels[:, 1:]
    told = wanted != IGNORED
    logits = model.lm_head(hidden[:, :-1][told]).float()
    right = torch.ones_like(wanted, dtype=torch.bool)
    right[told] = logits.argmax(-1) == wanted[told]
    return nn.functional.cross_entropy(logits, wanted[told]), right.all(1).tolist()


def train(rank: int, options: argparse.Namespace) -> None:
    """The whole training, by the clock: `look` minutes of measuring, then answering until `minutes` are over.

    Each worker draws its own pictures; gradients are averaged after each step, so that all hold the same weights.
    """
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    distributed.init_process_group(
        "gloo", init_method=f"file://{options.meeting}", rank=rank, world_size=options.workers
    )
    chance = random.Random(f"{options.seed}/{rank}")
    tokenizer = AutoTokenizer.from_pretrained(options.resume) if options.resume else build_tokenizer(options.seed)
    model = load(options.resume) if options.resume else new_model(tokenizer)
    measuring = Measuring(model.config.text_config.hidden_size)
    weights = [*model.parameters(), *measuring.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=options.rate, betas=(0.9, 0.98), weight_decay=0.01, fused=True)
    image_id = tokenizer.convert_tokens_to_ids("<|image|>")
    album = Album(chance, options.room)
    begun, step, answering_since, spent = time.monotonic(), 0, 0, 0.0
    told, good = Counter[str](), Counter[str]()
    while spent < options.minutes:
        looking = spent < options.look
        answering_since = step if looking else answering_since
        warm = min(1.0, (step + 1) / 150, 1.0 if looking else (step + 1 - answering_since) / 150)
        fall = 0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * spent / options.minutes))
        for group in optimizer.param_groups:
            group["lr"] = options.rate * warm * fall
        pictures = album.pictures(options.pictures * (2 if looking else 1), options.new)
        with torch.autocast("cpu", torch.bfloat16):
            seen = see(model, pictures.pixels)
            loss = measured = measuring_loss(measuring, seen, pictures.heights)
            if not looking:
                asked = ask(tokenizer, pictures.charts, options.each, chance)
                answered, right = answering_loss(model, seen, asked, image_id)
                loss = answered + measured
                told.update(question.kind for question in asked.questions)
                good.update(question.kind for question, well in zip(asked.questions, right, strict=True) if well)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        spent = averaged(weights, (time.monotonic() - begun) / 60)
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        step += 1
        if rank == 0 and step % options.report == 0:
            kinds = " ".join(f"{kind} {good[kind] / told[kind]:.2f}" for kind in sorted(told))
            line = f"{spent:5.1f} min, step {step}: loss {loss:.3f}, measuring {measured:.4f}; {kinds}"
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
            told.clear()
            good.clear()
        if rank == 0 and step % (5 * options.report) == 0:
            save(model, tokenizer, options.out)
    if rank == 0:
        save(model, tokenizer, options.out)
    distributed.destroy_process_group()


def averaged(weights: Sequence[nn.Parameter], minutes: float) -> float:
    """Averages the gradients of all workers in place; returns their average clock, so that all agree on the time."""
    learning = [item for item in weights if item.grad is not None]
    flat = torch.cat([item.grad.flatten() for item in learning] + [torch.tensor([minutes])])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    start = 0
    for item in learning:
        item.grad.copy_(flat[start : start + item.numel()].view_as(item))
        start += item.numel()
    return float(flat[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=45)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--resume", type=Path, help="the folder of a seedling to go on with; its head is made anew")
    parser.add_argument("--look", type=float, default=12, help="minutes of them in which only the tower learns")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--pictures", type=int, default=24)
    parser.add_argument("--new", type=int, default=8, help="pictures of a step that are drawn for it")
    parser.add_argument("--room", type=int, default=8000, help="pictures kept to be looked at again")
    parser.add_argument("--each", type=int, default=4)
    parser.add_argument("--report", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        options.meeting = Path(folder) / "meeting"
        multiprocessing.spawn(train, (options,), nprocs=options.workers)


if __name__ == "__main__":
    main()
