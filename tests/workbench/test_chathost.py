"""What the process with a chat's models does, in this process."""

from __future__ import annotations

from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
import torch

from metier.workbench.chathost import answer_all, load

SAMPLING = {"temperature": 0, "max_new_tokens": 6}


@pytest.fixture(scope="module")
def adapter(talking_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter with weights large enough to change answers."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    base = AutoModelForCausalLM.from_pretrained(talking_model)
    folder = tmp_path_factory.mktemp("adapter") / "adapter"
    get_peft_model(base, LoraConfig(r=4, target_modules=["q_proj", "v_proj"], init_lora_weights=False)).save_pretrained(
        folder
    )
    return folder


def weights(model: Path, adapter: Path | None = None) -> dict[str, Any]:
    return {
        "model": str(model),
        "adapter": str(adapter) if adapter else None,
        "tokenizer": None,
        "template": None,
    }


def asked(side: str, name: str, **values: Any) -> dict[str, Any]:
    return {
        "do": "answer", "id": name, "side": side, "system": "", "asked": [["user", ["Hello?"]]], "sampling": SAMPLING,
        "thinking": None, "language": "en", **values,
    }  # fmt: skip


class Told:
    """Collects what is told; ends the loop after `ends` answers."""

    def __init__(self, ends: int) -> None:
        self.events: list[dict[str, Any]] = []
        self.ends = ends

    def __call__(self, event: str, **fields: Any) -> None:
        self.events.append({"event": event, **fields})
        self.ends -= event == "end"
        if self.ends == 0:
            raise EOFError

    def text(self, name: str) -> str:
        return "".join(one["text"] for one in self.events if one["event"] == "piece" and one["id"] == name)

    def end(self, name: str) -> dict[str, Any]:
        return next(one for one in self.events if one["event"] == "end" and one["id"] == name)


def run(engines: Any, *commands: dict[str, Any]) -> Told:
    queue: SimpleQueue[dict[str, Any]] = SimpleQueue()
    for command in commands:
        queue.put(command)
    told = Told(sum(one["do"] == "answer" for one in commands))
    with pytest.raises(EOFError):
        answer_all(engines, queue, told)
    return told


def test_base_and_adapter_share_their_weights_and_answer_together(talking_model: Path, adapter: Path) -> None:
    both = {"left": weights(talking_model), "right": weights(talking_model, adapter)}
    engines: Any = load(both, Told(-1))
    assert engines["left"]._network.model is engines["right"]._network.model
    told = run(engines, asked("left", "a"), asked("right", "b"))
    assert told.text("a") != told.text("b")
    order = [one["id"] for one in told.events if one["event"] == "piece"]
    assert order[:4] == ["a", "b", "a", "b"]
    alone: Any = load({"left": weights(talking_model)}, Told(-1))
    assert run(alone, asked("left", "a")).text("a") == told.text("a")


def test_one_answers_failure_is_its_own_and_a_stop_keeps_what_was_said(talking_model: Path) -> None:
    engines = load({"left": weights(talking_model)}, Told(-1))
    broken = asked("left", "bad", system="too long for its context " * 2000)
    told = run(engines, broken, asked("left", "good"), {"do": "stop", "id": "good"})
    assert told.end("bad")["state"] == "failed"
    assert told.end("good")["state"] == "stopped"
    whole = run(engines, asked("left", "good"))
    assert (whole.end("good")["tokens"], whole.end("good")["finish"]) == (6, "length")
