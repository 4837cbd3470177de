"""What the text index holds of a text: words, and of Chinese the pairs of neighbouring characters.

Chinese is written without spaces, and the tokenizers of search engines see a sentence as one word. Pairs need no
dictionary and find every word of two or more characters.
"""

from __future__ import annotations

import re
import unicodedata
from operator import add

from metier.core.numerals import numeral
from metier.knowledge.passage import Passage
from metier.knowledge.words import asking, legal_words

_RUN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f]+|[^\W_\u3400-\u9fff\uf900-\ufaff]+")
_ARTICLE = re.compile(r"第\s*(\d{1,4})\s*条")
_LABEL = re.compile(r"第[零〇一二三四五六七八九十百千]+条(?:之[一二三四五六七八九十]+)?")


def terms(text: str) -> list[str]:
    """The terms of a text in its order, repeated as often as they stand there."""
    found: list[str] = []
    for run in _RUN.findall(unicodedata.normalize("NFKC", text).lower()):
        if run[0] < "\u3400" or len(run) == 1:
            found.append(run)
        else:
            found += map(add, run, run[1:])
    return found


def passage_terms(passage: Passage) -> str:
    """What the index holds of a passage: its title, article and headings belong to its text."""
    label = [f"@{passage.article}"] if passage.article else []
    heading = " ".join((passage.title, passage.article, *passage.path))
    return " ".join([*label, *terms(heading), *terms(passage.text)])


def query_terms(text: str) -> list[str]:
    """The terms of a question, each once, and those of what statutes say for its words.

    `第47条` is also looked for as statutes write it; words that only ask are left out, unless there are no others.
    """
    text = _ARTICLE.sub(lambda match: f"第{numeral(int(match[1]))}条", unicodedata.normalize("NFKC", text))
    labels = [f"@{label}" for label in _LABEL.findall(text)]
    about = list(text)
    for start, end in asking(text):
        about[start:end] = " " * (end - start)
    own = terms("".join(about)) or terms(text)
    return list(dict.fromkeys([*labels, *own, *(term for word in legal_words(text) for term in terms(word))]))
