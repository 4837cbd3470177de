"""A cross-encoder reads the question together with each passage that was found, and ranks them anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Protocol

from metier.knowledge.passage import Hit

_BATCH = 16  # pairs


class Reranker(Protocol):
    """Tells how well texts answer a question."""

    def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        """A score a text, higher is better."""


class CrossEncoderReranker:
    """A cross-encoder of sentence-transformers. name: a model of the store, a hub or a folder."""

    def __init__(self, name: str) -> None:
        from metier.knowledge.embedding_local import sentence_folder, sentence_transformers

        self._model: Any = sentence_transformers().CrossEncoder(
            str(sentence_folder(name)), local_files_only=True, model_kwargs={"use_safetensors": True}
        )

    def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        pairs = [(question, text) for text in texts]
        return [float(score) for score in self._model.predict(pairs, batch_size=_BATCH, show_progress_bar=False)]


@cache
def open_reranker(name: str) -> Reranker:
    """Opens a cross-encoder once a process. Raises ModelError for a model that cannot be had."""
    return CrossEncoderReranker(name)


def rerank(question: str, hits: Sequence[Hit], reranker: Reranker) -> list[Hit]:
    """The hits in the reranker's order, with its score as theirs and the old one among the reasons."""
    texts = [f"{hit.passage.source} {hit.passage.text}" for hit in hits]
    scored = zip(hits, reranker.scores(question, texts) if hits else [], strict=True)
    ranked = [
        replace(hit, score=score, reasons={**hit.reasons, "rerank_score": score, "found_score": hit.score})
        for hit, score in scored
    ]
    return sorted(ranked, key=lambda hit: -hit.score)
