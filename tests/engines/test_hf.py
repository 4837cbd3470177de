"""The hf engine: streaming, stop texts, limits, adapters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from metier.core.errors import ConfigError
from metier.data.messages import message
from metier.engines import EngineOptions, Sampling, open_base_and_tuned, open_engine
from metier.models import resolve_model
from metier.rendering import Prompt
from tests.engines.support import STOPS, answers, engine, load, prompts

GREEDY = Sampling(temperature=0, max_new_tokens=30)


def _tuned(lively: Path, adapter: Path) -> Any:
    from peft import PeftModel

    return PeftModel.from_pretrained(load(lively), str(adapter)).eval()


def test_streamed_pieces_are_the_generated_text(lively: Path) -> None:
    hf, sampling = engine(lively), Sampling(temperature=1.0, max_new_tokens=60, seed=1)
    for prompt in prompts(6):
        [[(_, completion)]] = list(hf.generate([prompt], sampling))
        assert "".join(hf.stream(prompt, sampling)) == completion.text


def test_closing_a_stream_stops_generation(lively: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hf, passes = engine(lively), []
    forward = hf._network.core.forward
    monkeypatch.setattr(hf._network.core, "forward", lambda **given: passes.append(1) or forward(**given))
    stream = hf.stream(prompts(1)[0], Sampling(temperature=1.0, max_new_tokens=200))
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert len(passes) < 20


def test_stop_text_ends_the_answer_and_is_left_out(lively: Path) -> None:
    hf, prompt = engine(lively), prompts(9)[8]
    [[(_, free)]] = list(hf.generate([prompt], GREEDY))
    stop = free.text[3:5]
    [[(_, stopped)]] = list(hf.generate([prompt], GREEDY.model_copy(update={"stop": (stop,)})))
    assert stopped.text == free.text[: free.text.index(stop)]
    assert stopped.finish_reason == "stop"
    assert len(stopped.token_ids) < len(free.token_ids)


def test_finish_reason_tells_an_end_from_a_limit(lively: Path) -> None:
    hf = engine(lively)
    found = [c for batch in hf.generate(prompts(20), GREEDY) for _, c in batch]
    assert {c.finish_reason for c in found} == {"stop", "length"}
    for completion in found:
        assert (completion.finish_reason == "stop") == (completion.token_ids[-1] in STOPS)
        assert completion.finish_reason == "stop" or len(completion.token_ids) == 30


def test_short_answers_come_before_long_ones_end(lively: Path) -> None:
    """A row that ends is yielded, and its place taken, while a longer one goes on."""
    hf = engine(lively)
    order = [len(c.token_ids) for batch in hf.generate(prompts(12), GREEDY, batch_size=4) for _, c in batch]
    assert order[0] < max(order)
    assert order.index(max(order)) > 0


def test_answers_end_at_the_context(lively: Path) -> None:
    hf = engine(lively)
    prompt = Prompt("", [5] * 2040)
    [[(_, completion)]] = list(hf.generate([prompt], Sampling(temperature=0)))
    assert len(completion.token_ids) <= 8


def test_prompt_beyond_the_context_is_named(lively: Path) -> None:
    with pytest.raises(ConfigError, match=r"Prompt 2 has 2048 tokens.*smaller cutoff_len"):
        list(engine(lively).generate([*prompts(1), Prompt("", [5] * 2048)], GREEDY))


def test_merged_adapter_answers_as_the_attached_one_in_fp32(lively: Path, adapter: Path) -> None:
    asked = prompts(16)
    attached = engine(lively, model=_tuned(lively, adapter), merge_adapter=False)
    merged = engine(lively, model=_tuned(lively, adapter))
    assert attached.has_adapter
    assert not merged.has_adapter
    expected = answers(attached, asked, GREEDY)
    assert answers(merged, asked, GREEDY) == expected
    assert answers(engine(lively), asked, GREEDY) != expected


def test_bf16_keeps_the_adapter_apart_unless_asked(lively: Path, adapter: Path) -> None:
    model = _tuned(lively, adapter).to(torch.bfloat16)
    assert engine(lively, model=model).has_adapter
    assert not engine(lively, model=model, merge_adapter=True).has_adapter


def test_base_and_tuned_share_weights_and_take_turns(lively: Path, adapter: Path) -> None:
    base, tuned = open_base_and_tuned("hf", resolve_model(str(lively), str(adapter)))
    prompt = base.renderer.prompt([message("user", "hello")])
    alone = ["".join(one.stream(prompt, GREEDY)) for one in (base, tuned)]
    assert alone[0] != alone[1]
    streams, texts = [base.stream(prompt, GREEDY), tuned.stream(prompt, GREEDY)], ["", ""]
    for _ in range(40):
        for side, stream in enumerate(streams):
            texts[side] += next(stream, "")
    assert texts == alone


def test_settings_of_a_server_are_refused_before_loading(lively: Path) -> None:
    options = EngineOptions(vllm_config={"tensor_parallel_size": 4})
    with pytest.raises(ConfigError, match=r"tensor_parallel_size.*needs a server engine"):
        open_engine("hf", resolve_model(str(lively)), options)


def test_unknown_engine_is_named_with_the_known_ones(lively: Path) -> None:
    with pytest.raises(ConfigError, match=r"no engine “fh”.*hf"):
        open_engine("fh", resolve_model(str(lively)))
