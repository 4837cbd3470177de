"""Batched greedy answers are those of one row at a time."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
import torch

from metier.engines import Sampling, slots
from metier.engines.agreement import first_difference
from metier.engines.network import Network
from tests.engines.support import answers, engine, load, one_by_one, prompts

GREEDY = Sampling(temperature=0, max_new_tokens=40)


@cache
def reference(folder: Path, prefix: int) -> list[list[int]]:
    return one_by_one(load(folder), prompts(16, prefix=prefix), GREEDY)


@pytest.mark.parametrize("batch_size", [1, 5, None])
@pytest.mark.parametrize("prefix", [0, 20])
def test_equals_one_by_one_in_fp32(lively: Path, batch_size: int | None, prefix: int) -> None:
    model, asked = load(lively), prompts(16, prefix=prefix)
    expected = reference(lively, prefix)
    assert len({len(answer) for answer in expected}) > 6  # lengths are mixed
    assert answers(engine(lively, model=model), asked, GREEDY, batch_size=batch_size) == expected


@pytest.mark.parametrize("prefix", [0, 20])
def test_repetition_penalty_is_that_of_transformers(lively: Path, prefix: int) -> None:
    model, asked = load(lively), prompts(12, prefix=prefix)
    sampling = GREEDY.model_copy(update={"repetition_penalty": 1.3})
    expected = one_by_one(model, asked, sampling)
    assert expected != one_by_one(model, asked, GREEDY)
    assert answers(engine(lively, model=model), asked, sampling, batch_size=5) == expected


def test_window_of_columns_can_move_often(lively: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "_SLACK", 1)
    assert answers(engine(lively), prompts(16), GREEDY, batch_size=4) == reference(lively, 0)


def test_bf16_differs_only_at_near_ties(lively: Path) -> None:
    model, asked = load(lively, "bfloat16"), prompts(12, prefix=20)
    expected = one_by_one(model, asked, GREEDY)
    found = answers(engine(lively, model=model), asked, GREEDY, batch_size=9)
    network = Network(model)
    differences = [
        first_difference(network, prompt.input_ids, one, other)
        for prompt, one, other in zip(asked, found, expected, strict=True)
    ]
    # bf16 keeps 8 bits; logits here reach about 6, so neighbours are 1/32 apart.
    assert all(difference is None or difference.gap < 0.2 for difference in differences)


def test_a_wrong_token_is_not_called_a_near_tie(lively: Path) -> None:
    model, (prompt, *_) = load(lively), prompts(4)
    right = one_by_one(model, [prompt], GREEDY)[0]
    wrong = [*right[:3], (right[3] + 1) % 250, *right[4:]]
    difference = first_difference(Network(model), prompt.input_ids, right, wrong)
    assert difference is not None
    assert (difference.position, difference.first) == (3, right[3])
    assert difference.gap > 0.2


def _family(name: str, folder: Path) -> Path:
    """A tiny random model of another architecture, with the tiny Llama's tokenizer."""
    from transformers import AutoConfig, AutoModelForCausalLM

    from tests.support.tiny import byte_tokenizer

    sizes = {
        "vocab_size": 259,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "max_position_embeddings": 512,
        "initializer_range": 0.3,
        "eos_token_id": 2,
        "pad_token_id": 0,
        **FAMILIES[name],
    }
    torch.manual_seed(0)
    config = AutoConfig.for_model(name, **sizes)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    byte_tokenizer().save_pretrained(folder)
    return folder


FAMILIES: dict[str, dict[str, object]] = {
    "qwen3": {},
    "mistral": {"sliding_window": 16},
    "gemma3_text": {"sliding_window": 16, "query_pre_attn_scalar": 8},
    "gpt2": {"n_positions": 512, "n_embd": 32, "n_layer": 2, "n_head": 4},
    "qwen3_next": {
        "num_experts": 4,
        "num_experts_per_tok": 2,
        "moe_intermediate_size": 16,
        "shared_expert_intermediate_size": 16,
        "linear_num_key_heads": 2,
        "linear_num_value_heads": 4,
        "linear_key_head_dim": 8,
        "linear_value_head_dim": 8,
    },
}


@pytest.mark.parametrize("name", list(FAMILIES))
def test_other_architectures_agree_too(name: str, tmp_path: Path) -> None:
    folder = _family(name, tmp_path / name)
    model, asked = load(folder), prompts(6, prefix=20, longest=40)
    sampling = Sampling(temperature=0, max_new_tokens=24)
    assert answers(engine(folder, model=model), asked, sampling, batch_size=3) == one_by_one(model, asked, sampling)
