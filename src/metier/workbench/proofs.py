"""Proofs of specialists as work of the queue: whose specialist, which questions, who judges, and what that takes.

What a specialist is made of is frozen when the work is submitted; its documents are read where its owner keeps them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field

from metier.core.errors import ConfigError
from metier.core.specs import Spec
from metier.evaluate.proof import ProofSpec
from metier.evaluate.proof.plan import rubric_of
from metier.evaluate.proof.sources import LocalSources
from metier.evaluate.proof.spec import VariantName
from metier.evaluate.proof.variants import pairs_of, variants_of
from metier.knowledge.embedding import Embedder, is_endpoint
from metier.specialists.spec import Specialist
from metier.specialists.store import Specialists
from metier.workbench import rubrics
from metier.workbench.accounts import Person
from metier.workbench.chatmodels import ChatModels, Weights
from metier.workbench.secrets import EMBEDDINGS_KEY
from metier.workbench.specialists import OwnSpecialists, reference_of

if TYPE_CHECKING:
    from metier.engines.chatmodel import ChatModel
    from metier.knowledge.base import KnowledgeBase

MOST_QUESTIONS = 2000
_ANSWER_TOKENS = 512  # where neither the work nor the specialist says how long an answer may be
_BARE_TOKENS, _PASSAGE_TOKENS, _JUDGED_TOKENS, _VOTE_TOKENS = 400, 400, 1500, 200  # of prompts, about
_EARLIEST_VOTES = 4  # after which a judge that says nothing readable is known to be unfit


def _names(value: Any) -> Any:
    return tuple(value.split(",")) if isinstance(value, str) else value


class ProveSpec(Spec):
    """Which specialist is proven, on which questions, and who judges.

    specialist: one of the owner's, or a shipped one; version: the newest where left out; questions: shipped ones by
    name, or one of the owner's sets; variants: empty takes all that there are; judge: a model as a conversation names
    it, `run:…` of an own run included, empty for none; rubric: a shipped one's name, empty takes the one named like
    the specialist; max_samples: how many questions, the first ones.
    """

    specialist: str = Field(min_length=1, max_length=64)
    version: str = Field("", max_length=40)
    questions: str = Field(min_length=1, max_length=200)
    variants: Annotated[tuple[VariantName, ...], BeforeValidator(_names)] = ()
    judge: str = Field("", max_length=200)
    judge_votes: int = Field(3, ge=1, le=15)
    rubric: str = Field("", max_length=64)
    max_samples: int = Field(20, ge=1, le=MOST_QUESTIONS)
    max_new_tokens: int | None = Field(None, ge=1, le=32_768)

    def proof(self, questions: Path) -> ProofSpec:
        """As the proof itself takes it."""
        return ProofSpec(
            specialist=self.specialist,
            questions=questions,
            questions_label=self.questions,
            variants=self.variants,
            max_samples=self.max_samples,
            max_new_tokens=self.max_new_tokens,
            rubric=self.rubric,
            judge_model_name_or_path=self.judge or None,
            judge_votes=self.judge_votes,
        )


class Proofs:
    """Freezes proofs for their owners. home: the installation's data folder; local: whether servers and endpoints may
    stand on this machine and in its network."""

    def __init__(self, store: Specialists, models: ChatModels, home: Path, *, local: bool) -> None:
        self._specialists = OwnSpecialists(store, models)
        self._models = models
        self._home = home
        self._local = local

    def freeze(self, owner: Person, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What the child needs of the owner's. Raises NotFoundError for what is not there or not the owner's, and
        ConfigError for variants that cannot be and for a judge without a rubric."""
        spec = ProveSpec.model_validate(asked)
        stored = self._specialists.get(owner, spec.specialist, spec.version or None)
        rubrics.frozen(spec.rubric)
        specialist, files = self._with_files(owner, stored.specialist)
        if spec.judge:
            files[spec.judge] = self._models.weights(owner, spec.judge).to_json()
        bases = self._bases(owner, specialist.knowledge)
        specialist = specialist.model_copy(update={"knowledge": tuple(bases)})
        proof = spec.proof(Path(spec.questions))
        variants_of(specialist, proof)
        rubric_of(proof, specialist)
        keys = [specialist.server.api_key] if specialist.server and specialist.server.api_key else []
        if any(is_endpoint(base.embedder_name) for base in bases.values()):
            keys.append(EMBEDDINGS_KEY)
        return {
            "asked": dict(asked),
            "owner": owner.id,
            "home": str(self._home.resolve()),
            "specialist": specialist.model_dump(mode="json"),
            "version": stored.version,
            "files": files,
            "local": self._local,
            "keys": keys,
        }

    def _with_files(self, owner: Person, specialist: Specialist) -> tuple[Specialist, dict[str, Any]]:
        """The specialist by names alone, and the files behind them: no path of the machine gets into a proof."""
        if specialist.server is not None:
            return specialist, {}
        found = self._models.weights(owner, reference_of(specialist))
        base = found.model if found.adapter else found.reference
        plain = Weights(base, base, found.model, None, found.tokenizer, found.template)
        names = {"model_name_or_path": base, "adapter_name_or_path": found.reference if found.adapter else None}
        return specialist.model_copy(update=names), {found.reference: found.to_json(), base: plain.to_json()}

    def _bases(self, owner: Person, names: Sequence[str]) -> dict[str, KnowledgeBase]:
        from metier.knowledge.library import Library

        return Library(self._home / "knowledge").named(owner.id, names)


class OwnerSources(LocalSources):
    """Where a proof in a job has everything from: what was frozen, and its owner's documents."""

    def __init__(self, work: Mapping[str, Any]) -> None:
        super().__init__(Path(work["home"]), work["owner"])
        self._work = work

    def specialist(self, name: str) -> tuple[Specialist, str]:
        return Specialist.model_validate(self._work["specialist"]), str(self._work["version"])

    def knowledge(self, names: Sequence[str]) -> dict[str, KnowledgeBase]:
        from metier.knowledge.library import Library

        return Library(self.folder / "knowledge", self._embedder).named(self.owner, names)

    def model(self, specialist: Specialist) -> ChatModel:
        from metier.engines.base import EngineOptions
        from metier.engines.opening import open_chat_model

        if specialist.server is not None:
            return open_chat_model(specialist, keys=os.environ, local=bool(self._work["local"]))
        found = self._work["files"][specialist.adapter_name_or_path or specialist.model_name_or_path]
        files = {"model_name_or_path": found["model"], "adapter_name_or_path": found["adapter"]}
        return open_chat_model(specialist.model_copy(update=files), options=EngineOptions(template=found["template"]))

    def _embedder(self, name: str, _owner: str) -> Embedder:
        if not is_endpoint(name):
            from metier.knowledge.embedding import open_embedder

            return open_embedder(name)
        from metier.knowledge.embedding_server import ServerEmbedder

        return ServerEmbedder(name, os.environ.get(EMBEDDINGS_KEY, ""), local=bool(self._work["local"]))


def effort(frozen: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """What a frozen proof asks for. rows: of its questions. `answers`, `votes` at most, `tested` of them on the judge
    itself; `parts`: (how often at least and at most, tokens of a prompt, of an answer at most), for its minutes."""
    spec = ProveSpec.model_validate(frozen["asked"])
    specialist = Specialist.model_validate(frozen["specialist"])
    proof = spec.proof(Path(spec.questions))
    variants, count = variants_of(specialist, proof), min(rows, spec.max_samples)
    most = spec.max_new_tokens or specialist.sampling.max_new_tokens or _ANSWER_TOKENS
    judged = rubric_of(proof, specialist)
    tested = 2 * spec.judge_votes * len(judged[0].dimensions) * len(judged[1]) if judged else 0
    votes = 2 * spec.judge_votes * count * len(pairs_of(variants, proof.judge_pairs)) if judged else 0
    prompts = [_BARE_TOKENS + _PASSAGE_TOKENS * specialist.retrieval.limit * one.has_knowledge for one in variants]
    return {
        "questions": count,
        "variants": [one.name for one in variants],
        "answers": count * len(variants),
        "votes": votes + tested,
        "tested": tested,
        "parts": [[count, count, prompt, most] for prompt in prompts]
        + ([[_EARLIEST_VOTES, votes + tested, _JUDGED_TOKENS, _VOTE_TOKENS]] if judged else []),
    }


def questions_of(work: Mapping[str, Any], folder: Path) -> Path:
    """The questions of a frozen proof: shipped ones by name, or the owner's set as questions, in `folder`.

    A set whose file holds questions already (with `gold`, `reference`, `answerable`) is taken as it is.
    Raises DataError for a set that holds none.
    """
    from metier.core.errors import DataError
    from metier.core.files import write_text
    from metier.data import load_dataset
    from metier.evaluate.proof.questions import read_questions, shipped_questions

    name = str(work["asked"]["questions"])
    if name in shipped_questions():
        return Path(name)
    own = next((path for path in folder.glob(f"{work['dataset_id']}.*") if path.suffix == ".jsonl"), None)
    if own is not None:
        try:
            read_questions(own)
            return own
        except DataError:
            pass  # a set of another form: its conversations are the questions
    rows = load_dataset(
        name, dataset_dir=folder, skip_bad_rows=True, require_answers=False,
        max_samples=int(work["asked"]["max_samples"]),
    ).conversations  # fmt: skip
    target = folder / f"{work['dataset_id']}.questions.jsonl"  # goes with the set's copy when the set is removed
    write_text(target, "".join(line for row in rows if (line := _line(row))))
    return target


def _line(row: Any) -> str:
    """A conversation as a question: what was said up to its last question, and the answer after it as reference."""
    import json

    said = [one for one in row.messages if one.role in ("user", "assistant")]
    last = max((place for place, one in enumerate(said) if one.role == "user"), default=None)
    if last is None or not said[last].text.strip():
        return ""
    asked = [{"role": one.role, "content": one.text} for one in said[: last + 1] if one.text.strip()]
    reference = said[last + 1].text if last + 1 < len(said) else ""
    record = {"id": str(row.row), "messages": asked, "reference": reference}
    return json.dumps(record, ensure_ascii=False) + "\n"


def check_proof(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` as a checked spec. Raises ConfigError for the first wrong key or value."""
    from metier.core.specs import parse_spec

    spec = parse_spec(ProveSpec, dict(values), source="prove")
    if len(spec.variants) == 1:
        raise ConfigError("evaluate.one_variant", specialist=spec.specialist)
    return spec.model_dump(mode="json")
