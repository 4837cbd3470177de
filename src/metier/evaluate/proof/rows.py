"""Questions with all their answers: for the page, and as files of predictions like any other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from metier.core.files import write_text
from metier.evaluate.judge import Vote
from metier.evaluate.proof.judging import winner_of
from metier.evaluate.proof.plan import Plan
from metier.evaluate.proof.scores import Answered


def shown_rows(plan: Plan, rows: Mapping[str, Sequence[Answered]], votes: Sequence[Vote]) -> list[dict[str, Any]]:
    """The first questions with every variant's answer, and who won."""
    shown = []
    for place, question in enumerate(plan.questions[: plan.spec.rows_shown]):
        judged = [
            {"left": pair[0], "right": pair[1], "winner": winner_of(pair, question, votes)} for pair in plan.pairs
        ]
        shown.append(
            {
                "id": question.id,
                "question": question.text,
                "gold": list(question.sources),
                "answerable": question.answerable,
                "reference": question.reference,
                "answers": {name: _answer(given[place]) for name, given in rows.items()},
                "judged": judged if votes else [],
            }
        )
    return shown


def _answer(one: Answered) -> dict[str, Any]:
    return {
        "text": one.answer.get("text", ""),
        "mode": one.answer.get("mode", ""),
        "refused": one.cited.refused,
        "citations": one.cited.citations,
        "gold_citations": one.cited.gold,
    }


def write_predictions(folder: Path, variant: str, rows: Sequence[Answered]) -> None:
    """`predictions-<variant>.jsonl`, for `metier evaluate`, `metier compare` and people who judge them blind."""
    lines = [
        {
            "id": one.question.id,
            "prompt": one.question.text,
            "predict": one.answer.get("text", ""),
            "label": one.question.reference,
            "meta": {"kind": "open"},
        }
        for one in rows
    ]
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    write_text(folder / f"predictions-{variant}.jsonl", text)
