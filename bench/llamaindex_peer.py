"""The same import and 200 questions against LlamaIndex's defaults, with the same vectors computed beforehand.

Their side: `VectorStoreIndex` over nodes that carry their vectors, in memory, as `from_documents` makes it; the 10
nearest by its retriever. Ours: passages, words and vectors in the durable index, folded in; the 10 best by words and
vectors together. No embedding model can be downloaded here and the packaged one knows no Chinese, so the vectors are
latent semantic ones of the articles themselves (character pairs, tf-idf, 200 dimensions): weak, and the same for both.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.support.law import LAW, law_articles, law_passages, law_questions

from metier.knowledge.index import PassageIndex
from metier.knowledge.passage import Filters, Passage
from metier.knowledge.terms import terms

QUESTIONS, WIDTH = 200, 200
Found = list[list[int]]


def main() -> int:
    if not LAW.is_dir():
        print("the public data beside the project (shared/data) is absent")
        return 0
    documents = law_passages(law_articles())
    passages = [one for of_one in documents.values() for one in of_one]
    rows = law_questions()[:QUESTIONS]
    asked = [str(row["question"]) for row in rows]
    gold = [set(row["gold_articles"]) for row in rows]
    print("computing the vectors …", flush=True)
    vectors, questions = _vectors([f"{one.title} {one.article} {one.text}" for one in passages], asked)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    ours_import, ours_search, ours = _ours(documents, vectors, asked, questions)
    theirs_import, theirs_search, theirs = _theirs(passages, vectors, questions)
    _show("LlamaIndex", theirs_import, theirs_search, theirs, gold)
    _show("Métier", ours_import, ours_search, ours, gold)
    print(f"import {theirs_import / ours_import:.1f}×, questions {theirs_search / ours_search:.1f}×, both ", end="")
    ratio = (theirs_import + theirs_search) / (ours_import + ours_search)
    print(f"{ratio:.1f}× as fast (bar 3×)")
    return 0 if ratio >= 3 and _recall(ours, gold) > _recall(theirs, gold) else 1


def _ours(
    documents: dict[str, list[Passage]], vectors: Any, asked: Sequence[str], questions: Any
) -> tuple[float, float, Found]:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        index = PassageIndex.open(Path(folder))
        places = np.cumsum([0, *map(len, documents.values())])
        of_document = {name: vectors[places[n] : places[n + 1]] for n, name in enumerate(documents)}
        index.replace_many(documents, of_document)
        index.tidy()
        imported = time.perf_counter() - began
        mine = Filters("local")
        seconds, found = _timed(
            lambda n: [hit.passage.start for hit in index.search(asked[n], mine, limit=10, vector=questions[n])],
            len(asked),
        )
    return imported, seconds, found


def _theirs(passages: list[Passage], vectors: Any, questions: Any) -> tuple[float, float, Found]:
    from llama_index.core import MockEmbedding, QueryBundle, VectorStoreIndex
    from llama_index.core.schema import TextNode

    lists = vectors.tolist()
    began = time.perf_counter()
    nodes = [
        TextNode(id_=str(one.start), text=f"{one.title} {one.article} {one.text}", embedding=vector)
        for one, vector in zip(passages, lists, strict=True)
    ]
    index = VectorStoreIndex(nodes, embed_model=MockEmbedding(embed_dim=WIDTH))
    imported = time.perf_counter() - began
    retriever = index.as_retriever(similarity_top_k=10)
    bundles = [QueryBundle("?", embedding=vector) for vector in questions.tolist()]
    seconds, found = _timed(lambda n: [int(node.node_id) for node in retriever.retrieve(bundles[n])], len(bundles))
    return imported, seconds, found


def _timed(ask: Callable[[int], list[int]], count: int) -> tuple[float, Found]:
    began = time.perf_counter()
    found = [ask(number) for number in range(count)]
    return time.perf_counter() - began, found


def _vectors(texts: Sequence[str], questions: Sequence[str]) -> tuple[Any, Any]:
    """Latent semantic vectors (Deerwester et al. 1990) of length 1: n × width, and those of the questions."""
    import scipy.sparse as sparse
    from scipy.sparse.linalg import svds

    known: dict[str, int] = {}
    counted = [Counter(terms(text)) for text in texts]
    for counts in counted:
        for term in counts:
            known.setdefault(term, len(known))

    def matrix(rows: Sequence[Counter[str]]) -> Any:
        cells = [
            (n, known[term], 1 + np.log(count))
            for n, row in enumerate(rows)
            for term, count in row.items()
            if term in known
        ]
        n, term, value = (np.array(column) for column in zip(*cells, strict=True))
        return sparse.csr_matrix((value.astype(np.float32), (n, term)), (len(rows), len(known)))

    table = matrix(counted)
    having = np.bincount(table.indices, minlength=len(known))
    weight = np.where((having >= 5) & (having < len(texts) / 10), np.log(len(texts) / np.maximum(having, 1)), 0.0)
    scaled = sparse.diags(weight.astype(np.float32))
    table = table @ scaled
    length = np.sqrt(np.asarray(table.multiply(table).sum(1)).ravel()) + 1e-9
    _, _, directions = svds(sparse.diags(1 / length).astype(np.float32) @ table, k=WIDTH, random_state=0)
    return _unit(table @ directions.T), _unit(
        matrix([Counter(terms(one)) for one in questions]) @ scaled @ directions.T
    )


def _unit(vectors: Any) -> Any:
    return (vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9)).astype(np.float32)


def _recall(found: Found, gold: list[set[int]]) -> float:
    return sum(len(right & set(ids)) / len(right) for right, ids in zip(gold, found, strict=True)) / len(gold)


def _show(name: str, imported: float, searched: float, found: Found, gold: list[set[int]]) -> None:
    each = 1000 * searched / QUESTIONS
    print(f"{name:<12} import {imported:6.1f} s  {QUESTIONS} questions {searched:6.1f} s ({each:.0f} ms)", end="")
    print(f"  R@10 {_recall(found, gold):.3f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
