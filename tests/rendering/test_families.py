"""Real chat templates of five families against strings written by hand from their makers' documentation."""

from __future__ import annotations

import pytest

from metier.core.errors import DataError
from metier.data.messages import Conversation, message
from metier.rendering.renderer import NO_LOSS
from tests.rendering.families import FAMILIES, family, learnt, shown, talk

LLAMA_SYSTEM = (
    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\n"
    "Today Date: 26 Jul 2024\n\n"
)
EXPECTED = {
    "llama3_1": [
        f"{LLAMA_SYSTEM}Be brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n⟦Hello<|eot_id|>⟧"
        "<|start_header_id|>user<|end_header_id|>\n\n更多？<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n⟦好的<|eot_id|>⟧"
    ],
    "qwen3": [
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
        "<|im_start|>assistant\n⟦<think>\n\n</think>\n\nHello<|im_end|>⟧",
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
        "<|im_start|>assistant\nHello<|im_end|>\n<|im_start|>user\n更多？<|im_end|>\n"
        "<|im_start|>assistant\n⟦<think>\n\n</think>\n\n好的<|im_end|>⟧",
    ],
    "gemma2": [
        "<bos><start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\n⟦Hello<end_of_turn>⟧\n"
        "<start_of_turn>user\n更多？<end_of_turn>\n<start_of_turn>model\n⟦好的<end_of_turn>⟧"
    ],
    "gemma3": [
        "<bos><start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\n⟦Hello<end_of_turn>⟧\n"
        "<start_of_turn>user\n更多？<end_of_turn>\n<start_of_turn>model\n⟦好的<end_of_turn>⟧"
    ],
    "deepseek_r1_distill": [
        "<｜begin▁of▁sentence｜>Be brief.<｜User｜>Hi<｜Assistant｜><think>\n"
        "⟦\n</think>\n\nHello<｜end▁of▁sentence｜>⟧",
        "<｜begin▁of▁sentence｜>Be brief.<｜User｜>Hi<｜Assistant｜>Hello<｜end▁of▁sentence｜>"
        "<｜User｜>更多？<｜Assistant｜><think>\n⟦\n</think>\n\n好的<｜end▁of▁sentence｜>⟧",
    ],
    "smollm2": [
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
        "<|im_start|>assistant\n⟦Hello<|im_end|>⟧\n<|im_start|>user\n更多？<|im_end|>\n"
        "<|im_start|>assistant\n⟦好的<|im_end|>⟧"
    ],
}


@pytest.mark.parametrize("name", FAMILIES)
def test_every_answer_and_its_end_token_carry_the_loss_and_nothing_else(name: str) -> None:
    renderer = family(name)
    conversation = talk("Hi", "Hello", "更多？", "好的", system="Be brief.")
    examples = renderer.examples(conversation, train_on_history=True)
    assert [shown(renderer, one) for one in examples] == EXPECTED[name]


@pytest.mark.parametrize("name", FAMILIES)
def test_without_history_only_the_last_answer_is_learnt(name: str) -> None:
    renderer = family(name)
    (example,) = renderer.examples(talk("Hi", "Hello", "更多？", "好的", system="Be brief."))
    expected = EXPECTED[name][-1]
    before, _, last = expected.rpartition("⟦")
    assert shown(renderer, example) == before.replace("⟦", "").replace("⟧", "") + "⟦" + last


@pytest.mark.parametrize("thinking", [None, True, False])
@pytest.mark.parametrize("answer", ["Hello", "<think>\nWhy?\n</think>\n\nHello", "  两行\n\n答案 ", "\n\nx"])
@pytest.mark.parametrize("name", FAMILIES)
def test_an_example_is_the_prompt_and_what_generation_appends(name: str, answer: str, thinking: bool | None) -> None:
    renderer = family(name)
    conversation = talk("One", "<think>\nA\n</think>\n\nFirst", "Two", answer, "Three", "Third", system="S")
    examples = renderer.examples(conversation, train_on_history=True, enable_thinking=thinking)
    starts = [(one, i) for one in examples for i in _starts(one.labels)]
    assert len(starts) == 3
    for index, (one, start) in zip((2, 4, 6), starts, strict=True):
        prompt = renderer.prompt(conversation.messages[:index], enable_thinking=thinking)
        assert one.input_ids[:start] == prompt.input_ids
    assert all(len(one.input_ids) == len(one.labels) for one in examples)
    assert all(one.labels[i] in (NO_LOSS, one.input_ids[i]) for one in examples for i in range(len(one.labels)))


def _starts(labels: list[int]) -> list[int]:
    return [i for i, label in enumerate(labels) if label != NO_LOSS and (i == 0 or labels[i - 1] == NO_LOSS)]


@pytest.mark.parametrize("name", FAMILIES)
def test_generation_stops_at_the_token_that_ends_an_answer(name: str) -> None:
    renderer = family(name)
    (example,) = renderer.examples(talk("Hi", "Hello 你好"))
    ids = learnt(example)
    assert ids[-1] == renderer.stop_ids[0]
    assert renderer.tokenizer.eos_token_id in renderer.stop_ids
    assert renderer.decode(ids).endswith("Hello 你好")


@pytest.mark.parametrize("name", FAMILIES)
def test_the_text_is_what_transformers_renders(name: str) -> None:
    renderer = family(name)
    messages = talk("Hi", "<think>\nA\n</think>\n\nHello", "More").messages
    dicts = [one.to_openai() for one in messages]
    expected = renderer.tokenizer.apply_chat_template(
        dicts, tokenize=False, add_generation_prompt=True, date_string="26 Jul 2024"
    )
    assert renderer.prompt(messages).text == expected


def test_gemma_refuses_roles_out_of_order_by_row() -> None:
    wrong = Conversation(7, (message("user", "a"), message("user", "b"), message("assistant", "c")))
    with pytest.raises(DataError, match=r"Row 7 .*must alternate"):
        family("gemma2").examples(wrong)


def test_smollm2_keeps_the_system_prompt_of_its_template() -> None:
    assert (
        family("smollm2")
        .prompt(talk("Hi").messages)
        .text.startswith(
            "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n"
        )
    )
