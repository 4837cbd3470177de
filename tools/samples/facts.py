"""The fact table, the pairs of findings that decide, and which pairs are held out."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import Literal

import yaml

Language = Literal["en", "zh"]
Text = dict[str, str]

FACTS = Path(__file__).parents[2] / "src" / "metier" / "data" / "samples" / "medical_facts.yaml"
HELD_OUT_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Condition:
    key: str
    name: Text
    subject: str
    test: Text
    treatment: Text
    why: Text
    demo: bool


@dataclass(frozen=True, slots=True)
class Finding:
    key: str
    text: Text
    fits: tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """Two findings that only `condition` has both of."""

    condition: str
    first: str
    second: str


@dataclass(frozen=True)
class Table:
    """Conditions and findings. A finding fits two conditions or more, so that one alone never decides."""

    conditions: dict[str, Condition]
    findings: dict[str, Finding]

    @cached_property
    def findings_of(self) -> dict[str, list[str]]:
        return {key: [f.key for f in self.findings.values() if key in f.fits] for key in self.conditions}

    @cached_property
    def pairs(self) -> list[Pair]:
        """Every pair of findings that together fit exactly one condition."""
        found = []
        for condition, findings in self.findings_of.items():
            for first, second in combinations(findings, 2):
                if len(set(self.findings[first].fits) & set(self.findings[second].fits)) == 1:
                    found.append(Pair(condition, first, second))
        return found

    def demo(self) -> Table:
        """The part of the table that the demo uses: its conditions, and the findings that exactly two of them share."""
        conditions = {key: value for key, value in self.conditions.items() if value.demo}
        findings = {}
        for key, finding in self.findings.items():
            fits = tuple(name for name in finding.fits if name in conditions)
            if len(fits) == 2:
                findings[key] = Finding(key, finding.text, fits)
        return Table(conditions, findings)


def read_table(path: Path = FACTS) -> Table:
    """The fact table; ValueError for a finding that fits an unknown condition or fewer than two."""
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    conditions = {
        key: Condition(
            key,
            value["name"],
            value["subject"],
            value["test"],
            value["treatment"],
            value["key"],
            value.get("demo", False),
        )
        for key, value in raw["conditions"].items()
    }
    findings = {
        key: Finding(key, {"en": value["en"], "zh": value["zh"]}, tuple(value["fits"]))
        for key, value in raw["findings"].items()
    }
    for finding in findings.values():
        if len(finding.fits) < 2 or not set(finding.fits) <= set(conditions):
            raise ValueError(f"{path}: finding {finding.key} fits {finding.fits}")
    return Table(conditions, findings)


def held_out_pairs(table: Table, seed: int) -> set[tuple[str, str]]:
    """About a quarter of each condition's pairs, as (first, second), one split for the whole table and its demo part.

    Each finding of a condition keeps at least two pairs of it in training, in both tables: seen, but in other company.
    """
    demo = table.demo()
    held: set[tuple[str, str]] = set()
    for condition in table.conditions:
        views = [[pair for pair in view.pairs if pair.condition == condition] for view in (table, demo)]
        candidates = sorted({*views[0], *views[1]})
        random.Random(f"{seed}/held-out/{condition}").shuffle(candidates)
        quota = round(len(candidates) * HELD_OUT_SHARE)
        for pair in candidates:
            trial = {*held, (pair.first, pair.second)}
            if quota and all(_covered(view, trial) for view in views):
                held = trial
                quota -= 1
    return held


def _covered(pairs: list[Pair], held: set[tuple[str, str]]) -> bool:
    """Whether each finding in `pairs` is left with two training pairs (or all it had, where it had fewer)."""
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    for pair in pairs:
        for finding in (pair.first, pair.second):
            before[finding] = before.get(finding, 0) + 1
            after[finding] = after.get(finding, 0) + ((pair.first, pair.second) not in held)
    return all(after[finding] >= min(2, count) for finding, count in before.items())
