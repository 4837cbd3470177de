"""Tokens are drawn as transformers would, and each row's draws are its own."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from transformers.generation.logits_process import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from metier.engines import Sampling
from metier.engines.choosing import choose, uniform
from tests.engines.support import answers, engine, prompts


def test_rows_do_not_depend_on_batches_or_on_their_neighbours(lively: Path) -> None:
    model, asked = engine(lively), prompts(12)
    sampling = Sampling(temperature=1.0, max_new_tokens=20, repetition_penalty=1.1)
    together = answers(model, asked, sampling)
    assert answers(model, asked, sampling, batch_size=3) == together
    assert answers(model, asked[7:], sampling, seeds=[42 + i for i in range(7, 12)]) == together[7:]
    assert answers(model, asked, sampling.model_copy(update={"seed": 43})) != together


@pytest.mark.parametrize(("top_k", "top_p"), [(5, 1.0), (0, 0.7), (12, 0.8), (-1, 1.0)])
def test_draws_follow_the_distribution_of_transformers(top_k: int, top_p: float) -> None:
    torch.manual_seed(0)
    logits, count = torch.randn(1, 30) * 2, 4000
    expected = TemperatureLogitsWarper(0.7)(None, logits)
    if top_k > 0:
        expected = TopKLogitsWarper(top_k)(None, expected)
    if top_p < 1:
        expected = TopPLogitsWarper(top_p)(None, expected)
    probabilities = expected.softmax(-1)[0]
    sampling = Sampling(temperature=0.7, top_k=top_k, top_p=top_p)
    drawn = choose(logits.expand(count, -1), sampling, [uniform(7, step) for step in range(count)])
    frequencies = torch.bincount(drawn, minlength=30) / count
    assert (frequencies[probabilities == 0] == 0).all()
    assert (frequencies - probabilities).abs().max() < 0.03


def test_nearly_equal_candidates_that_change_places_keep_their_draws() -> None:
    sampling = Sampling(temperature=1.0, top_k=2, top_p=1.0)
    one, other = torch.tensor([[1.0, 1.000001, -9.0]]), torch.tensor([[1.000001, 1.0, -9.0]])
    draws = [uniform(1, step) for step in range(50)]
    assert [int(choose(one, sampling, [d])) for d in draws] == [int(choose(other, sampling, [d])) for d in draws]


def test_uniform_numbers_are_even_and_differ_by_seed_and_step() -> None:
    numbers = [uniform(seed, step) for seed in range(40) for step in range(100)]
    assert len(set(numbers)) == 4000
    tenths = Counter(int(number * 10) for number in numbers)
    assert set(tenths) == set(range(10))
    assert all(300 < count < 500 for count in tenths.values())


@pytest.mark.parametrize("values", [{"temperature": -1}, {"top_p": 0}, {"max_new_tokens": 0}, {"stop": ("",)}])
def test_impossible_values_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Sampling(**values)  # type: ignore[arg-type]
