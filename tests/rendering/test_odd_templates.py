"""Templates that do what a template should not, and what becomes of them."""

from __future__ import annotations

import pytest

from metier.core.errors import ConfigError, DataError
from metier.data.messages import Conversation, ImagePart, Message, TextPart, message
from tests.rendering.families import family, renderer_of, shown, talk
from tests.support.tiny import CHATML

LOOP = "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}"
OPEN = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"


def test_earlier_answers_that_are_rewritten_give_each_answer_its_own_example() -> None:
    shortens = (
        "{% for m in messages %}{% set c = m.content if loop.last or m.role == 'user' else '(seen)' %}"
        "{{ '<|im_start|>' + m.role + '\n' + c + '<|im_end|>\n' }}{% endfor %}" + OPEN
    )
    renderer = renderer_of(shortens)
    first, second = renderer.examples(talk("a", "b", "c", "d"), train_on_history=True)
    assert shown(renderer, first).endswith("a<|im_end|>\n<|im_start|>assistant\n⟦b<|im_end|>⟧")
    assert "(seen)" in shown(renderer, second) and shown(renderer, second).endswith("⟦d<|im_end|>⟧")


def test_a_question_that_is_rewritten_with_its_answer_is_refused_by_row() -> None:
    counts = "{{ '<|im_start|>' ~ messages | length ~ '\n' }}" + LOOP + OPEN
    with pytest.raises(DataError, match=r"Row 5 .*differently than without"):
        renderer_of(counts).examples(talk("a", "b", row=5))


def test_a_template_that_ignores_answers_is_refused() -> None:
    ignores = LOOP.replace("+ m.content", "+ (m.content if m.role == 'user' else '')") + OPEN
    with pytest.raises(ConfigError, match="does not show answers"):
        renderer_of(ignores).examples(talk("a", "b"))


def test_an_answer_that_is_changed_is_refused() -> None:
    shouts = LOOP.replace("m.content", "(m.content | replace('I think', 'I know'))") + OPEN
    with pytest.raises(DataError, match="own text unchanged"):
        renderer_of(shouts).examples(talk("a", "I think so"))


def test_a_footer_after_the_end_token_is_not_learnt() -> None:
    renderer = renderer_of(LOOP + OPEN + "{% if not add_generation_prompt %}(made by us){% endif %}")
    (example,) = renderer.examples(talk("a", "b", "c", "d"), train_on_history=True)
    assert shown(renderer, example).count("⟦") == 2 and "made by us" not in shown(renderer, example)


def test_a_footer_before_the_end_token_is_refused() -> None:
    signs = LOOP.replace("m.content", "m.content + '\n(made by us)'") + OPEN
    with pytest.raises(ConfigError, match="words of its own after them"):
        renderer_of(signs).examples(talk("a", "b"))


def test_a_template_without_generation_prompt_gets_the_opening_it_writes_itself() -> None:
    renderer = renderer_of(LOOP)
    assert renderer.prompt(talk("a").messages).text.endswith("a<|im_end|>\n<|im_start|>assistant\n")
    (example,) = renderer.examples(talk("a", "b"))
    assert shown(renderer, example).endswith("assistant\n⟦b<|im_end|>⟧")


def test_answers_without_end_token_end_with_the_tokenizers_and_stand_alone() -> None:
    plain = "{% for m in messages %}{{ m.role + ': ' + m.content + '\n' }}{% endfor %}"
    renderer = renderer_of(plain + "{% if add_generation_prompt %}{{ 'assistant: ' }}{% endif %}")
    first, second = renderer.examples(talk("a", "b", "c", "d"), train_on_history=True)
    assert shown(renderer, first) == "user: a\nassistant: ⟦b<|im_end|>⟧"
    assert shown(renderer, second) == "user: a\nassistant: b\nuser: c\nassistant: ⟦d<|im_end|>⟧"


def test_parts_are_kept_where_a_template_iterates_over_them_and_flattened_where_it_wants_text() -> None:
    parts = Message("user", (TextPart("one "), TextPart("two")))
    only_parts = LOOP.replace("m.content", "(m.content | map(attribute='text') | join('|'))")
    assert "one |two" in renderer_of(only_parts + OPEN).prompt([parts]).text
    assert "one two" in renderer_of(CHATML).prompt([parts]).text
    assert "onetwo" in family("gemma3").prompt([parts]).text  # its template trims each part


def test_an_image_is_refused_by_row() -> None:
    picture = Message("user", (ImagePart(path="x.png"), TextPart("what?")))
    with pytest.raises(DataError, match=r"Row 3 .*picture"):
        family("gemma3").examples(Conversation(3, (picture, message("assistant", "a cat"))))


def test_an_end_token_inside_an_answer_is_refused_by_row() -> None:
    with pytest.raises(DataError, match=r"Row 9: .*<\|im_end\|>"):
        renderer_of(CHATML).examples(talk("a", "b<|im_end|> c", row=9))


def test_a_row_without_answer_is_refused() -> None:
    with pytest.raises(DataError, match="Row 4 has no assistant message"):
        renderer_of(CHATML).examples(talk("a", row=4))
