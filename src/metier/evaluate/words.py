"""Chinese word segmentation: exactly the words of `jieba.cut`, about twice as fast.

The dictionary, the weights and the hidden Markov tables are jieba's own, read from the installed package; only the
search is written anew (one pass from the right instead of a graph and a route; the Markov search unrolled over its four
states). Sums are made in jieba's order, so that ties and roundings fall the same way. jieba's cache file in the shared
temporary folder is not used: it is unmarshalled, and any user of the machine could have placed it there.

Source: https://github.com/fxsjy/jieba (MIT), version 0.42.1, `jieba/__init__.py` and `jieba/finalseg/__init__.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.metadata import version
from importlib.resources import files
from math import log

_BLOCK = re.compile(r"([\u4E00-\u9FD5a-zA-Z0-9+#&\._%\-]+)")
_SPACE = re.compile(r"(\r\n|\s)")
_HAN = re.compile(r"([\u4E00-\u9FD5]+)")
_NUMBER = re.compile(r"([a-zA-Z0-9]+(?:\.\d+)?%?)")
_NEVER = -3.14e100
_IMPOSSIBLE = float("-inf")
_PREFIX = 1.0  # no logarithm of a probability is positive

Emission = tuple[float, float, float, float]


@dataclass(frozen=True)
class _Tables:
    """jieba's knowledge.

    weights: word → log probability, `_PREFIX` for what only begins a word; unknown: log probability of any other
    character; emissions: character → log p in the states B, M, E, S; transitions: two states → log p.
    """

    weights: dict[str, float]
    unknown: float
    emissions: dict[str, Emission]
    start: Emission
    transitions: dict[str, float]


@cache
def _tables() -> _Tables:
    from jieba.finalseg import prob_emit, prob_start, prob_trans

    fields = files("jieba").joinpath("dict.txt").read_text(encoding="utf-8").split()
    counts = list(map(int, fields[1::3]))
    # As jieba does: the total counts every line, a repeated word keeps its last frequency.
    log_total = log(sum(counts))
    logarithms = {count: log(count) - log_total if count else _PREFIX for count in set(counts)}
    weights = dict(zip(fields[::3], map(logarithms.__getitem__, counts), strict=True))
    for word in fields[::3]:
        for end in range(len(word) - 1, 0, -1):
            if word[:end] in weights:
                break
            weights[word[:end]] = _PREFIX
    b, m, e, s = (prob_emit.P[state] for state in "BMES")
    return _Tables(
        weights,
        log(1) - log_total,
        {
            char: (b.get(char, _NEVER), m.get(char, _NEVER), e.get(char, _NEVER), s.get(char, _NEVER))
            for char in {**b, **m, **e, **s}
        },
        (prob_start.P["B"], prob_start.P["M"], prob_start.P["E"], prob_start.P["S"]),
        {first + second: p for first, row in prob_trans.P.items() for second, p in row.items()},
    )


def words_version() -> str:
    """Version of the installed jieba, for the record beside each score."""
    return f"jieba {version('jieba')}"


@lru_cache(maxsize=1 << 16)
def words(text: str) -> tuple[str, ...]:
    """The words of `text`, spaces and punctuation included, as `jieba.cut(text)` gives them."""
    found: list[str] = []
    for position, block in enumerate(_BLOCK.split(text)):
        if not block:
            continue
        if position % 2:
            found.extend(_block_words(block))
            continue
        for place, piece in enumerate(_SPACE.split(block)):
            if place % 2:
                found.append(piece)
            else:
                found.extend(piece)
    return tuple(found)


@lru_cache(maxsize=1 << 16)
def _block_words(block: str) -> tuple[str, ...]:
    """Most probable path through the dictionary; runs of single characters go to the Markov model."""
    tables = _tables()
    weight_of, unknown = tables.weights.get, tables.unknown
    size = len(block)
    score = [0.0] * (size + 1)
    ends = [0] * size
    for start in range(size - 1, -1, -1):
        weight = weight_of(block[start])
        end = start + 2
        longer = None if weight is None or end > size else weight_of(block[start:end])
        best = _IMPOSSIBLE if weight is None or weight == _PREFIX else weight + score[start + 1]
        best_end = start + 1
        while longer is not None:
            if longer < 0.0:
                total = longer + score[end]
                # `>=`: of equally probable words the longer one wins, as in jieba's max over (score, end).
                if total >= best:
                    best, best_end = total, end
            end += 1
            longer = None if end > size else weight_of(block[start:end])
        score[start] = unknown + score[start + 1] if best == _IMPOSSIBLE else best
        ends[start] = best_end
    return tuple(_assemble(block, ends, tables.weights))


def _assemble(block: str, ends: list[int], weights: dict[str, float]) -> list[str]:
    found: list[str] = []
    start, run = 0, 0
    size = len(block)
    while start < size:
        end = ends[start]
        if end - start > 1:
            if run < start:
                found.extend(_run_words(block[run:start], weights))
            found.append(block[start:end])
            run = end
        start = end
    if run < size:
        found.extend(_run_words(block[run:], weights))
    return found


def _run_words(run: str, weights: dict[str, float]) -> tuple[str, ...]:
    """Words of a run of characters of which the dictionary made no longer word."""
    if len(run) == 1 or weights.get(run, _PREFIX) != _PREFIX:
        return tuple(run)
    return _unknown_words(run)


@lru_cache(maxsize=1 << 16)
def _unknown_words(run: str) -> tuple[str, ...]:
    found: list[str] = []
    for position, block in enumerate(_HAN.split(run)):
        if position % 2:
            found.extend(_markov(block))
        else:
            found.extend(piece for piece in _NUMBER.split(block) if piece)
    return tuple(found)


def _markov(block: str) -> list[str]:
    """Viterbi search over B(egin), M(iddle), E(nd), S(ingle). On ties the later letter wins, as in jieba."""
    tables = _tables()
    emissions, moves = tables.emissions, tables.transitions
    none = (_NEVER, _NEVER, _NEVER, _NEVER)
    eb, sb, mm, bm = moves["EB"], moves["SB"], moves["MM"], moves["BM"]
    ss, es, be, me = moves["SS"], moves["ES"], moves["BE"], moves["ME"]
    first = emissions.get(block[0], none)
    b, m, e, s = (begin + emission for begin, emission in zip(tables.start, first, strict=True))
    came: list[str] = []
    for char in block[1:]:
        at_b, at_m, at_e, at_s = emissions.get(char, none)
        e_b, s_b = e + eb + at_b, s + sb + at_b
        m_m, b_m = m + mm + at_m, b + bm + at_m
        b_e, m_e = b + be + at_e, m + me + at_e
        s_s, e_s = s + ss + at_s, e + es + at_s
        came.append(
            ("E" if e_b > s_b else "S")
            + ("B" if b_m > m_m else "M")
            + ("B" if b_e > m_e else "M")
            + ("E" if e_s > s_s else "S")
        )
        b, m, e, s = max(e_b, s_b), max(m_m, b_m), max(b_e, m_e), max(s_s, e_s)
    state = "E" if e > s else "S"
    path = [state]
    for choices in reversed(came):
        state = choices["BMES".index(state)]
        path.append(state)
    return _split(block, path[::-1])


def _split(block: str, path: list[str]) -> list[str]:
    found: list[str] = []
    begin, done = 0, 0
    for place, state in enumerate(path):
        if state == "B":
            begin = place
        elif state == "E":
            found.append(block[begin : place + 1])
            done = place + 1
        elif state == "S":
            found.append(block[place])
            done = place + 1
    if done < len(block):
        found.append(block[done:])
    return found
