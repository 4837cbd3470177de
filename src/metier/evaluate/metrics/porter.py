"""Porter's stemmer with the extensions that nltk uses by default; METEOR's second stage.

Source: M. Porter, An algorithm for suffix stripping, 1980; `nltk.stem.porter` in its mode NLTK_EXTENSIONS, whose
results it gives word for word.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise

Condition = Callable[[str], bool]
_IRREGULAR = {
    "sky": "sky", "skies": "sky", "dying": "die", "lying": "lie", "tying": "tie", "news": "news",
    "innings": "inning", "inning": "inning", "outings": "outing", "outing": "outing",
    "cannings": "canning", "canning": "canning", "howe": "howe", "proceed": "proceed",
    "exceed": "exceed", "succeed": "succeed",
}  # fmt: skip
_STEP2 = (
    ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("bli", "ble"),
    ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"), ("ation", "ate"),
    ("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al"),
    ("iviti", "ive"), ("biliti", "ble"), ("fulli", "ful"),
)  # fmt: skip
_STEP3 = (
    ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", ""),
)  # fmt: skip
_STEP4 = (
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti",
    "ous", "ive", "ize",
)  # fmt: skip


@lru_cache(maxsize=1 << 14)
def stem(word: str) -> str:
    """The stem of `word`, in lower case. Words that do not end in an ASCII letter have no suffix to strip."""
    lower = word.lower()
    if lower in _IRREGULAR:
        return _IRREGULAR[lower]
    if len(word) <= 2 or not ("a" <= lower[-1] <= "z"):
        return lower
    for step in (_step1a, _step1b, _step1c, _step2, _step3, _step4, _step5a, _step5b):
        lower = step(lower)
    return lower


def _consonants(word: str) -> list[bool]:
    """For each letter whether it is a consonant; y is one at the start and after a vowel."""
    flags: list[bool] = []
    for place, letter in enumerate(word):
        if letter in "aeiou":
            flags.append(False)
        elif letter == "y":
            flags.append(place == 0 or not flags[-1])
        else:
            flags.append(True)
    return flags


def _measure(word: str) -> int:
    """Number of vowel-consonant sequences."""
    flags = _consonants(word)
    return sum(1 for first, second in pairwise(flags) if not first and second)


def _positive(word: str) -> bool:
    return _measure(word) > 0


def _ends_cvc(word: str) -> bool:
    flags = _consonants(word)
    if len(word) == 2:
        return not flags[0] and flags[1]
    return len(word) >= 3 and flags[-3] and not flags[-2] and flags[-1] and word[-1] not in "wxy"


def _first_rule(word: str, rules: tuple[tuple[str, str], ...], condition: Condition) -> str:
    """Applies the first rule whose suffix fits; if its condition fails, none applies."""
    for suffix, replacement in rules:
        if word.endswith(suffix):
            head = word[: -len(suffix)]
            return head + replacement if condition(head) else word
    return word


def _step1a(word: str) -> str:
    if word.endswith("ies") and len(word) == 4:
        return word[:-1]
    return _first_rule(word, (("sses", "ss"), ("ies", "i"), ("ss", "ss"), ("s", "")), lambda head: True)


def _step1b(word: str) -> str:
    if word.endswith("ied"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("eed"):
        return word[:-1] if _positive(word[:-3]) else word
    for suffix in ("ed", "ing"):
        if word.endswith(suffix) and not all(_consonants(word[: -len(suffix)])):
            return _repaired(word[: -len(suffix)])
    return word


def _repaired(head: str) -> str:
    """Step 1b, after -ed or -ing was taken away."""
    for suffix in ("at", "bl", "iz"):
        if head.endswith(suffix):
            return head + "e"
    if len(head) >= 2 and head[-1] == head[-2] and _consonants(head)[-1]:
        return head if head[-1] in "lsz" else head[:-1]
    return head + "e" if _measure(head) == 1 and _ends_cvc(head) else head


def _step1c(word: str) -> str:
    if word.endswith("y") and len(word) > 2 and _consonants(word[:-1])[-1]:
        return word[:-1] + "i"
    return word


def _step2(word: str) -> str:
    if word.endswith("alli") and _positive(word[:-4]):
        return _step2(word[:-2])
    if word.endswith("logi") and not any(word.endswith(suffix) for suffix, _ in _STEP2):
        return word[:-1] if _positive(word[:-3]) else word
    return _first_rule(word, _STEP2, _positive)


def _step3(word: str) -> str:
    return _first_rule(word, _STEP3, _positive)


def _step4(word: str) -> str:
    for suffix in _STEP4:
        if word.endswith(suffix):
            head = word[: -len(suffix)]
            fits = _measure(head) > 1 and (suffix != "ion" or head[-1] in "st")
            return head if fits else word
    return word


def _step5a(word: str) -> str:
    if word.endswith("e"):
        head = word[:-1]
        measure = _measure(head)
        if measure > 1 or (measure == 1 and not _ends_cvc(head)):
            return head
    return word


def _step5b(word: str) -> str:
    return word[:-1] if word.endswith("ll") and _measure(word[:-1]) > 1 else word
