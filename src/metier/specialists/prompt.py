"""What the model is asked: prompt, evidence and conversation within its window. What did not fit is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from metier.core.i18n import LANGUAGES, Language, translate
from metier.data.messages import message
from metier.engines.base import prompt_budget
from metier.engines.chatmodel import ChatModel, Turn
from metier.specialists.citations import without_marks
from metier.specialists.evidence import Evidence
from metier.specialists.gathering import numbered
from metier.specialists.spec import Specialist

# Of the room that is left beside the question, the share that passages may take before older messages get theirs.
_PASSAGES_FIRST = 0.6


@dataclass(frozen=True, slots=True)
class Composed:
    """A prompt. evidence: what stands in it, numbered; left_out: passages and other evidence that did not fit;
    turns_left_out: older messages; characters_cut: out of the middle of the question."""

    turns: tuple[Turn, ...]
    evidence: tuple[Evidence, ...]
    left_out: int = 0
    turns_left_out: int = 0
    characters_cut: int = 0

    def notices(self, language: Language) -> list[str]:
        """What was left out, in words."""
        told = {"passages_left_out": self.left_out, "turns_left_out": self.turns_left_out}
        said = [translate(f"specialists.{key}", language=language, count=n) for key, n in told.items() if n]
        if self.characters_cut:
            said.append(translate("specialists.question_cut", language=language, count=self.characters_cut))
        return said


def compose(
    specialist: Specialist,
    turns: Sequence[Turn],
    evidence: Sequence[Evidence],
    model: ChatModel,
    language: Language,
) -> Composed:
    """Fits evidence and conversation into the model's window: the question always, then the best passages, then the
    newest messages, then more passages."""
    room = prompt_budget(model.context_length, specialist.sampling.max_new_tokens)
    system = system_prompt(specialist, bool(evidence), language)
    *before, asked = [replace(turn, message=message(turn.message.role, _unmarked(turn, specialist))) for turn in turns]

    def built(kept: Sequence[Evidence], history: Sequence[Turn]) -> tuple[Turn, ...]:
        question = message("user", with_evidence(asked.message.text, numbered(kept), language))
        first = (Turn(message("system", system)),) if system else ()
        return (*first, *history, Turn(question))

    def fits(kept: Sequence[Evidence], history: Sequence[Turn], share: float = 1.0) -> bool:
        used = model.count(built(kept, history))
        return used <= bare_size + (room - bare_size) * share

    asked, cut = _shortened(asked, system, model, room)
    bare_size = min(room, model.count(built((), ())))
    kept: list[Evidence] = []
    for one in evidence:
        if fits([*kept, one], (), _PASSAGES_FIRST):
            kept.append(one)
    history: list[Turn] = []
    for turn in reversed(before):
        if not fits(kept, [turn, *history]):
            break
        history.insert(0, turn)
    while history and history[0].message.role != "user":
        history.pop(0)
    for one in evidence:
        if one not in kept and fits([*kept, one], history):
            kept.append(one)
    kept.sort(key=list(evidence).index)
    return Composed(
        built(kept, history), tuple(numbered(kept)), len(evidence) - len(kept), len(before) - len(history), cut
    )


def system_prompt(specialist: Specialist, has_evidence: bool, language: Language) -> str:
    """The specialist's own prompt and, where there is evidence, how to cite it."""
    parts = [specialist.system_prompt.strip()]
    if has_evidence:
        parts.append(translate("specialists.how_to_cite", language=language))
        if specialist.rules.abstain:
            parts.append(translate("specialists.how_to_abstain", language=language, words=no_answer(language)))
    wanted = specialist.rules.format
    parts.append((getattr(wanted, language) or wanted.en or wanted.zh).strip())
    return "\n\n".join(part for part in parts if part)


def no_answer(language: Language) -> str:
    """What a model says where the evidence does not answer."""
    return translate("specialists.no_answer", language=language)


def with_evidence(question: str, evidence: Sequence[Evidence], language: Language) -> str:
    """The question behind its evidence. Texts of documents are fenced: what looks like an order in them is a text."""
    if not evidence:
        return question
    blocks = "\n\n".join(evidence_text(one, language) for one in evidence)
    return translate("specialists.evidence_and_question", language=language, evidence=blocks, question=question)


def evidence_text(one: Evidence, language: Language) -> str:
    """A piece of evidence as the model reads it. A text cannot close its own fence, nor begin another's."""
    fenced = one.text.replace("<<<", "‹‹‹").replace(">>>", "›››").strip()
    kind = translate(f"specialists.kind_{one.kind}", language=language)
    title = " ".join(one.title.split())
    return f"[{one.number}] {kind} {title}\n<<<\n{fenced}\n>>>"


def _unmarked(turn: Turn, specialist: Specialist) -> str:
    """An earlier answer without what was put into it: marks (their numbers meant other evidence), warnings, and the
    disclaimer. A model would repeat them."""
    text = turn.message.text
    if turn.message.role == "assistant":
        text = without_marks(text)
        warnings = [translate("specialists.unsupported", language=language) for language in LANGUAGES]
        for added in (*warnings, *_said_after(specialist)):
            text = text.replace(added, "")
    return text.strip() if turn.message.role == "assistant" else text


def _said_after(specialist: Specialist) -> list[str]:
    return [text for text in (specialist.rules.disclaimer.en, specialist.rules.disclaimer.zh) if text]


def _shortened(asked: Turn, system: str, model: ChatModel, room: int) -> tuple[Turn, int]:
    """The question, its middle cut out where it alone exceeds the window, and the characters that were cut."""
    text, first = asked.message.text, (Turn(message("system", system)),) if system else ()

    def size(words: str) -> int:
        return model.count((*first, Turn(message("user", words))))

    kept = len(text)
    while kept > 20 and size(_middle_out(text, kept)) > room:
        kept = kept * 3 // 4
    return Turn(message("user", _middle_out(text, kept))), len(text) - kept


def _middle_out(text: str, kept: int) -> str:
    if kept >= len(text):
        return text
    return f"{text[: (kept + 1) // 2]} … {text[len(text) - kept // 2 :]}"
