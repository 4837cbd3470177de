"""The task `embed` of the process beside the server: vectors of texts by a model that is here.

The model that was asked last stays loaded. Devices are the jobs': vectors are made on the processor.
"""

from __future__ import annotations

import base64
from functools import lru_cache
from typing import Any

from metier.knowledge.embedding_local import LocalEmbedder


def embed(name: str, texts: list[str], *, query: bool) -> dict[str, Any]:
    """Vectors of length 1 as little-endian float32 in base64, one after the other, and how many tokens were read."""
    import numpy as np

    embedder = _opened(name)
    vectors = [embedder.embed_query(text) for text in texts] if query else embedder.embed(texts)
    flat = np.ascontiguousarray(vectors, dtype="<f4")
    return {"vectors": base64.b64encode(flat.tobytes()).decode("ascii"), "tokens": embedder.count_tokens(texts)}


@lru_cache(maxsize=1)
def _opened(name: str) -> LocalEmbedder:
    return LocalEmbedder(name)
