"""Words are jieba's own."""

import logging
import random

import jieba
import pytest

from metier.evaluate.words import words

jieba.setLogLevel(logging.CRITICAL)


@pytest.mark.parametrize(
    "text",
    [
        "患者出现发热、咳嗽三天，建议检查血常规。",
        "小明硕士毕业于中国科学院计算所，后在日本京都大学深造",
        "服用 5.5mg/次，HbA1c 7.2%，C++ 与 AT&T…… \r\n 换行",
        "他来到了网易杭研大厦",
        "龘靐齉爩 😀 ñ \u3000 全角　空格",
        "",
        " \n\n ",
    ],
)
def test_words_are_those_of_jieba(text):
    assert words(text) == tuple(jieba.cut(text))


def test_words_are_those_of_jieba_on_random_text():
    generator = random.Random(3)
    letters = "的了是在我有和人这中大病症药血 \n.。，a1Z%+-#…“" + "".join(
        chr(generator.randint(0x4E00, 0x9FA5)) for _ in range(80)
    )
    for _ in range(2000):
        text = "".join(generator.choices(letters, k=generator.randint(1, 30)))
        assert words(text) == tuple(jieba.cut(text)), text


def test_words_are_those_of_jieba_on_real_answers(shared_data):
    lines = (shared_data / "medical" / "qa_zh.jsonl").read_text(encoding="utf-8").splitlines()[:600]
    assert all(words(line) == tuple(jieba.cut(line)) for line in lines)
