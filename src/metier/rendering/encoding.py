"""Text to token ids and back, exactly as the tokenizer does it, but each distinct piece only once.

Added tokens (`<|im_start|>`, `<think>`, …) are cut out of a text before anything else is tokenised, so a text's ids are
the ids of its pieces between them, one after the other. Where that holds (`is_piecewise` decides, from the tokenizer's
own declarations and a probe) pieces are kept and looked up, which makes the growing prompts of a long conversation
cheap. Where it does not (SentencePiece's space at the start, tokens that swallow spaces) whole texts are tokenised.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

_KEPT_CHARACTERS = 64_000_000
_PROBES = ("a", " a", "A b", "\n\nx", "你好", "  12", "\n")


class Encoder:
    """Encodes and decodes with `tokenizer`, never adding special tokens of its own."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self._backend = getattr(tokenizer, "backend_tokenizer", None)
        self._added: dict[str, int] = {str(token): int(i) for token, i in tokenizer.get_added_vocab().items()}
        longest_first = sorted(self._added, key=len, reverse=True)
        self._cut = re.compile("(" + "|".join(map(re.escape, longest_first)) + ")") if longest_first else None
        self._pieces: dict[str, tuple[int, ...]] = {}
        self._size = 0
        self.is_piecewise = self._cut is not None and self._plainly_declared() and self._probe()
        self.is_appendable = all(self.encode(f"\n{one}") == self.encode("\n") + self.encode(one) for one in ("a", "你"))

    def _plainly_declared(self) -> bool:
        return self._backend is not None and not any(
            token.lstrip or token.rstrip or token.single_word or (token.normalized and self._normalizes())
            for token in self.tokenizer.added_tokens_decoder.values()
        )

    def _normalizes(self) -> bool:
        """Whether text is changed before tokens are looked for; DeepSeek declares a sequence of no normalizers."""
        normalizer = getattr(self._backend, "normalizer", None)
        empty = {"type": "Sequence", "normalizers": []}
        return normalizer is not None and json.loads(normalizer.__getstate__()) != empty

    def _probe(self) -> bool:
        # Longest names first among those that are not space: Gemma's longest is a run of line breaks.
        for special in (
            max(self._added, key=lambda token: (not token.isspace(), len(token))),
            max(self._added, key=len),
        ):
            for text in _PROBES:
                whole = f"{special}{text}{special}"
                if self._tokenize([whole])[0] != tuple(self._apart(whole)):
                    return False
        return True

    def _apart(self, text: str) -> Iterator[int]:
        """The ids of the pieces between added tokens, each tokenised alone."""
        for piece in filter(None, self._cut.split(text) if self._cut is not None else (text,)):
            known = self._added.get(piece)
            yield from self._tokenize([piece])[0] if known is None else (known,)

    def _tokenize(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        if self._backend is not None:
            encodings = self._backend.encode_batch_fast(list(texts), add_special_tokens=False)
            return [tuple(encoding.ids) for encoding in encodings]
        return [tuple(ids) for ids in self.tokenizer(list(texts), add_special_tokens=False)["input_ids"]]

    def _split(self, text: str) -> Iterator[str]:
        if not self.is_piecewise or self._cut is None:
            return iter((text,))
        return (piece for piece in self._cut.split(text) if piece)

    def prepare(self, texts: Iterable[str]) -> None:
        """Tokenises what is new in `texts` in one call, so that `encode` finds it."""
        new = dict.fromkeys(
            piece for text in texts for piece in self._split(text) if piece not in self._pieces and piece != ""
        )
        if self._size > _KEPT_CHARACTERS:
            self._pieces.clear()
            self._size = 0
        added = self._added if self.is_piecewise else {}
        unknown = [piece for piece in new if piece not in added]
        for piece, ids in zip(unknown, self._tokenize(unknown) if unknown else (), strict=True):
            self._pieces[piece] = ids
            self._size += len(piece) + 4 * len(ids)

    def encode(self, text: str) -> list[int]:
        """The ids of `text`; special tokens written in it count as such."""
        ids: list[int] = []
        added = self._added if self.is_piecewise else {}
        for piece in self._split(text):
            if piece in added:
                ids.append(added[piece])
                continue
            known = self._pieces.get(piece)
            if known is None:
                self.prepare((piece,))
                known = self._pieces.get(piece, ())
            ids += known
        return ids

    def continuation(self, before: str, text: str) -> list[int]:
        """The ids of `text` as it follows `before`, tokenised apart from it: what a model writes after a prompt.

        A model that was given the ids of `before` can only append; so ids are never merged over the boundary, even
        where tokenising both at once would. Tokenizers that put a space before every text (SentencePiece) do not get
        to do so here: the ids of `before` are taken off those of both or, where they are no prefix, those of a line
        break off a text that begins with one.
        """
        if self.is_appendable:
            return self.encode(text)
        for start in (before, "\n"):
            head, both = self.encode(start), self.encode(start + text)
            if both[: len(head)] == head:
                return both[len(head) :]
        return self.encode(text)

    def first_added(self, text: str) -> tuple[int, int] | None:
        """Start and end of the first added token in `text`."""
        match = self._cut.search(text) if self._cut is not None else None
        return match.span() if match else None

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = True) -> str:
        """The text of `ids`, every space as it is."""
        text = self.tokenizer.decode(
            list(ids), skip_special_tokens=skip_special_tokens, clean_up_tokenization_spaces=False
        )
        return str(text)


class IncrementalDecoder:
    """Turns a stream of ids into text pieces; a character that needs several tokens comes out once it is whole.

    The pieces joined are `decode` of all ids. decode: such as `Renderer.decode`.
    """

    # A UTF-8 character has at most four bytes, so more ids than that hold no unfinished character any more.
    _LONGEST = 8

    def __init__(self, renderer: Any) -> None:
        self._decode = renderer.decode
        self._ids: list[int] = []
        self._start = 0
        self._sent = 0

    def push(self, token_id: int) -> str:
        """The text that became certain with `token_id`; often one word, sometimes nothing."""
        self._ids.append(token_id)
        before = self._decode(self._ids[self._start : self._sent])
        text = self._decode(self._ids[self._start :])
        unfinished = text.endswith("\ufffd") and len(self._ids) - self._sent <= self._LONGEST
        if unfinished or len(text) <= len(before):
            return ""
        self._start, self._sent = self._sent, len(self._ids)
        return str(text[len(before) :])

    def finish(self) -> str:
        """What is left at the end, unfinished bytes as U+FFFD."""
        before = self._decode(self._ids[self._start : self._sent])
        text = self._decode(self._ids[self._start :])
        self._start = self._sent = len(self._ids)
        return str(text[len(before) :])


def declared_stop_ids(tokenizer: Any, folder: Any | None) -> list[int]:
    """The end tokens that tokenizer and `generation_config.json` in `folder` name."""
    stops: list[int] = []
    if tokenizer.eos_token_id is not None:
        stops.append(int(tokenizer.eos_token_id))
    path = folder / "generation_config.json" if folder is not None else None
    if path is not None and path.is_file():
        named = json.loads(path.read_text(encoding="utf-8")).get("eos_token_id")
        stops += named if isinstance(named, list) else [] if named is None else [named]
    return list(dict.fromkeys(int(stop) for stop in stops))
