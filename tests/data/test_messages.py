from __future__ import annotations

from metier.data import Conversation, ImagePart, Message, TextPart, message
from tests.data.writing import PNG


def test_prompt_is_all_before_the_last_answer_and_label_is_that_answer() -> None:
    first, second = message("user", "a"), message("user", "c")
    talk = Conversation(1, (first, message("assistant", "b"), second, message("assistant", "d")))
    assert talk.prompt == (first, message("assistant", "b"), second)
    assert talk.label == "d"


def test_without_an_answer_all_is_prompt_and_the_label_is_empty() -> None:
    talk = Conversation(1, (message("user", "a"),))
    assert talk.prompt == talk.messages
    assert talk.label == ""


def test_text_message_goes_to_openai_as_a_string() -> None:
    assert message("user", "你好").to_openai() == {"role": "user", "content": "你好"}


def test_picture_goes_to_openai_as_a_data_address_of_its_type() -> None:
    sent = Message("user", (ImagePart(data=PNG), TextPart("what?"))).to_openai()["content"]
    assert sent[0]["image_url"]["url"].startswith("data:image/png;base64,iVBOR")
    assert sent[1] == {"type": "text", "text": "what?"}
