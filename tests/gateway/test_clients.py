"""The clients that people use, against the gateway on a real port."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from openai import OpenAI

from metier.gateway.local import Offer
from metier.knowledge.library import Library
from metier.specialists.spec import Specialist
from tests.support.gateway import KEY, behind, gateway
from tests.support.upstream import Upstream, upstream

STATUTE = (
    "中华人民共和国劳动合同法\n\n第四十六条 有下列情形之一的，用人单位应当向劳动者支付经济补偿。\n\n"
    "第四十七条 经济补偿按劳动者在本单位工作的年限，每满一年支付一个月工资的标准向劳动者支付。\n"
)


@pytest.fixture(scope="module")
def running() -> Iterator[Upstream]:
    with upstream(tokens=4, thinking=2) as one:
        yield one


@pytest.fixture(scope="module")
def address(running: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    home = tmp_path_factory.mktemp("gateway")
    base = Library(home / "knowledge").create("local", "statutes")
    file = home / "劳动合同法.txt"
    file.write_text(STATUTE, encoding="utf-8")
    base.add([file])
    legal = Specialist(name="legal", knowledge=("statutes",), rules={"quote": "always"})  # type: ignore[arg-type]
    offers = {"plain": behind(running.address), "legal": Offer(legal, "v1")}
    # The specialist's model is another's business: here nothing is loaded for what is quoted.
    offers["legal"] = Offer(legal.model_copy(update={"server": offers["plain"].specialist.server}), "v1")
    with gateway(offers, home) as (found, _):
        yield found


@pytest.fixture
def client(address: str) -> OpenAI:
    return OpenAI(base_url=address, api_key=KEY, max_retries=0)


def test_openai_lists_and_asks(client: OpenAI, running: Upstream) -> None:
    assert [card.id for card in client.models.list()] == ["plain", "legal"]
    assert client.models.retrieve("legal").id == "legal"
    answer = client.chat.completions.create(model="plain", messages=[{"role": "user", "content": "Hello"}], seed=5)
    said = answer.choices[0].message
    assert said.content == "word2 word3 word4 word5 "
    assert said.reasoning_content == "word0 word1 "
    assert answer.usage.completion_tokens == 6
    assert running.asked[-1]["seed"] == 5
    assert running.asked[-1]["max_tokens"] == 1024


def test_openai_streams(client: OpenAI) -> None:
    asked = {"model": "plain", "messages": [{"role": "user", "content": "Hello"}]}
    stream = client.chat.completions.create(**asked, stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "word2 word3 word4 word5 "
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].usage.total_tokens == 13
    assert {chunk.model for chunk in chunks} == {"plain"}


def test_a_specialist_answers_with_citations_as_annotations(client: OpenAI) -> None:
    question = [{"role": "user", "content": "经济补偿按什么标准支付？"}]
    said = client.chat.completions.create(model="legal", messages=question).choices[0].message
    cited = [note.url_citation for note in said.annotations]
    assert cited
    assert all(said.content[one.start_index : one.end_index] == f"[{one.number}]" for one in cited)
    assert {one.file for one in cited} == {"劳动合同法.txt"}
    assert all(one.quote in STATUTE for one in cited)
    assert said.metier["version"] == "v1"
    streamed = list(client.chat.completions.create(model="legal", messages=question, stream=True))
    notes = [c.choices[0].delta.annotations for c in streamed if getattr(c.choices[0].delta, "annotations", None)]
    assert len(notes[0]) == len(cited)


def test_openai_completes_a_prompt(client: OpenAI) -> None:
    answer = client.completions.create(model="plain", prompt="Once", max_tokens=4)
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == ("word2 word3 ", "length")
    pieces = [c.choices[0].text for c in client.completions.create(model="plain", prompt="Once", stream=True)]
    assert "".join(pieces) == "word2 word3 word4 word5 "


def test_tools_are_called_through_it(tmp_path: Path) -> None:
    tool = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
    with (
        upstream(tokens=0, calls=(("add", '{"a": 1}'), ("add", '{"a": 2}'))) as running,
        gateway({"plain": behind(running.address)}, tmp_path) as (address, _),
    ):
        client = OpenAI(base_url=address, api_key=KEY, max_retries=0)
        asked = {"model": "plain", "messages": [{"role": "user", "content": "1+?"}], "tools": [tool]}
        choice = client.chat.completions.create(**asked).choices[0]
        calls = choice.message.tool_calls
        assert [call.function.arguments for call in calls] == ['{"a": 1}', '{"a": 2}']
        assert choice.finish_reason == "tool_calls"
        with client.chat.completions.stream(**asked) as stream:
            assert len(stream.get_final_completion().choices[0].message.tool_calls) == 2
        back = [
            *asked["messages"],
            choice.message,
            *({"role": "tool", "tool_call_id": call.id, "content": "3"} for call in calls),
        ]
        client.chat.completions.create(**{**asked, "messages": back})
    sent = running.asked[-1]["messages"]
    assert [one["role"] for one in sent] == ["user", "assistant", "tool", "tool"]
    assert sent[1]["tool_calls"][0]["id"] == sent[2]["tool_call_id"]


@pytest.mark.slow
def test_llamaindex_asks(address: str) -> None:
    from llama_index.core.llms import ChatMessage
    from llama_index.llms.openai_like import OpenAILike

    llm = OpenAILike(model="plain", api_base=address, api_key=KEY, is_chat_model=True, max_retries=0)
    assert llm.chat([ChatMessage(role="user", content="Hello")]).message.content == "word2 word3 word4 word5 "
    assert "".join(piece.delta or "" for piece in llm.stream_complete("Hello")) == "word2 word3 word4 word5 "
    plain = OpenAILike(model="plain", api_base=address, api_key=KEY, max_retries=0)
    assert plain.complete("Hello").text == "word2 word3 word4 word5 "


@pytest.mark.slow
def test_langchain_asks(address: str) -> None:
    from langchain_openai import ChatOpenAI

    llm = ChatOpenAI(model="plain", base_url=address, api_key=KEY, max_retries=0, temperature=0)
    assert llm.invoke("Hello").content == "word2 word3 word4 word5 "
    assert "".join(piece.content for piece in llm.stream("Hello")) == "word2 word3 word4 word5 "


def test_the_line_with_curl_works_as_it_is_written(address: str) -> None:
    line = (
        'curl -s localhost:8000/v1/chat/completions -H "Authorization: Bearer $METIER_API_KEY" '
        '-H "Content-Type: application/json" '
        '-d \'{"model":"legal","messages":[{"role":"user","content":"Hello"}],"max_tokens":1000}\''
    ).replace("localhost:8000/v1", address)
    out = subprocess.run(
        ["bash", "-c", line], capture_output=True, check=True, env={**os.environ, "METIER_API_KEY": KEY}
    ).stdout
    answer = json.loads(out)
    assert answer["model"] == "legal"
    assert answer["choices"][0]["message"]["content"]
