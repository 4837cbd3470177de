from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from metier.core.errors import DataError, UserError
from metier.data.messages import Conversation
from metier.rendering import IncrementalDecoder, load_renderer
from metier.rendering.encoding import Encoder
from tests.rendering.families import family, learnt, renderer_of, talk
from tests.support.tiny import CHATML, byte_tokenizer

TEXTS = ["<|im_start|>user\n你好  1<|im_end|>\n", "plain", "", "<|im_end|><|im_end|>", "a<|im_start"]


@pytest.mark.parametrize("text", TEXTS)
def test_pieces_give_the_ids_of_the_whole_text(text: str) -> None:
    tokenizer = byte_tokenizer()
    encoder = Encoder(tokenizer)
    assert encoder.is_piecewise
    assert encoder.encode(text) == tokenizer.encode(text, add_special_tokens=False)


def sentencepiece_like() -> Any:
    """Puts a space before every text, as Llama 2's does."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers
    from transformers import PreTrainedTokenizerFast

    vocabulary = {"<s>": 0, "</s>": 1, "<unk>": 2, "▁": 3} | {chr(97 + i): 4 + i for i in range(26)}
    vocabulary |= {":": 30, "▁a": 31}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[("▁", "a")], unk_token="<unk>"))
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    backend.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    backend.add_special_tokens([AddedToken("<s>", normalized=False), AddedToken("</s>", normalized=False)])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>")
    tokenizer.chat_template = (
        "{% for m in messages %}{{ 'u:' + m.content if m.role == 'user' else 'a:' + m.content + '</s>' }}{% endfor %}"
        "{% if add_generation_prompt %}{{ 'a:' }}{% endif %}"
    )
    return tokenizer


def test_a_tokenizer_that_puts_a_space_before_every_text_puts_none_before_an_answer() -> None:
    from metier.rendering import make_renderer

    renderer = make_renderer(sentencepiece_like())
    assert not renderer.encoder.is_appendable
    (example,) = renderer.examples(talk("hey", "abc"))
    assert example.input_ids == renderer.tokenizer.encode("u:heya:abc</s>", add_special_tokens=False)
    assert renderer.decode(learnt(example)) == "abc"


def test_characters_of_several_tokens_are_streamed_whole() -> None:
    renderer = renderer_of(CHATML)
    text = "头痛 🩺 ok\n\n  end "
    stream = IncrementalDecoder(renderer)
    pieces = [stream.push(i) for i in renderer.encoder.encode(text)]
    assert all("\ufffd" not in piece for piece in pieces)
    assert "".join(pieces) + stream.finish() == text
    assert max(len(piece) for piece in pieces) == 1


def test_a_stream_that_ends_inside_a_character_says_so_at_its_end() -> None:
    renderer = renderer_of(CHATML)
    ids = renderer.encoder.encode("a头")[:-1]
    stream = IncrementalDecoder(renderer)
    pieces = [stream.push(i) for i in ids]
    assert pieces == ["a", "", ""] and stream.finish().startswith("\ufffd")
    assert "".join(pieces) == "a"


def test_decoding_drops_stop_tokens_and_keeps_every_space() -> None:
    renderer = renderer_of(CHATML)
    ids = renderer.encoder.encode("  Well , n't  <|im_end|>")
    assert renderer.decode(ids) == "  Well , n't  "


def test_many_conversations_give_the_same_examples_as_one_by_one() -> None:
    renderer = family("qwen3")
    rows = [talk(f"q{i}", f"a{i}", "more", "答案", row=i) for i in range(300)]
    many = list(renderer.examples_many(rows, train_on_history=True, cutoff_len=60))
    assert many == [renderer.examples(row, train_on_history=True, cutoff_len=60) for row in rows]


def test_many_conversations_report_errors_and_go_on() -> None:
    rows = [talk("q", "a", row=1), talk("q", row=2), talk("q", "a", row=3)]
    seen: list[tuple[int, type[UserError]]] = []

    def note(conversation: Conversation, error: UserError) -> None:
        seen.append((conversation.row, type(error)))

    counts = [len(one) for one in renderer_of(CHATML).examples_many(rows, on_error=note)]
    assert counts == [1, 0, 1] and seen == [(2, DataError)]


def test_stop_ids_of_the_models_files_are_used(tiny_model: Path, tmp_path: Path) -> None:
    import shutil

    from metier.models import resolve_model

    folder = Path(shutil.copytree(tiny_model, tmp_path / "model"))
    (folder / "generation_config.json").write_text('{"eos_token_id": [2, 0]}')
    renderer = load_renderer(resolve_model(str(folder)))
    assert renderer.stop_ids == (2, 0) and renderer.pad_id == 0
