"""The shuffled-labels control keeps questions and answers, but not which belongs to which."""

from __future__ import annotations

from collections import Counter

from metier.data import load_dataset
from metier.data.samples import shuffled_labels


def test_every_answer_moves_to_another_row_and_none_is_lost() -> None:
    real = load_dataset("medical_demo_en")
    mixed = shuffled_labels(real, 1)
    assert [row.prompt for row in mixed.conversations] == [row.prompt for row in real.conversations]
    assert Counter(row.label for row in mixed.conversations) == Counter(row.label for row in real.conversations)
    same = sum(a.label == b.label for a, b in zip(mixed.conversations, real.conversations, strict=True))
    assert same < len(real) / 20


def test_the_letter_in_meta_moves_with_its_answer() -> None:
    rows = shuffled_labels(load_dataset("medical_demo_en"), 1).conversations
    for row in (row for row in rows if row.meta["kind"] == "choice"):
        assert row.label.endswith(row.meta["answer"])


def test_answers_stay_within_their_kind() -> None:
    real = load_dataset("medical_sample_en", max_samples=200)
    for before, after in zip(real.conversations, shuffled_labels(real, 2).conversations, strict=True):
        assert ("Answer:" in before.label) == ("Answer:" in after.label)


def test_the_same_seed_shuffles_alike_and_another_otherwise() -> None:
    real = load_dataset("medical_demo_en")
    first, again, other = (shuffled_labels(real, seed).conversations for seed in (1, 1, 2))
    assert first == again
    assert first != other
