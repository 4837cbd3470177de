"""Packed, padded, fused and plain computations agree with the reference loop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from metier.core.errors import ConfigError
from metier.core.i18n import use_language
from metier.train import fused
from metier.train.batches import packed_batch, padded_batch, shared_beginning
from metier.train.loss import logits_loss, loss_sum
from metier.train.model import build_model, choose_machine
from tests.train import reference
from tests.train.support import material, random_rows, run, spec


def model_of(folder: Path, **values: Any) -> Any:
    """A model whose LoRA already changes the output and whose norms are not ones, from the folder's weights."""
    given = material(folder, [])
    chosen = spec(**values)
    model = build_model(chosen, given.resolved, choose_machine(chosen, given.resolved)).train()
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(0, 0.3)
            elif "norm" in name:
                parameter.add_(torch.randn_like(parameter) * 0.1)
            elif name.endswith("bias"):
                parameter.normal_(0, 0.2)
    return model


def computed(model: Any, batch: Any, head: Any = logits_loss) -> tuple[float, dict[str, torch.Tensor]]:
    model.zero_grad()
    loss = loss_sum(model, batch, head) / len(batch.targets)
    loss.backward()
    return loss.item(), {n: p.grad.clone() for n, p in model.named_parameters() if p.requires_grad}


def assert_same(found: tuple[float, Any], wanted: tuple[float, Any]) -> None:
    assert found[0] == pytest.approx(wanted[0], abs=1e-5)
    assert found[1].keys() == wanted[1].keys()
    for name, grad in wanted[1].items():
        torch.testing.assert_close(found[1][name], grad, atol=1e-5, rtol=1e-5, msg=lambda text, n=name: f"{n}: {text}")


@pytest.fixture(scope="module")
def model_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Tiny models of the families whose layers the engine room knows."""
    from transformers import Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

    from tests.support.tiny import byte_tokenizer, tiny_llama

    root = tmp_path_factory.mktemp("families")
    folders = {"llama": tiny_llama(root / "llama", layers=3)}
    for name, config, kind in (("qwen2", Qwen2Config, Qwen2ForCausalLM), ("qwen3", Qwen3Config, Qwen3ForCausalLM)):
        torch.manual_seed(0)
        sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
        model = kind(config(vocab_size=259, num_key_value_heads=2, head_dim=8, **sizes))
        model.save_pretrained(root / name)
        byte_tokenizer().save_pretrained(root / name)
        folders[name] = root / name
    return folders


def test_packed_and_padded_rows_give_the_loss_and_gradients_of_single_rows(tiny_model: Path) -> None:
    rows = random_rows(7)
    model = model_of(tiny_model)
    wanted = reference.gradients(model, rows)
    assert_same(computed(model, packed_batch(rows)), wanted)
    assert_same(computed(model, padded_batch(rows, pad_id=0)), wanted)


@pytest.mark.parametrize("kind", ["llama", "qwen2", "qwen3"])
def test_fused_layers_give_the_loss_and_gradients_of_single_rows(model_folders: dict[str, Path], kind: str) -> None:
    rows = random_rows(7)
    model = model_of(model_folders[kind])
    wanted = reference.gradients(model, rows)
    assert fused.fits(model) is None
    assert_same(computed(model, packed_batch(rows), fused.install(model)), wanted)


def test_fused_layers_agree_where_only_some_layers_carry_lora(model_folders: dict[str, Path]) -> None:
    rows = random_rows(5)
    model = model_of(model_folders["llama"], lora_target="q_proj,v_proj,up_proj")
    wanted = reference.gradients(model, rows)
    assert_same(computed(model, packed_batch(rows), fused.install(model)), wanted)


def test_fused_layers_follow_lora_as_it_is_trained(tiny_model: Path) -> None:
    rows = random_rows(4)
    model = model_of(tiny_model)
    head = fused.install(model)
    before = computed(model, packed_batch(rows), head)[0]
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.mul_(0.5)
    assert computed(model, packed_batch(rows), head)[0] != pytest.approx(before, abs=1e-4)


def test_a_packed_row_does_not_see_its_neighbours(tiny_model: Path) -> None:
    first, second, other = random_rows(3)
    model = model_of(tiny_model)
    alone = loss_sum(model, packed_batch([second])).item()
    for neighbour in (first, other):
        both = loss_sum(model, packed_batch([neighbour, second])).item()
        assert both - loss_sum(model, packed_batch([neighbour])).item() == pytest.approx(alone, abs=1e-4)


def test_rows_longer_than_a_sliding_window_agree_with_the_models_own_attention(tmp_path: Path) -> None:
    from transformers import MistralConfig, MistralForCausalLM

    from tests.support.tiny import byte_tokenizer

    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
    model = MistralForCausalLM(MistralConfig(vocab_size=259, num_key_value_heads=2, sliding_window=8, **sizes))
    model.save_pretrained(tmp_path)
    byte_tokenizer().save_pretrained(tmp_path)
    rows = random_rows(4)
    wanted = reference.gradients(model_of(tmp_path, attn_implementation="eager"), rows)
    packed = model_of(tmp_path)
    assert fused.fits(packed) == "sliding attention"
    use_language("zh")
    try:
        assert fused.fits(packed) == "模型使用滑动窗口注意力"
    finally:
        use_language(None)
    assert_same(computed(packed, packed_batch(rows)), wanted)


@pytest.mark.parametrize("engine", ["fused", "plain"])
def test_a_training_reports_the_losses_of_the_reference_loop(tiny_model: Path, tmp_path: Path, engine: str) -> None:
    rows = random_rows(14)
    chosen = spec(engine=engine, gradient_accumulation_steps=2, weight_decay=0.1, warmup_ratio=0.3, max_grad_norm=0.1)
    given = material(tiny_model, rows)
    model = build_model(chosen, given.resolved, choose_machine(chosen, given.resolved))
    wanted = reference.train(model, rows, chosen)
    _, progress = run(chosen, tmp_path, given)
    assert [event["loss"] for event in progress] == pytest.approx(wanted.losses, abs=1e-5)


def test_packing_changes_nothing_but_the_layout(tiny_model: Path, tmp_path: Path) -> None:
    given = material(tiny_model, random_rows(14))
    losses = []
    for packing in (True, False):
        _, progress = run(spec(packing=packing, engine="plain"), tmp_path / str(packing), given)
        losses.append([event["loss"] for event in progress])
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)


def with_system_prompt(rows: list[Any], length: int) -> list[Any]:
    """The same rows behind the same `length` tokens."""
    front = [3 + index % 200 for index in range(length)]
    return [replace(r, input_ids=front + r.input_ids, labels=[-100] * length + r.labels) for r in rows]


@pytest.mark.parametrize("kind", ["llama", "qwen3"])
def test_a_beginning_computed_once_gives_what_every_row_for_itself_gives(
    model_folders: dict[str, Path], kind: str
) -> None:
    rows = with_system_prompt(random_rows(6), 11)
    model = model_of(model_folders[kind])
    wanted = reference.gradients(model, rows)
    shared = shared_beginning(rows)
    batch = packed_batch(rows, shared)
    assert shared >= 11 and batch.input_ids.shape[1] == batch.tokens - 5 * shared
    assert_same(computed(model, batch, fused.install(model)), wanted)


def test_a_shared_beginning_never_reaches_into_what_predicts_a_label() -> None:
    rows = [replace(row, labels=[-100, -100, *row.input_ids[2:]]) for row in random_rows(1)] * 3
    assert shared_beginning(rows) == 0
    long = with_system_prompt(rows, 9)
    assert shared_beginning(long) == 10
    assert shared_beginning(long[:1]) == 0


@pytest.mark.parametrize("values", [{"dtype": "bfloat16"}, {"gradient_checkpointing": "on"}, {"lora_dropout": 0.01}])
def test_other_settings_train_about_the_same_on_the_plain_engine(
    tiny_model: Path, tmp_path: Path, values: dict[str, Any]
) -> None:
    given = material(tiny_model, random_rows(14))
    wanted = run(spec(), tmp_path / "fused", given)[1]
    found = run(spec(**values), tmp_path / "plain", given)[1]
    tolerance = 1e-5 if "gradient_checkpointing" in values else 0.05
    assert [event["loss"] for event in found] == pytest.approx([event["loss"] for event in wanted], abs=tolerance)


def test_an_engine_that_does_not_fit_is_refused_where_it_is_asked_for(tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="LoRA dropout"):
        run(spec(engine="fused", lora_dropout=0.1), tmp_path, material(tiny_model, random_rows(4)))
