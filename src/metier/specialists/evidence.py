"""What an answer rests on, frozen into it: reload, removal or a new version of a document never move a citation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, is_dataclass
from typing import Any, Literal

from metier.knowledge.passage import Passage

Mode = Literal["written", "quoted", "abstained"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing an answer may cite as [number]: a passage, a statement of the user, or a tool's result.

    base: the knowledge base of a passage; text: the passage's words, the user's, or the result as text; details: a
    tool's name, arguments and structured result.
    """

    number: int
    kind: Literal["passage", "user", "tool"]
    text: str
    title: str = ""
    base: str = ""
    passage: Passage | None = None
    details: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Citation:
    """A [number] in an answer's text, at start:end (characters of the text). quote_start, quote_end: the words of the
    evidence's text that it rests on; exact: whether they stand in the answer letter by letter."""

    number: int
    start: int
    end: int
    quote_start: int
    quote_end: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the answer at start:end. factual: whether it claims something; support: 0 to 1; cited: the
    numbers it names; verdict: what was found of it."""

    start: int
    end: int
    factual: bool
    support: float
    cited: tuple[int, ...]
    verdict: Literal["supported", "unsupported", "not_a_claim"]


@dataclass(frozen=True, slots=True)
class ToolStep:
    """A tool that was used, as the page shows it. error: what went wrong, in words."""

    name: str
    arguments: dict[str, Any]
    result: dict[str, Any] | None
    text: str
    called_by: Literal["model", "rule"]
    error: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer.

    mode: written by the model, quoted from passages (why: `reason`), or abstained; notices: what was left out and why,
    as said; version: of the specialist; seconds: wall time.
    """

    text: str
    mode: Mode
    specialist: str
    version: str
    thinking: str = ""
    reason: str = ""
    evidence: tuple[Evidence, ...] = ()
    citations: tuple[Citation, ...] = ()
    sentences: tuple[Sentence, ...] = ()
    steps: tuple[ToolStep, ...] = ()
    notices: tuple[str, ...] = ()
    finished_by: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Everything, as JSON-able values."""
        return plain(self)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class AnswerPiece:
    """A piece of an answer while it comes. kind: `step` (a tool was used), `evidence` (what was found), `thinking`,
    `answer` (text that has been checked already), `notice`, or `end` with the whole answer."""

    kind: Literal["step", "evidence", "thinking", "answer", "notice", "end"]
    text: str = ""
    step: ToolStep | None = None
    evidence: tuple[Evidence, ...] = ()
    answer: Answer | None = None


def plain(value: Any) -> Any:
    """Any of these as JSON-able values: dates as ISO text, tuples as lists."""
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    if isinstance(value, Mapping):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
