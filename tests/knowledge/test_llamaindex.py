from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from metier.knowledge.library import Library

pytest.importorskip("llama_index.core")
pytest.importorskip("metier.knowledge.reading")


def test_the_retriever_gives_nodes_that_say_where_they_stand(tmp_path: Path) -> None:
    from llama_index.core.response_synthesizers import CompactAndRefine
    from llama_index.core.schema import MetadataMode

    from metier.knowledge.llamaindex import KnowledgeRetriever

    base = Library(tmp_path).create("anna", "rules")
    base.add([("rules.txt", "第一条 每日工作八小时。\n\n第二条 延时工作按一点五倍支付。".encode())])
    retriever = KnowledgeRetriever(base, limit=2)
    node = retriever.retrieve("延时工作怎么支付")[0]
    assert "一点五倍" in node.node.text
    assert node.score == base.search("延时工作怎么支付", limit=2)[0].score
    document = base.document(node.node.source_node.node_id)
    assert document.text[node.node.start_char_idx : node.node.end_char_idx] == node.node.text
    assert node.node.metadata["file"] == "rules.txt"
    assert "rules.txt" not in node.node.get_content(metadata_mode=MetadataMode.LLM)
    assert asyncio.run(retriever.aretrieve("延时工作怎么支付"))[0].node.node_id == node.node.node_id
    assert CompactAndRefine is not None
