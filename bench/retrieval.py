"""How often the right article is found: 1,234 lay questions over 60,390 articles, without any downloaded model.

R@k is the mean share of a question's gold articles among the first k, MRR@10 the mean of 1 / rank of the first one.
The weights of `metier.knowledge.ranking` are fitted: the best of a small grid on each seeded half are measured on the
other one, which is the figure that counts. (Which parts there are was decided looking at all questions.) Then parts are
taken away one by one to show what each is worth.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.support.law import LAW, SEED, law_articles, law_base, law_questions

import metier.knowledge.ranking as ranking_module
import metier.knowledge.terms as terms_module
from metier.knowledge.passage import Hit
from metier.knowledge.ranking import Candidates, Ranking, Weights, rank
from metier.knowledge.words import legal_words

DEEP = 300  # all that the second look sees
BARS = (0.50, 0.72, 0.42)
Scores = tuple[float, float, float]
Ranked = list[tuple[set[int], list[Hit]]]


def main() -> int:
    if not LAW.is_dir():
        print("the public data beside the project (shared/data) is absent")
        return 0
    questions = law_questions()
    with tempfile.TemporaryDirectory() as folder:
        base = law_base(Path(folder), law_articles())

        def searched() -> Ranked:
            return [(set(one["gold_articles"]), base.search(one["question"], limit=DEEP)) for one in questions]

        with _recorded() as looked:
            found = searched()
        terms_module.legal_words = lambda text: []
        without_words = searched()
        terms_module.legal_words = legal_words
    _show("all", found)
    _show("  first half", found[::2])
    _show("  second half", found[1::2])
    rows = [Row(gold, _by_place(hits), *one) for (gold, hits), one in zip(found, looked, strict=True)]
    halves = _show_scores(
        "fitted on the other half", [*_fitted(rows[::2], rows[1::2]), *_fitted(rows[1::2], rows[::2])]
    )
    _show("without lay words", without_words)
    _show("without standing", _by(found, lambda hit: hit.score - hit.reasons["standing_bonus"]))
    _show("without law bonus", _by(found, lambda hit: hit.score - hit.reasons["law_bonus"]))
    _show("the text index alone", _by(found, lambda hit: -hit.reasons["words_rank"]))
    print(f"{'bars':<24} R@10 {BARS[0]:.3f}  R@100 {BARS[1]:.3f}  MRR@10 {BARS[2]:.3f}")
    return 0 if all(score >= bar for score, bar in zip(halves, BARS, strict=True)) else 1


@dataclass(frozen=True)
class Row:
    """A question with its gold articles, the articles of its candidates, and what the second look was given."""

    gold: set[int]
    articles: list[int]
    question: str
    candidates: Candidates

    def scores(self, weights: Weights) -> Scores:
        order = rank(self.question, self.candidates, weights).scores_n.argsort()[::-1]
        return _scores(self.gold, [self.articles[place] for place in order])


@contextmanager
def _recorded() -> Iterator[list[tuple[str, Candidates]]]:
    """Notes what the second look is given."""
    looked: list[tuple[str, Candidates]] = []

    def noting(question: str, found: Candidates) -> Ranking:
        looked.append((question, found))
        return rank(question, found)

    ranking_module.rank = noting  # type: ignore[assignment]
    yield looked
    ranking_module.rank = rank


def _fitted(fit: list[Row], measured: list[Row]) -> list[Scores]:
    """The scores of one half with the weights that were best on the other."""
    grid = [Weights(*one) for one in product((0.2, 0.3, 0.5), (0.6, 0.8, 1.0), (0.7, 1.0, 1.3), (0.1, 0.2, 0.3))]
    best = max(grid, key=lambda weights: sum(sum(row.scores(weights)) for row in fit))
    print(f"  {best}", flush=True)
    return [row.scores(best) for row in measured]


def _by_place(hits: list[Hit]) -> list[int]:
    return [hit.passage.start for hit in sorted(hits, key=lambda hit: hit.reasons["words_rank"])]


def _by(found: Ranked, key: Callable[[Hit], float]) -> Ranked:
    return [(gold, sorted(hits, key=key, reverse=True)) for gold, hits in found]


def _show(name: str, found: Ranked) -> Scores:
    return _show_scores(name, [_scores(gold, [hit.passage.start for hit in hits]) for gold, hits in found])


def _show_scores(name: str, rows: list[Scores]) -> Scores:
    means = tuple(sum(column) / len(rows) for column in zip(*rows, strict=True))
    parts = [
        f"{label} {mean:.3f} {_interval([row[place] for row in rows])}"
        for place, (label, mean) in enumerate(zip(("R@10", "R@100", "MRR@10"), means, strict=True))
    ]
    print(f"{name:<24} {'  '.join(parts)}", flush=True)
    return means  # type: ignore[return-value]


def _scores(gold: set[int], ranked: Sequence[int]) -> Scores:
    first = next((1 / rank for rank, one in enumerate(ranked[:10], 1) if one in gold), 0.0)
    return len(gold & set(ranked[:10])) / len(gold), len(gold & set(ranked[:100])) / len(gold), first


def _interval(values: Sequence[float]) -> str:
    """95 % of the means of 500 samples of the questions."""
    draw = random.Random(SEED)
    means = sorted(sum(draw.choices(values, k=len(values))) / len(values) for _ in range(500))
    return f"[{means[12]:.3f}, {means[487]:.3f}]"


if __name__ == "__main__":
    sys.exit(main())
