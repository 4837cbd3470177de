"""What a proof is about to do: who answers what, who judges by what, and how much of it is done."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from metier.core.errors import ConfigError
from metier.core.files import read_jsonl, sha256_file
from metier.core.i18n import Language
from metier.evaluate.bootstrap import Settings
from metier.evaluate.language import detect_language
from metier.evaluate.proof.questions import Question, questions_file, read_questions
from metier.evaluate.proof.sources import Sources
from metier.evaluate.proof.spec import ProofSpec
from metier.evaluate.proof.variants import Pair, Variant, pairs_of, variants_of
from metier.evaluate.rubric import Case, Rubric, load_rubric, shipped_rubrics
from metier.specialists.spec import Specialist

RANKINGS, FITNESS, VOTES = "rankings.jsonl", "fitness.jsonl", "votes.jsonl"


@dataclass(frozen=True)
class Plan:
    """version: of the specialist; rubric, cases: what a judge judges by and is tested with, if anybody judges."""

    spec: ProofSpec
    folder: Path
    sources: Sources
    specialist: Specialist
    version: str
    questions: tuple[Question, ...]
    variants: tuple[Variant, ...]
    rubric: Rubric | None
    cases: tuple[Case, ...]

    @cached_property
    def language(self) -> Language:
        """What the questions are written in."""
        return detect_language(question.text for question in self.questions)

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The variants that are set against each other."""
        return pairs_of(self.variants, self.spec.judge_pairs)

    @property
    def settings(self) -> Settings:
        """How intervals are made."""
        return Settings(self.spec.bootstrap_samples, self.spec.confidence, self.spec.seed)

    @property
    def searching(self) -> Variant | None:
        """A variant that answers from documents: all of them search alike."""
        return next((one for one in self.variants if one.has_knowledge), None)

    @property
    def judging_votes(self) -> int:
        """Votes on the variants' answers."""
        return 2 * self.spec.judge_votes * len(self.questions) * len(self.pairs) if self.rubric else 0

    @property
    def total(self) -> int:
        """Answers, searches and votes in all."""
        searched = sum(bool(one.gold) for one in self.questions) if self.searching else 0
        tested = 2 * self.spec.judge_votes * len(self.rubric.dimensions) * len(self.cases) if self.rubric else 0
        return len(self.questions) * len(self.variants) + searched + tested + self.judging_votes

    @property
    def done(self) -> int:
        """How many of them an earlier start left."""
        files = [RANKINGS, FITNESS, VOTES, *(f"answers-{one.name}.jsonl" for one in self.variants)]
        return sum(len(read_jsonl(self.folder / name)) for name in files)

    def about(self) -> dict[str, Any]:
        """The questions, as the page tells of them."""
        return {
            "file": self.spec.questions_label or self.spec.questions.name,
            "sha256": sha256_file(questions_file(self.spec.questions)),
            "language": self.language,
            "count": len(self.questions),
            "with_gold": sum(bool(one.gold) for one in self.questions),
            "with_reference": sum(bool(one.reference) for one in self.questions),
            "without_answer": sum(not one.answerable for one in self.questions),
        }


def plan_of(spec: ProofSpec, folder: Path, sources: Sources) -> Plan:
    """Reads and checks everything that can be wrong before anything is asked. Raises ConfigError and DataError."""
    specialist, version = sources.specialist(spec.specialist)
    questions = tuple(read_questions(questions_file(spec.questions), spec.max_samples))
    variants = tuple(variants_of(specialist, spec))
    rubric, cases = rubric_of(spec, specialist) or (None, ())
    return Plan(spec, folder, sources, specialist, version, questions, variants, rubric, cases)


def rubric_of(spec: ProofSpec, specialist: Specialist) -> tuple[Rubric, tuple[Case, ...]] | None:
    """What the judge judges by, None where nobody judges. Raises ConfigError where a judge has no rubric."""
    if not spec.has_judge:
        return None
    name = spec.rubric or (specialist.name if specialist.name in shipped_rubrics() else "")
    if not name:
        raise ConfigError("evaluate.rubric_needed", known=", ".join(shipped_rubrics()))
    return load_rubric(name)
