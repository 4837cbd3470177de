"""A knowledge base as a retriever of LlamaIndex: `pip install llama-index-core`, then

from metier.knowledge.library import Library
from metier.knowledge.llamaindex import KnowledgeRetriever

base = Library(folder).open("local", "law")
nodes = KnowledgeRetriever(base, limit=6).retrieve("加班费怎么算")
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeRelationship, NodeWithScore, QueryBundle, RelatedNodeInfo, TextNode

from metier.knowledge.passage import Hit

if TYPE_CHECKING:
    from metier.knowledge.base import KnowledgeBase


class KnowledgeRetriever(BaseRetriever):  # type: ignore[misc] # the package has no types that mypy may follow
    """Finds passages of a knowledge base as nodes, the best first.

    base: where to search; limit: nodes at most; search: further words of `KnowledgeBase.search`, such as `titles` or
    `in_force_on`. Each node carries the passage's id, its place in the document, and file, page and article as
    metadata; what a model is shown of these is title and article.
    """

    def __init__(self, base: KnowledgeBase, *, limit: int = 6, **search: Any) -> None:
        self.base = base
        self.limit = limit
        self.search = search
        super().__init__()

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        given = {"vector": query_bundle.embedding} if query_bundle.embedding is not None else {}
        hits = self.base.search(query_bundle.query_str, limit=self.limit, **{**self.search, **given})
        return [_node(hit) for hit in hits]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


def _node(hit: Hit) -> NodeWithScore:
    passage = hit.passage
    metadata = {
        "title": passage.title,
        "article": passage.article,
        "file": passage.file,
        "page": passage.page,
        "path": " › ".join(passage.path),
        "base": hit.base,
        "effective": passage.effective.isoformat() if passage.effective else "",
    }
    node = TextNode(
        id_=passage.id,
        text=passage.text,
        start_char_idx=passage.start,
        end_char_idx=passage.end,
        metadata=metadata,
        excluded_llm_metadata_keys=[key for key in metadata if key not in ("title", "article")],
        excluded_embed_metadata_keys=[key for key in metadata if key not in ("title", "article")],
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=passage.document)},
    )
    return NodeWithScore(node=node, score=hit.score)
