"""Metrics of right and wrong: choice accuracy, exact match, contains; and token F1.

Texts are compared after the same plain steps: full-width forms made plain, case folded, punctuation dropped, thousands
separators dropped; Chinese characters stand alone, other letters and digits stand in words.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache

from metier.evaluate.choices import read_choices
from metier.evaluate.metrics.definition import Measure, Metric, Pair, right_or_wrong

_TOKEN = re.compile(
    r"[\u3400-\u9fff\uf900-\ufaff]|[-+]?\d+(?:[.,]\d+)*%?|[^\W\d_\u3400-\u9fff\uf900-\ufaff]+(?:['’][^\W\d_]+)?"
)
TOKENIZER = "characters (Chinese), words (other), NFKC, case folded"


@lru_cache(maxsize=1 << 14)
def plain_tokens(text: str) -> tuple[str, ...]:
    """Tokens for comparing short answers. A sign belongs to a number only where it does not join words (`COVID-19`)."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    tokens = []
    for match in _TOKEN.finditer(folded):
        token = match[0]
        if token[0] in "+-" and match.start() and (folded[match.start() - 1].isalnum() or token[0] == "+"):
            token = token[1:]
        tokens.append(token.replace(",", "") if token[-1].isdigit() or token.endswith("%") else token)
    return tuple(tokens)


def measure_choice(pair: Pair) -> Measure:
    """Right when the set of letters read from the answer is the gold set. Unreadable counts as wrong."""
    if pair.gold is None:
        return Measure(None)
    found = read_choices(pair.answer, pair.options)
    return right_or_wrong(found == pair.gold, found, unreadable=found is None)


def measure_exact(pair: Pair) -> Measure:
    found = plain_tokens(pair.answer)
    return right_or_wrong(bool(found) and found == plain_tokens(pair.wanted))


def measure_contains(pair: Pair) -> Measure:
    """Right when the gold answer's tokens stand in the answer, one behind the other. Needs a gold answer."""
    if pair.gold is None and pair.kind == "open":
        return Measure(None)
    found, wanted = plain_tokens(pair.answer), plain_tokens(pair.wanted)
    size = len(wanted)
    return right_or_wrong(bool(size) and any(found[at : at + size] == wanted for at in range(len(found) - size + 1)))


def measure_correct(pair: Pair) -> Measure:
    """Right or wrong by the row's own kind; open rows only where they name a gold answer."""
    # Metrics of numbers build on this module.
    from metier.evaluate.metrics.charts import measure_number

    measures = {
        "number": measure_number,
        "choice": measure_choice,
        "exact": measure_exact,
        "contains": measure_contains,
        "open": measure_contains,
    }
    return measures[pair.kind](pair)


def token_f1(answer: str, reference: str) -> float:
    """Harmonic mean of precision and recall over counted tokens, 0 to 1 (as SQuAD, but articles are kept)."""
    found, wanted = Counter(plain_tokens(answer)), Counter(plain_tokens(reference))
    common = (found & wanted).total()
    return 2.0 * common / (found.total() + wanted.total()) if common else 0.0


def _measure_f1(pair: Pair) -> Measure:
    # A short gold answer on an open row is a key word, not what the whole answer should read.
    value = token_f1(pair.answer, pair.label if pair.kind == "open" or pair.gold is None else pair.gold)
    return Measure(value, (value,))


CHOICE_ACCURACY = Metric(
    name="choice_accuracy",
    version="1",
    level="sentence-mean",
    maximum=1.0,
    tokenizer="option letters read from free text",
    smoothing="none",
    reads="answer",
    kinds=frozenset(("choice",)),
    measure=measure_choice,
    proportion=True,
)
EXACT_MATCH = Metric(
    name="exact_match",
    version="1",
    level="sentence-mean",
    maximum=1.0,
    tokenizer=TOKENIZER,
    smoothing="none",
    reads="answer",
    kinds=frozenset(("exact",)),
    measure=measure_exact,
    proportion=True,
)
CONTAINS = Metric(
    name="contains",
    version="1",
    level="sentence-mean",
    maximum=1.0,
    tokenizer=TOKENIZER,
    smoothing="none",
    reads="answer",
    kinds=frozenset(("exact", "contains", "open")),
    measure=measure_contains,
    proportion=True,
)
TOKEN_F1 = Metric(
    name="token_f1",
    version="1",
    level="sentence-mean",
    maximum=1.0,
    tokenizer=TOKENIZER,
    smoothing="none",
    reads="answer",
    kinds=frozenset(("open", "exact", "contains")),
    measure=_measure_f1,
)
CORRECT = Metric(
    name="correct",
    version="1",
    level="sentence-mean",
    maximum=1.0,
    tokenizer=f"option letters; {TOKENIZER}",
    smoothing="none",
    reads="answer",
    kinds=frozenset(("choice", "number", "exact", "contains", "open")),
    measure=measure_correct,
    proportion=True,
    default=False,
)
