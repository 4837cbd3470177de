"""A vision model is trained on pictured rows, saved, found again and asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from safetensors.torch import load_file

from metier.core.errors import ConfigError, InterruptedRunError
from metier.core.events import EVENTS, EventLog, read_events
from metier.core.specs import parse_spec
from metier.engines import EngineOptions, Sampling, open_engine
from metier.models import resolve_model
from metier.models.parts import part_of
from metier.rendering.eyes.mllama import MllamaEyes
from metier.rendering.eyes.remembering import RememberingEyes
from metier.train import TrainSpec, run_train
from metier.train.batches import Layout, Steps, padded_batch
from metier.train.loss import loss_sum
from metier.train.model import build_model, choose_machine
from metier.train.plan import RowOrder
from metier.train.step import load_material
from tests.vision.support import Talk, processed


def spec(model: Path, rows: Path, **values: Any) -> TrainSpec:
    defaults: dict[str, Any] = {
        "model_name_or_path": str(model),
        "dataset": str(rows),
        "device": "cpu",
        "dtype": "float32",
        "learning_rate": 1e-2,
        "lora_rank": 4,
        "num_train_epochs": 2,
        "save_steps": 2,
    }
    return TrainSpec(**{**defaults, **values})


def train(chosen: TrainSpec, folder: Path, *listeners: Any) -> dict[str, Any]:
    return run_train(chosen, folder, EventLog(folder / EVENTS, listeners))


def losses(folder: Path) -> list[float]:
    return [event["loss"] for event in read_events(folder) if event["event"] == "progress"]


def asked(folder: Path, adapter: Path | None, talk: Talk) -> str:
    engine = open_engine(
        "hf", resolve_model(str(folder), str(adapter) if adapter else None), EngineOptions(device="cpu")
    )
    prompt = engine.renderer.prompt(talk.ask("What is drawn here?", (50, 37)))
    ((_, completion),) = next(iter(engine.generate([prompt], Sampling(temperature=0, max_new_tokens=4))))
    return completion.text


@pytest.mark.parametrize("values", [{}, {"finetuning_type": "full", "learning_rate": 3e-3}], ids=["lora", "full"])
@pytest.mark.slow
def test_it_learns_is_saved_and_asked(mllama: Path, talk: Talk, tmp_path: Path, values: dict[str, Any]) -> None:
    rows = talk.dataset(12)
    summary = train(spec(mllama, rows, num_train_epochs=4, **values), tmp_path / "run")
    steps = losses(tmp_path / "run")
    assert steps[-1] < steps[0] - 0.3
    if values:
        assert asked(tmp_path / "run" / "model", None, talk)
        assert processed(tmp_path / "run" / "model", talk.ask("What?", (50, 37)))["pixel_values"].shape[0] == 1
    else:
        assert asked(mllama, tmp_path / "run" / summary["output"], talk)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["gemma3", "qwen2_5_vl", "qwen3_vl", "internvl", "smolvlm"], indirect=True)
def test_other_families_learn_with_lora_on_all_their_parts(family: Path, talk: Talk, tmp_path: Path) -> None:
    # Gemma 3's projector is a matrix of its own: LoRA goes on layers.
    whole = {"freeze_vision_tower": False, "freeze_multi_modal_projector": family.name == "gemma3"}
    train(spec(family, talk.dataset(12), num_train_epochs=4, **whole), tmp_path / "run")
    steps = losses(tmp_path / "run")
    assert steps[-1] < steps[0] - 0.3
    names = load_file(tmp_path / "run" / "adapter" / "adapter_model.safetensors")
    assert {part_of(name) for name in names} >= {"vision", "language"}
    assert asked(family, tmp_path / "run" / "adapter", talk)


@pytest.mark.parametrize("family", ["mllama", "gemma3", "qwen2_5_vl", "qwen3_vl", "internvl", "smolvlm"], indirect=True)
def test_the_loss_of_a_batch_is_that_of_its_rows_alone_by_the_models_own(family: Path, talk: Talk) -> None:
    chosen = spec(family, talk.dataset(3))
    material = load_material(chosen, EventLog(None))
    model = build_model(chosen, material.resolved, choose_machine(chosen, material.resolved, pictured=True)).eval()
    cpu = torch.device("cpu")
    with torch.no_grad():
        together = loss_sum(model, padded_batch(material.examples, 0, material.renderer.eyes).to(cpu)).item()
        alone = 0.0
        for example in material.examples:
            eyes = material.renderer.eyes
            assert eyes is not None
            seen = padded_batch([example], 0, eyes).to(cpu).seen
            labels = torch.tensor([example.labels])
            output = model(input_ids=torch.tensor([example.input_ids]), labels=labels, **seen)
            alone += output.loss.item() * (labels[:, 1:] != -100).sum().item()
    assert together == pytest.approx(alone, rel=1e-4)


@pytest.mark.parametrize("kind", ["lora", "full"])
@pytest.mark.parametrize("learns", ["vision", "projector", "language"])
def test_only_the_part_that_is_not_frozen_learns(
    mllama: Path, talk: Talk, tmp_path: Path, learns: str, kind: str
) -> None:
    frozen = {
        "freeze_vision_tower": learns != "vision",
        "freeze_multi_modal_projector": learns != "projector",
        "freeze_language_model": learns != "language",
    }
    chosen = spec(mllama, talk.dataset(4), finetuning_type=kind, max_steps=1, **frozen)
    train(chosen, tmp_path / "run")
    if kind == "lora":
        names = load_file(tmp_path / "run" / "adapter" / "adapter_model.safetensors")
        assert {part_of(name) for name in names} == {learns}
        return
    before, after = load_file(mllama / "model.safetensors"), load_file(tmp_path / "run" / "model" / "model.safetensors")
    changed = {part_of(name) for name in before if not torch.equal(before[name], after[name])}
    assert changed == {learns}


def test_all_parts_frozen_are_refused() -> None:
    with pytest.raises(ConfigError, match="Nothing is left to learn"):
        parse_spec(TrainSpec, {"dataset": "x", "freeze_language_model": True}, source="command line")


def test_a_part_without_layers_for_lora_is_refused(gemma3: Path, talk: Talk, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="freeze_multi_modal_projector: this model has no linear layer there"):
        train(spec(gemma3, talk.dataset(2), freeze_multi_modal_projector=False), tmp_path / "run")


@pytest.mark.slow
def test_an_interrupted_training_goes_on_exactly(mllama: Path, talk: Talk, tmp_path: Path) -> None:
    chosen = spec(mllama, talk.dataset(12), freeze_vision_tower=False, freeze_multi_modal_projector=False)
    train(chosen, tmp_path / "whole")

    def stop(event: dict[str, Any]) -> None:
        if event.get("step") == 3:
            raise KeyboardInterrupt

    with pytest.raises((InterruptedRunError, KeyboardInterrupt)):
        train(chosen, tmp_path / "cut", stop)
    train(chosen, tmp_path / "cut")
    assert losses(tmp_path / "cut")[-2:] == losses(tmp_path / "whole")[-2:]
    one, other = (load_file(tmp_path / name / "adapter" / "adapter_model.safetensors") for name in ("whole", "cut"))
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.slow
def test_gradient_checkpointing_changes_nothing(mllama: Path, talk: Talk, tmp_path: Path) -> None:
    rows = talk.dataset(8)
    for switch in ("off", "on"):
        chosen = spec(mllama, rows, gradient_checkpointing=switch, freeze_vision_tower=False, max_steps=3)
        train(chosen, tmp_path / switch)
    assert losses(tmp_path / "on") == pytest.approx(losses(tmp_path / "off"), rel=1e-4)


def mixed(talk: Talk, count: int) -> Path:
    """Rows with no picture, one and two, in turn."""
    lines = []
    for number in range(count):
        pictures = [Path(talk.picture().path or "").name for _ in range(number % 3)]
        question = {"role": "user", "content": "<image>" * len(pictures) + "What?"}
        messages = [question, {"role": "assistant", "content": "A."}]
        lines.append(json.dumps({"messages": messages, "images": pictures}))
    path = talk.folder / "mixed.jsonl"
    path.write_text("\n".join(lines))
    return path


@pytest.mark.slow
def test_rows_with_none_one_and_two_pictures_learn_side_by_side(mllama: Path, talk: Talk, tmp_path: Path) -> None:
    rows = mixed(talk, 6)
    for size in (1, 6):
        steps = {"per_device_train_batch_size": size, "gradient_accumulation_steps": 6 // size, "max_steps": 2}
        assert train(spec(mllama, rows, **steps), tmp_path / f"{size}")["rows"] == 6
    assert losses(tmp_path / "1") == pytest.approx(losses(tmp_path / "6"), rel=1e-4)


@pytest.mark.long
def test_two_processes_learn_what_one_does(mllama: Path, talk: Talk, tmp_path: Path) -> None:
    rows = mixed(talk, 8)
    for processes in (1, 2):
        steps = {"per_device_train_batch_size": 4 // processes, "num_processes": processes, "max_steps": 3}
        train(spec(mllama, rows, freeze_vision_tower=False, **steps), tmp_path / f"{processes}")
    assert losses(tmp_path / "2") == pytest.approx(losses(tmp_path / "1"), rel=1e-3)


def test_what_a_frozen_tower_saw_is_kept_within_bounds_and_changes_nothing(mllama: Path, talk: Talk) -> None:
    chosen = spec(mllama, talk.dataset(3))
    material = load_material(chosen, EventLog(None))
    model = build_model(chosen, material.resolved, choose_machine(chosen, material.resolved, pictured=True)).eval()
    eyes = material.renderer.eyes
    assert type(eyes) is MllamaEyes
    cpu = torch.device("cpu")
    looked: list[int] = []
    model.get_base_model().model.vision_model.register_forward_hook(lambda *_: looked.append(1))
    with torch.no_grad():
        plain = loss_sum(model, padded_batch(material.examples, 0, eyes).to(cpu)).item()
        looked.clear()
        for limit, times in ((10**9, 3), (0, 9), (2 * 4 * 5 * 32 * 4, 5)):  # of three pictures: all, none, two
            remembering = RememberingEyes(eyes, model, limit)
            for _ in range(3):
                kept = loss_sum(model, padded_batch(material.examples, 0, remembering).to(cpu)).item()
                assert kept == pytest.approx(plain, rel=1e-5)
            assert len(looked) == times
            looked.clear()


@pytest.mark.slow
def test_memory_stays_flat_over_many_pictures(mllama: Path, talk: Talk) -> None:
    chosen = spec(mllama, talk.dataset(400, side=120))
    material = load_material(chosen, EventLog(None))
    assert material.renderer.eyes is not None
    layout = Layout(packing=False, budget=0, rows=4, pad_id=0, eyes=material.renderer.eyes)
    steps = Steps(material.examples, RowOrder(400, 4, 0), layout)
    process = psutil.Process()
    before = 0
    for number in range(len(steps)):
        for batch in steps[(0, number)].micro_batches:
            batch.to(torch.device("cpu"))
        if number == 20:
            before = process.memory_info().rss
    assert process.memory_info().rss - before < 20e6
