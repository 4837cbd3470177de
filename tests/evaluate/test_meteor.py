"""METEOR and its stemmer equal nltk's."""

import random
import re
from pathlib import Path

import nltk
import pytest
from nltk.stem.porter import PorterStemmer
from nltk.translate.meteor_score import single_meteor_score

from metier.evaluate.metrics.meteor import meteor
from metier.evaluate.metrics.porter import stem


class NoWordNet:
    def synsets(self, word):
        return []


def test_stems_equal_nltk():
    source = Path(nltk.__file__).parent
    text = "".join(path.read_text(errors="ignore") for path in sorted(source.glob("*.py")))
    found = set(re.findall(r"[A-Za-z]+", text)) | {
        "caresses",
        "ponies",
        "hopping",
        "controlling",
        "y",
        "dying",
        "apology",
    }
    generator = random.Random(1)
    ends = [
        "ational",
        "ed",
        "ing",
        "ies",
        "eed",
        "logi",
        "alli",
        "ll",
        "y",
        "ion",
        "ement",
        "fulli",
        "ied",
        "bli",
        "ness",
    ]
    found |= {
        "".join(generator.choices("abeilnorstuyz", k=generator.randint(1, 6))) + generator.choice(ends)
        for _ in range(8000)
    }
    nltk_stem = PorterStemmer().stem
    assert [word for word in found if stem(word) != nltk_stem(word)] == []


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        ("the cats were running home", "The cat runs home again and the dog"),
        ("", "something"),
        ("nothing", "in common"),
        ("a b c d e f", "a b x c d y e f a"),
        ("患者 应该 休息 休息", "患者 休息"),
    ],
)
def test_meteor_equals_nltk(answer, label):
    expected = single_meteor_score(label.split(), answer.split(), wordnet=NoWordNet())
    assert meteor(answer.split(), label.split()) == pytest.approx(expected, abs=1e-12)
