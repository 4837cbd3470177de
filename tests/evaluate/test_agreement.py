"""Agreement of judges against published figures."""

from __future__ import annotations

import pytest

from metier.evaluate.agreement import krippendorff_alpha, raw_agreement, sign_test


def test_alpha_of_krippendorffs_example() -> None:
    """K. Krippendorff (2011), section C: four observers, twelve units."""
    observers = [
        ["1", "2", "3", "3", "2", "1", "4", "1", "2", "*", "*", "*"],
        ["1", "2", "3", "3", "2", "2", "4", "1", "2", "5", "*", "3"],
        ["*", "3", "3", "3", "2", "3", "4", "2", "2", "5", "1", "*"],
        ["1", "2", "3", "3", "2", "4", "4", "1", "2", "5", "1", "*"],
    ]
    units = [[value for value in unit if value != "*"] for unit in zip(*observers, strict=True)]
    assert krippendorff_alpha(units) == pytest.approx(0.743, abs=5e-4)


def test_agreement_at_its_ends() -> None:
    assert krippendorff_alpha([["a", "a"], ["b", "b"]]) == 1.0
    assert krippendorff_alpha([["a", "b"], ["b", "a"]]) == pytest.approx(-0.5)
    assert krippendorff_alpha([["a"], ["b"]]) is None
    assert raw_agreement([["a", "a", "b"], ["a"]]) == pytest.approx(1 / 3)
    assert raw_agreement([["a"]]) is None


@pytest.mark.parametrize(("wins", "losses", "p"), [(5, 0, 0.0625), (6, 0, 0.03125), (3, 3, 1.0), (9, 1, 0.021484375)])
def test_the_sign_test_is_exact(wins: int, losses: int, p: float) -> None:
    assert sign_test(wins, losses) == pytest.approx(p)
