"""Intervals hold what they promise, and nothing is claimed from nothing."""

import numpy as np
import pytest

from metier.evaluate.bootstrap import Settings, interval, newcombe, paired_interval, wilson
from metier.evaluate.metrics import METRICS

SHARE, TEXT, CORPUS = METRICS.get("choice_accuracy"), METRICS.get("token_f1"), METRICS.get("bleu")
FAST = Settings(samples=400)


def column(values):
    return np.array(values, dtype=np.float64)[:, None]


def test_wilson_and_newcombe_give_the_published_examples():
    assert wilson(81 / 263, 263, 1.959964) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    # Newcombe 1998, table II, example with cells 36, 12, 2, 0.
    base = np.array([1] * 36 + [0] * 12 + [1] * 2)
    tuned = np.array([1] * 36 + [1] * 12 + [0] * 2)
    assert newcombe(base, tuned, 1.959964) == pytest.approx((0.0569, 0.3404), abs=1e-3)


def test_intervals_cover_the_truth_about_as_often_as_promised():
    generator = np.random.default_rng(0)
    hits = 0
    for trial in range(200):
        rows = column(generator.random(80) < 0.4)
        found = interval(rows, SHARE, Settings(400, 0.95, trial))
        hits += found.low <= 0.4 <= found.high
    assert 0.89 <= hits / 200 <= 0.99


def test_same_seed_same_interval():
    rows = column(np.random.default_rng(1).random(50))
    assert interval(rows, TEXT, FAST) == interval(rows, TEXT, FAST)
    assert interval(rows, TEXT, FAST) != interval(rows, TEXT, Settings(400, 0.95, 5))


def test_all_right_is_not_certainly_perfect():
    found = interval(column([1] * 40), SHARE, FAST)
    assert (found.score, found.high, found.method) == (1.0, pytest.approx(1.0), "wilson")
    assert found.low < 0.95


def test_one_row_says_nothing():
    found = interval(column([0.7]), TEXT, FAST)
    assert (found.low, found.high, found.method) == (0.0, 1.0, "none")


def test_five_pairs_decide_nothing_six_equal_gains_are_still_wide():
    assert paired_interval(column([0] * 5), column([1] * 5), SHARE, FAST).low == -1.0
    found = paired_interval(column([0] * 8), column([1] * 8), SHARE, FAST)
    assert found.method == "newcombe"
    assert 0 < found.low < 0.7


def test_equal_answers_have_no_difference():
    rows = column(np.random.default_rng(2).random(60))
    found = paired_interval(rows, rows, TEXT, FAST)
    assert (found.score, found.low, found.high) == (0.0, 0.0, 0.0)


def test_pairing_narrows_the_interval():
    generator = np.random.default_rng(3)
    base = generator.random(200)
    tuned = base + 0.02 + 0.01 * generator.standard_normal(200)
    found = paired_interval(column(base), column(tuned), TEXT, FAST)
    alone = interval(column(tuned), TEXT, FAST)
    assert found.low > 0
    assert found.high - found.low < (alone.high - alone.low) / 5


def test_corpus_scores_are_recomputed_from_counts_not_averaged():
    counts = np.array([[10, 10, 10, 9, 8, 7, 10, 9, 8, 7], [10, 10, 1, 0, 0, 0, 10, 9, 8, 7]] * 20, dtype=np.float64)
    found = interval(counts, CORPUS, FAST)
    assert found.score == pytest.approx(51.2057, abs=1e-3)
    assert found.low < found.score < found.high


def test_blocks_of_samples_give_the_same_draws(monkeypatch):
    from metier.evaluate import bootstrap

    rows = column(np.random.default_rng(4).random(30))
    whole = interval(rows, TEXT, FAST)
    bootstrap._kept_draws.cache_clear()
    monkeypatch.setattr(bootstrap, "_CELLS", 30 * 17)
    pieces = interval(rows, TEXT, FAST)
    bootstrap._kept_draws.cache_clear()
    assert pieces.low == pytest.approx(whole.low, abs=1e-12)
