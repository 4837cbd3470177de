"""A model that says the same for ever is seen, also where nothing but its numbers moves."""

from __future__ import annotations

from metier.specialists.circles import goes_in_circles


def test_lines_of_which_only_the_numbers_move_are_a_circle() -> None:
    drifting = [f"{number}. {number + 9}:{'00' if number % 2 else '30'}" for number in range(60, 76)]
    assert goes_in_circles("Hours:\n" + "\n".join(drifting))
    assert not goes_in_circles("Hours:\n" + "\n".join(drifting[:6]))
    assert not goes_in_circles("\n".join(f"{number}. {word}" for number, word in enumerate("abcdefghijklmn")))
    assert not goes_in_circles("\n".join(f"{year}: {year - 1980} cases" for year in range(1990, 2010)))
    assert not goes_in_circles("\n".join(f"| {number} | paid |" for number in range(20)))
