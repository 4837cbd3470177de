"""Renderers of real chat templates over a byte tokenizer that has the family's own special tokens."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from metier.data.messages import Conversation, Message, message
from metier.rendering import Example, Renderer, make_renderer
from metier.rendering.renderer import NO_LOSS

TEMPLATES = Path(__file__).parent / "templates"

# bos, eos, and the other tokens of each family, as in its tokenizer_config.json
TOKENS: dict[str, tuple[str | None, str, list[str]]] = {
    "llama3_1": (
        "<|begin_of_text|>",
        "<|eot_id|>",
        ["<|start_header_id|>", "<|end_header_id|>", "<|end_of_text|>", "<|eom_id|>"],
    ),
    "qwen3": (None, "<|im_end|>", ["<|im_start|>", "<|endoftext|>", "<think>", "</think>"]),
    "gemma2": ("<bos>", "<eos>", ["<start_of_turn>", "<end_of_turn>", "<pad>"]),
    "gemma3": ("<bos>", "<eos>", ["<start_of_turn>", "<end_of_turn>", "<start_of_image>"]),
    "deepseek_r1_distill": (
        "<｜begin▁of▁sentence｜>",
        "<｜end▁of▁sentence｜>",
        ["<｜User｜>", "<｜Assistant｜>", "<think>", "</think>"],
    ),
    "smollm2": ("<|im_start|>", "<|im_end|>", ["<|endoftext|>"]),
}
FAMILIES = tuple(TOKENS)
VISIBLE = {"<think>", "</think>", "<｜User｜>", "<｜Assistant｜>"}  # added, but not special: decoding keeps them


@cache
def tokenizer(bos: str | None, eos: str, others: tuple[str, ...]) -> Any:
    """One token a byte, the given special tokens, nothing added by itself."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    names = list(dict.fromkeys([name for name in (bos, eos, *others) if name]))
    vocabulary = {name: index for index, name in enumerate([*names, *sorted(pre_tokenizers.ByteLevel.alphabet())])}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(name, normalized=False) for name in names if name not in VISIBLE])
    backend.add_tokens([AddedToken(name, normalized=False) for name in names if name in VISIBLE])
    return PreTrainedTokenizerFast(tokenizer_object=backend, bos_token=bos, eos_token=eos)


@cache
def family(name: str) -> Renderer:
    """The renderer of a real template."""
    bos, eos, others = TOKENS[name]
    return renderer_of((TEMPLATES / f"{name}.jinja").read_text(encoding="utf-8"), bos, eos, tuple(others))


def renderer_of(
    template: str, bos: str | None = None, eos: str = "<|im_end|>", others: tuple[str, ...] = ("<|im_start|>",)
) -> Renderer:
    """A renderer for any template; ChatML's tokens unless others are named."""
    from copy import copy

    known = copy(tokenizer(bos, eos, others))
    known.chat_template = template
    return make_renderer(known)


def talk(*texts: str, system: str | None = None, row: int = 1) -> Conversation:
    """user, assistant, user, assistant, …"""
    turns: list[Message] = [message("system", system)] if system is not None else []
    turns += [message("assistant" if i % 2 else "user", text) for i, text in enumerate(texts)]
    return Conversation(row, tuple(turns))


def shown(renderer: Renderer, example: Example) -> str:
    """An example as text, what has loss between ⟦ and ⟧."""
    return "".join(f"⟦{one.text}⟧" if one.loss else one.text for one in renderer.segments(example))


def learnt(example: Example) -> list[int]:
    return [label for label in example.labels if label != NO_LOSS]
