"""How a chart looks. Styles come in families: what the seedling saw, what a tuning set shows, what is held out."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

Family = Literal["seedling", "tuning", "held-out"]
Rgb = tuple[int, int, int]

# Three shades of each colour, so that a family can be kept out of another.
_SHADES: dict[Family, dict[str, list[Rgb]]] = {
    "seedling": {
        "blue": [(31, 119, 180), (60, 110, 200)],
        "orange": [(255, 127, 14), (240, 140, 40)],
        "green": [(44, 160, 44), (60, 150, 80)],
        "red": [(214, 39, 40), (200, 50, 60)],
        "purple": [(148, 103, 189), (130, 80, 190)],
        "grey": [(127, 127, 127), (150, 150, 150)],
    },
    "tuning": {
        "blue": [(66, 133, 244), (20, 80, 160)],
        "orange": [(251, 150, 30), (230, 110, 20)],
        "green": [(52, 168, 83), (20, 130, 70)],
        "red": [(234, 67, 53), (170, 30, 40)],
        "purple": [(156, 90, 210), (110, 60, 160)],
        "grey": [(140, 145, 150), (110, 115, 120)],
    },
    "held-out": {
        "blue": [(0, 100, 210), (90, 150, 230)],
        "orange": [(255, 150, 60), (245, 120, 0)],
        "green": [(0, 150, 90), (100, 180, 90)],
        "red": [(220, 60, 80), (190, 20, 20)],
        "purple": [(140, 70, 170), (170, 120, 220)],
        "grey": [(120, 120, 130), (160, 160, 155)],
    },
}
# Paper and ink.
_PAPERS: dict[Family, list[tuple[Rgb, Rgb]]] = {
    "seedling": [((255, 255, 255), (40, 40, 40)), ((250, 250, 245), (60, 60, 60)), ((240, 244, 248), (30, 40, 60))],
    "tuning": [((255, 252, 240), (70, 50, 30)), ((235, 240, 235), (20, 60, 40)), ((36, 40, 48), (225, 228, 232))],
    "held-out": [((245, 238, 248), (60, 40, 80)), ((22, 30, 46), (210, 220, 235)), ((255, 255, 255), (0, 0, 0))],
}


@dataclass(frozen=True, slots=True)
class Style:
    """Looks of one chart. noise: share of pixels that are speckled; bar_share: of a slot that its bar fills."""

    paper: Rgb
    ink: Rgb
    shades: dict[str, Rgb]
    grid: bool
    bar_share: float
    line_width: int
    marker: Literal["none", "dot", "square", "ring"]
    outline: bool
    margin: tuple[int, int, int, int]  # left, top, right, bottom, in pixels of a 224-pixel picture
    noise: float
    values_shown: bool = False


def draw_style(family: Family, chance: random.Random) -> Style:
    """A style of a family by chance."""
    paper, ink = chance.choice(_PAPERS[family])
    shades = {colour: chance.choice(options) for colour, options in _SHADES[family].items()}
    plain = family == "seedling"
    return Style(
        paper=paper,
        ink=ink,
        shades=shades,
        grid=chance.random() < (0.4 if plain else 0.7),
        bar_share=chance.uniform(0.5, 0.8) if plain else chance.uniform(0.35, 0.9),
        line_width=chance.choice((3, 4, 5) if plain else (2, 4, 6)),
        marker=chance.choice(("none", "dot") if plain else ("square", "ring", "none")),
        outline=chance.random() < (0.2 if plain else 0.5),
        margin=(
            chance.randint(24, 30),
            chance.randint(22, 30),
            chance.randint(6, 14),
            chance.randint(20, 28),
        ),
        noise=chance.choice((0.0, 0.0, 0.01)) if plain else chance.choice((0.0, 0.01, 0.02)),
    )
