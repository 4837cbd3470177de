"""Sentences of an answer, while it is still coming: where each ends, and whether it claims anything."""

from __future__ import annotations

import re
from collections.abc import Iterator

from metier.specialists.words import figures, units

MARK = re.compile(r"\s*[\[【]\s*(\d{1,3}(?:\s*[,，、]\s*\d{1,3})*)\s*[\]】]")
_END = re.compile(r"[。！？!?；;…]+|\.(?=\s|\[|【|$)|\n+")
_CLOSER = re.compile(r"[”’」』\"')）》】]*")
# A full stop after these ends no sentence.
_SHORT = re.compile(
    r"(?:^|\s|\()(?:\d{1,3}|[A-Za-z]|e\.g|i\.e|cf|vs|no|art|arts|sec|para|mr|mrs|ms|dr|prof|inc|ltd|co)$", re.IGNORECASE
)
_LIST = re.compile(
    r"^\s*(?:[-*+•·]|\d{1,3}[.、)）]|[（(][一二三四五六七八九十\d]{1,3}[)）]|[一二三四五六七八九十]{1,3}、|#{1,6}|>)\s*"
)
_HEADING = re.compile(r"#|\*\*[^*]+\*\*$|__[^_]+__$")
_ADVICE = re.compile(
    r"^(?:请|建议|您可以|你可以|可以先|务必|尽快|注意|首先请|希望|如有|祝|please\b|you (?:can|could|may|might want)\b|"
    r"i (?:suggest|recommend|advise|hope)\b|consider\b|feel free\b|let me know\b|keep\b|collect\b|make sure\b)",
    re.IGNORECASE,
)
_BINDING = re.compile(
    r"应当|必须|不得|有权|无权|法律|第.{1,8}条|\b(?:must|shall|law|article|entitled|required)\b", re.IGNORECASE
)
# Words an assistant says about itself or its sources, not about the matter.
_ABOUT_ITSELF = re.compile(
    r"^(?:您好|你好|好的|谢谢|感谢|根据(?:您|你)?(?:提供的|上述|以上)?(?:资料|文档|材料|信息)[，,：:]?$|以上|综上|总之|希望|"
    r"文档中没有|资料中没有|hello\b|hi\b|sure\b|thank|in summary\b|the documents do not)",
    re.IGNORECASE,
)


class SentenceStream:
    """Cuts streamed text into sentences; joined again they are the text, character by character."""

    def __init__(self) -> None:
        self._held = ""

    def push(self, text: str) -> list[str]:
        """Takes text, returns the sentences that are certain to be whole."""
        self._held += text
        return list(self._cut(final=False))

    def finish(self) -> list[str]:
        """The sentences still held."""
        return list(self._cut(final=True))

    def _cut(self, *, final: bool) -> Iterator[str]:
        while (end := sentence_end(self._held, final=final)) is not None:
            sentence, self._held = self._held[:end], self._held[end:]
            yield sentence
        if final and self._held:
            yield self._held
            self._held = ""


def sentence_end(text: str, *, final: bool) -> int | None:
    """Where the first sentence of `text` ends, its closing quotes, [n] marks and blanks included; None if not yet."""
    for match in _END.finditer(text):
        if not text[: match.end()].strip():
            continue
        if match.group() == "." and _SHORT.search(text[: match.start()]):
            continue
        end = _behind(text, match.end())
        if end < len(text):
            # What follows might be the beginning of a mark: “[1” of “[12]”.
            if (
                not final
                and text[end] in "[【"
                and len(text) - end < 16
                and "]" not in text[end:]
                and "】" not in text[end:]
            ):
                return None
            return end
        return end if final else None
    return None


def _behind(text: str, end: int) -> int:
    """The end of closers, marks and blanks behind a sentence's last character."""
    while True:
        start = end
        closer = _CLOSER.match(text, end)
        end = closer.end() if closer else end
        while mark := MARK.match(text, end):
            end = mark.end()
        while end < len(text) and text[end].isspace():
            end += 1
        if end == start:
            return end


def split_sentences(text: str) -> list[str]:
    """All sentences of a whole text; joined they are the text."""
    stream = SentenceStream()
    return [*stream.push(text), *stream.finish()]


def bare(sentence: str) -> str:
    """A sentence without its list mark, emphasis and [n] marks."""
    return _LIST.sub("", MARK.sub("", sentence)).replace("**", "").replace("__", "").strip()


def is_claim(sentence: str) -> bool:
    """Whether a sentence states something that evidence can bear out.

    Headings (`#`, or a line in bold), questions, greetings and plain advice (“keep your records”) state nothing; advice
    that names a figure, a duty or an article does.
    """
    text = bare(sentence)
    if _HEADING.match(sentence.strip()) or text.endswith(("?", "？", ":", "：")) or len(units(text)) < 2:
        return bool(figures(text)) and not text.endswith(("?", "？", ":", "："))
    if _ABOUT_ITSELF.match(text) and not figures(text) and not _BINDING.search(text):
        return False
    return not (_ADVICE.match(text) and not figures(text) and not _BINDING.search(text))
