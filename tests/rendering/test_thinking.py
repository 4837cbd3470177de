from __future__ import annotations

import pytest

from metier.core.errors import DataError
from metier.rendering import split_thinking, strip_thinking
from tests.rendering.families import family, renderer_of, shown, talk
from tests.support.tiny import CHATML

THOUGHT = "<think>\nBecause.\n</think>\n\nYes"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Yes", (None, "Yes")),
        ("<think>\nBecause.\n</think>\n\nYes", ("Because.", "Yes")),
        ("\n<think>Because.</think>Yes", ("Because.", "Yes")),
        ("Because.\n</think>\n\nYes", ("Because.", "Yes")),  # the opening stood in the prompt
        ("\n</think>\n\nYes", ("", "Yes")),
        ("<think>\n\n</think>\n\nYes", ("", "Yes")),
        ("<think>\nBecause", ("Because", "")),  # cut while thinking
        ("The tag <think> opens, </think> closes.", (None, "The tag <think> opens, </think> closes.")),
        ("<think>a</think>b</think>c", ("a", "b</think>c")),
        ("", (None, "")),
        (" spaced\n", (None, " spaced\n")),
    ],
)
def test_thinking_and_answer_apart(text: str, expected: tuple[str | None, str]) -> None:
    assert split_thinking(text) == expected
    assert strip_thinking(text) == expected[1]


def completion(name: str, answer: str, enable_thinking: bool | None) -> str:
    (example,) = family(name).examples(talk("Q", answer), enable_thinking=enable_thinking)
    return shown(family(name), example).split("Q", 1)[1]


QWEN, DEEPSEEK = "<|im_end|>\n<|im_start|>assistant\n", "<｜Assistant｜><think>\n"


@pytest.mark.parametrize(
    ("name", "answer", "enable_thinking", "expected"),
    [
        ("qwen3", THOUGHT, None, f"{QWEN}⟦<think>\nBecause.\n</think>\n\nYes<|im_end|>⟧"),
        ("qwen3", "Yes", None, f"{QWEN}⟦<think>\n\n</think>\n\nYes<|im_end|>⟧"),
        ("qwen3", THOUGHT, True, f"{QWEN}⟦<think>\nBecause.\n</think>\n\nYes<|im_end|>⟧"),
        ("qwen3", THOUGHT, False, f"{QWEN}<think>\n\n</think>\n\n⟦Yes<|im_end|>⟧"),
        ("qwen3", "Yes", False, f"{QWEN}<think>\n\n</think>\n\n⟦Yes<|im_end|>⟧"),
        ("deepseek_r1_distill", THOUGHT, None, f"{DEEPSEEK}⟦Because.\n</think>\n\nYes<｜end▁of▁sentence｜>⟧"),
        ("deepseek_r1_distill", "Yes", None, f"{DEEPSEEK}⟦\n</think>\n\nYes<｜end▁of▁sentence｜>⟧"),
        ("deepseek_r1_distill", THOUGHT, False, f"{DEEPSEEK}\n</think>\n\n⟦Yes<｜end▁of▁sentence｜>⟧"),
        ("smollm2", THOUGHT, None, f"{QWEN}⟦<think>\nBecause.\n</think>\n\nYes<|im_end|>⟧"),
        ("smollm2", THOUGHT, False, f"{QWEN}⟦Yes<|im_end|>⟧"),
        ("smollm2", "Yes", True, f"{QWEN}⟦Yes<|im_end|>⟧"),
    ],
)
def test_what_enable_thinking_does(name: str, answer: str, enable_thinking: bool | None, expected: str) -> None:
    assert completion(name, answer, enable_thinking) == expected


def test_thinking_that_the_template_drops_from_the_last_answer_is_still_learnt() -> None:
    drops = CHATML.replace("message['content']", "message['content'].split('</think>')[-1]")
    renderer = renderer_of(drops)
    (example,) = renderer.examples(talk("Q", THOUGHT))
    assert shown(renderer, example).endswith("assistant\n⟦<think>\nBecause.\n</think>\n\nYes<|im_end|>⟧")


def test_earlier_thinking_is_what_the_template_leaves_of_it() -> None:
    text = family("qwen3").prompt(talk("Q", THOUGHT, "More").messages).text
    assert "Because" not in text and "assistant\nYes<|im_end|>" in text
    assert "Because" in family("smollm2").prompt(talk("Q", THOUGHT, "More").messages).text


def test_thinking_turned_off_leaves_no_thinking_in_earlier_turns() -> None:
    text = family("smollm2").prompt(talk("Q", THOUGHT, "More").messages, enable_thinking=False).text
    assert "Because" not in text and "assistant\nYes<|im_end|>" in text


def test_words_that_a_template_would_lose_before_thinking_are_refused() -> None:
    with pytest.raises(DataError, match=r"Row 1 .*own text unchanged"):
        family("qwen3").examples(talk("Q", "Wait. <think>x</think> Yes"))
