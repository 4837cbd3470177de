"""The shuffled-labels control: the same rows and answers, but each answer belongs to another row."""

from __future__ import annotations

import random
from dataclasses import replace

from metier.data.dataset import Dataset
from metier.data.messages import Conversation, message


def shuffled_labels(dataset: Dataset, seed: int) -> Dataset:
    """A copy of `dataset` whose answers were dealt out anew, so that nothing about the questions can be learnt from it.

    The last assistant message (and `meta["answer"]`) of each row comes from another row of the same kind; a row that
    is the only one of its kind stays. Rows keep their numbers and questions.
    """
    chance = random.Random(f"{seed}/shuffled-labels")
    rows = list(dataset.conversations)
    for kind in sorted({str(row.meta.get("kind", "")) for row in rows}):
        places = [i for i, row in enumerate(rows) if str(row.meta.get("kind", "")) == kind]
        chance.shuffle(places)
        # One step round a shuffled circle: every answer moves, none stays where it was.
        givers = [dataset.conversations[place] for place in [*places[1:], *places[:1]]]
        for place, giver in zip(places, givers, strict=True):
            rows[place] = _answered(rows[place], giver)
    return replace(dataset, name=f"{dataset.name}-shuffled", conversations=rows)


def _answered(row: Conversation, giver: Conversation) -> Conversation:
    """`row` with the answer of `giver`."""
    if not row.messages or row.messages[-1].role != "assistant":
        return row
    meta = {**row.meta, **({"answer": giver.meta["answer"]} if "answer" in giver.meta else {})}
    return replace(row, messages=(*row.messages[:-1], message("assistant", giver.label)), meta=meta)
