from __future__ import annotations

import time

import pytest

from metier.core.errors import ConfigError, DataError
from tests.rendering.families import renderer_of, talk
from tests.support.tiny import CHATML

ENDLESS = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
HOSTILE = {
    "loops within loops": ENDLESS,
    "a macro that calls itself": "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "a power": "{{ 10 ** 10 ** 10 }}",
    "a text times a number": "{{ 'a' * 10000000000 }}",
    "a range": "{% for a in range(10000000000) %}x{% endfor %}",
    "the interpreter": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "a broken tag": "{% for %}",
    "its own refusal": "{{ raise_exception('no') }}",
    "too much source": "x" * 300_000,
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_or_broken_template_is_one_clear_error(what: str) -> None:
    started = time.monotonic()
    with pytest.raises(ConfigError, match="Chat template of") as caught:
        renderer_of(HOSTILE[what] + CHATML)
    assert time.monotonic() - started < 3
    assert "\n" not in str(caught.value)


def test_a_template_that_breaks_on_one_row_names_it() -> None:
    breaks = "{% if messages[0].content == 'go' %}" + ENDLESS + "{% endif %}" + CHATML
    with pytest.raises(DataError, match=r"Row 2 .*loop turns"):
        renderer_of(breaks).examples(talk("go", "b", row=2))


def test_a_templates_date_never_changes() -> None:
    dated = "{{ strftime_now('%d %b %Y') }} {{ date_string }}" + CHATML
    assert renderer_of(dated).prompt(talk("a").messages).text.startswith("26 Jul 2024 26 Jul 2024<|im_start|>")


def test_generation_marks_and_loop_controls_are_understood() -> None:
    marked = (
        "{% for m in messages %}{% if m.role == 'tool' %}{% continue %}{% endif %}"
        "{{ '<|im_start|>' + m.role + '\n' }}{% generation %}{{ m.content }}{% endgeneration %}{{ '<|im_end|>\n' }}"
        "{% endfor %}"
    )
    assert (
        renderer_of(marked).prompt(talk("a").messages).text == "<|im_start|>user\na<|im_end|>\n<|im_start|>assistant\n"
    )
