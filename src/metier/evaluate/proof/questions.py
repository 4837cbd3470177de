"""The questions of a proof: JSON lines, one object each.

    {"id": "q1", "question": "…", "gold": ["劳动法 第四十四条"], "reference": "…"}
    {"question": "…", "answerable": false, "history": [{"role": "user", "content": "…"}, …]}

gold: the sources that an answer should rest on (title and article, file, or passage id); reference: an expert's answer;
answerable: false where the documents hold no answer, or the question presupposes what is not so; history: what was said
before. `messages` in OpenAI's shape takes the place of `question` and `history`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, cast, get_args

from metier.core.errors import DataError
from metier.core.registry import nearest
from metier.data.messages import Role, message
from metier.data.strictjson import JsonError, parse
from metier.engines.chatmodel import Turn
from metier.evaluate.citing import source_name

_KEYS = ("id", "question", "gold", "reference", "answerable", "history", "messages", "kind")


@dataclass(frozen=True, slots=True)
class Question:
    """One question. turns: the conversation, the question last; gold: names of sources, as they are compared."""

    id: str
    turns: tuple[Turn, ...]
    gold: frozenset[str]
    sources: tuple[str, ...]
    reference: str
    answerable: bool

    @property
    def text(self) -> str:
        """The question itself."""
        return self.turns[-1].message.text

    @property
    def said(self) -> list[str]:
        """All that the user said, the question last."""
        return [turn.message.text for turn in self.turns if turn.message.role == "user"]


def shipped_questions() -> list[str]:
    """Names of the questions that come with the product."""
    folder = files("metier.evaluate").joinpath("questions")
    return sorted(Path(entry.name).stem for entry in folder.iterdir() if entry.name.endswith(".jsonl"))


def questions_file(named: Path) -> Path:
    """The file of questions that a spec names: a file, or a shipped one by its name (`legal`). Raises DataError where
    there is neither."""
    if named.is_file():
        return named
    if str(named) in shipped_questions():
        return Path(str(files("metier.evaluate").joinpath("questions", f"{named}.jsonl")))
    raise DataError("evaluate.no_questions", file=named, known=", ".join(shipped_questions()))


def read_questions(file: Path, most: int | None = None) -> list[Question]:
    """The questions in order, the first `most` of them. Raises DataError naming file and line for the first wrong one,
    and for an empty file."""
    if not file.is_file():
        raise DataError("evaluate.no_questions", file=file, known=", ".join(shipped_questions()))
    found: list[Question] = []
    lines: dict[str, int] = {}
    for line, record in _records(file):
        question = _question(record, file, line)
        if question.id in lines:
            raise DataError("evaluate.repeated_id", file=file, line=line, id=question.id, other=lines[question.id])
        lines[question.id] = line
        found.append(question)
    if not found:
        raise DataError("evaluate.empty_questions", file=file)
    return found[:most]


def _records(file: Path) -> Iterator[tuple[int, Any]]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError("evaluate.unreadable_file", file=file, problem=str(error)) from error
    for line, content in enumerate(text.split("\n"), 1):
        if content.strip():
            try:
                yield line, parse(content)
            except JsonError as error:
                raise DataError("evaluate.not_json", file=file, line=line, problem=_why(error)) from error


def _why(error: JsonError) -> str:
    return str(error.fields.get("problem") or error.name.replace("_", " "))


def _question(record: Any, file: Path, line: int) -> Question:
    if not isinstance(record, dict):
        raise DataError("evaluate.not_object", file=file, line=line)
    for key in record:
        if key not in _KEYS:
            hint = nearest(str(key), list(_KEYS))
            raise DataError("evaluate.question_key", file=file, line=line, key=key, hint=hint)
    turns = _turns(record, file, line)
    gold = record.get("gold", [])
    gold = [gold] if isinstance(gold, str) else gold
    answerable = record.get("answerable", True)
    wrong = "gold" if not _are_texts(gold) else "answerable" if not isinstance(answerable, bool) else ""
    if wrong or (gold and not answerable):
        raise DataError("evaluate.question_value", file=file, line=line, key=wrong or "gold")
    return Question(
        id=str(record.get("id", line)),
        turns=turns,
        gold=frozenset(source_name(one) for one in gold),
        sources=tuple(gold),
        reference=_text(record, "reference", file, line),
        answerable=answerable,
    )


def _turns(record: Mapping[str, Any], file: Path, line: int) -> tuple[Turn, ...]:
    given = record.get("messages")
    if given is None:
        asked = {"role": "user", "content": record.get("question")}
        given = [*(record.get("history") or []), asked]
    turns = []
    for one in given if isinstance(given, list) else ():
        role, content = (one.get("role"), one.get("content")) if isinstance(one, dict) else (None, None)
        if role not in get_args(Role) or not isinstance(content, str) or not content.strip():
            raise DataError("evaluate.question_value", file=file, line=line, key="question")
        turns.append(Turn(message(cast(Role, role), content)))
    if not turns or turns[-1].message.role != "user":
        raise DataError("evaluate.question_value", file=file, line=line, key="question")
    return tuple(turns)


def _text(record: Mapping[str, Any], key: str, file: Path, line: int) -> str:
    value = record.get(key, "")
    if not isinstance(value, str):
        raise DataError("evaluate.question_value", file=file, line=line, key=key)
    return value


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(one, str) and one.strip() for one in values)
