"""Near-equal texts: the exhaustive search misses nothing, the quick one next to nothing."""

from __future__ import annotations

import random

import pytest
from rapidfuzz import fuzz

from metier.prepare import similar
from metier.prepare.similar import near_pairs


def texts(count: int, seed: int, alphabet: str = "abcdefgh ") -> list[str]:
    """Random texts, half of them an earlier one with a few characters changed."""
    chance = random.Random(seed)
    made: list[str] = []
    for _ in range(count):
        if made and chance.random() < 0.5:
            characters = list(chance.choice(made))
            for _ in range(chance.randint(0, 6)):
                characters[chance.randrange(len(characters))] = chance.choice(alphabet)
            made.append("".join(characters))
        else:
            made.append("".join(chance.choices(alphabet, k=chance.randint(5, 80))))
    return made


def plainly(left: list[str], right: list[str] | None, threshold: float) -> set[tuple[int, int]]:
    """The plain double loop that the searches must agree with."""
    second = left if right is None else right
    return {
        (i, j)
        for i, a in enumerate(left)
        for j, b in enumerate(second)
        if (right is not None or i < j) and a and b and fuzz.ratio(a, b) >= 100 * threshold
    }


@pytest.mark.parametrize("threshold", [0.75, 0.9, 1.0])
@pytest.mark.parametrize("block", [7, 512])
def test_exhaustive_search_finds_what_the_plain_loop_finds(
    threshold: float, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similar, "_BLOCK", block)
    left, right = [*texts(60, 1), ""], [*texts(50, 2), *texts(20, 1)]
    for other in (None, right):
        found, method = near_pairs(left, other, threshold)
        assert method == "exhaustive"
        assert {(pair.left, pair.right) for pair in found} == plainly(left, other, threshold)


def test_quick_search_finds_nearly_all_of_a_large_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similar, "EXHAUSTIVE_PAIRS", 0)
    rows = texts(400, 3, "的一是不了在人有我他这中大来上国")
    long_enough = [row for row in rows if len(row) >= 20]
    found, method = near_pairs(long_enough, None, 0.9)
    wanted = plainly(long_enough, None, 0.9)
    assert method == "minhash"
    assert {(pair.left, pair.right) for pair in found} <= wanted
    assert len(found) >= 0.97 * len(wanted) > 20


def test_quick_search_between_two_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similar, "EXHAUSTIVE_PAIRS", 0)
    left = ["the patient has a fever and a stiff neck", "nothing like it at all"]
    found, _ = near_pairs(left, ["another text altogether", "the patient had a fever and a stiff neck"], 0.9)
    assert [(pair.left, pair.right) for pair in found] == [(0, 1)]


def test_empty_lists_and_empty_texts_have_no_pairs() -> None:
    assert near_pairs([], None, 0.9)[0] == []
    assert near_pairs(["", ""], ["", "a"], 0.9)[0] == []


def test_progress_adds_up_to_the_rows() -> None:
    done: list[float] = []
    near_pairs(texts(30, 5), None, 0.9, done.append)
    assert sum(done) == 30
