from __future__ import annotations

import pytest

from metier.core.errors import ConfigError, DataError
from tests.rendering.families import family, learnt, renderer_of, shown, talk
from tests.support.tiny import CHATML

LONG = talk("first question", "first answer", "second question", "second answer", "third question", system="Rules")


def test_the_oldest_turns_go_first_and_the_system_prompt_stays() -> None:
    renderer = renderer_of(CHATML)
    whole = renderer.prompt(LONG.messages)
    prompt = renderer.prompt(LONG.messages, cutoff_len=len(whole.input_ids) - 1)
    assert prompt.dropped_turns == 1 and prompt.truncated == 0
    assert "Rules" in prompt.text and "first" not in prompt.text and "second" in prompt.text


def test_a_long_question_is_cut_in_its_middle_and_the_cut_is_counted() -> None:
    renderer = renderer_of(CHATML)
    messages = talk("Read this. " + "x" * 500 + " Choices: A B", system="Rules").messages
    prompt = renderer.prompt(messages, cutoff_len=120)
    assert 117 <= len(prompt.input_ids) <= 120
    assert prompt.truncated == len(renderer.prompt(messages).input_ids) - len(prompt.input_ids)
    assert "Read this." in prompt.text and "\n[…]\n" in prompt.text and "Choices: A B" in prompt.text


def test_a_chinese_question_is_cut_between_characters() -> None:
    prompt = renderer_of(CHATML).prompt(talk("病人头痛发热三天。" * 30).messages, cutoff_len=150)
    assert len(prompt.input_ids) <= 150 and "\ufffd" not in prompt.text


def test_a_budget_too_small_for_anything_is_refused() -> None:
    with pytest.raises(ConfigError, match="cutoff_len = 10 is too small"):
        renderer_of(CHATML).prompt(LONG.messages, cutoff_len=10)
    with pytest.raises(DataError, match="Row 1: cutoff_len = 10 leaves no room"):
        renderer_of(CHATML).examples(talk("question", "answer"), cutoff_len=10)


def test_an_answer_past_the_limit_starts_its_own_example_without_the_oldest_turns() -> None:
    renderer = renderer_of(CHATML)
    conversation = talk("q1 " * 10, "a1", "q2 " * 10, "a2")
    (whole,) = renderer.examples(conversation, train_on_history=True)
    first, second = renderer.examples(conversation, train_on_history=True, cutoff_len=len(whole.input_ids) - 1)
    assert (first.dropped_turns, second.dropped_turns) == (0, 1)
    assert learnt(whole) == learnt(first) + learnt(second)
    assert not second.answer_truncated and "q1" not in shown(renderer, second)


def test_the_question_is_cut_before_the_answer() -> None:
    renderer = renderer_of(CHATML)
    (example,) = renderer.examples(talk("q" * 300, "answer " * 5), cutoff_len=150)
    assert len(example.input_ids) <= 150 and example.truncated > 0 and not example.answer_truncated
    assert shown(renderer, example).endswith("⟦" + "answer " * 5 + "<|im_end|>⟧")


def test_an_answer_that_has_to_be_cut_says_so() -> None:
    renderer = renderer_of(CHATML)
    (example,) = renderer.examples(talk("question", "answer " * 50), cutoff_len=100)
    assert example.answer_truncated and len(example.input_ids) == 100
    assert renderer.stop_ids[0] not in learnt(example)


def test_a_question_keeps_half_the_room_when_both_are_too_long() -> None:
    (example,) = renderer_of(CHATML).examples(talk("q" * 300, "a" * 300), cutoff_len=200)
    assert len(learnt(example)) == pytest.approx(100, abs=3) and example.answer_truncated


def test_a_shortened_example_begins_with_the_prompt_of_the_same_budget() -> None:
    renderer = family("qwen3")
    (example,) = renderer.examples(talk("q" * 300, "a" * 50), cutoff_len=200)
    start = next(i for i, label in enumerate(example.labels) if label >= 0)
    prompt = renderer.prompt(talk("q" * 300).messages, cutoff_len=start)
    assert example.input_ids[:start] == prompt.input_ids
