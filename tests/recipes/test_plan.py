"""`--plan`: exact parameter counts without weights, memory that follows from them, and what would make it fit."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from typing import Any

import pytest

from metier.cli import main
from metier.core.errors import ModelError
from metier.models.skeleton import build_skeleton
from metier.predict.spec import PredictSpec
from metier.recipes.plan import Plan, make_plan
from metier.recipes.plan_memory import GIGABYTE, ServingShape, cache_bytes, rows_that_fit, serving_memory
from metier.train.spec import TrainSpec

BIG = {
    "model_name_or_path": "llama-3.1-70b-instruct",
    "dataset": "medical_o1_sft_Chinese",
    "lora_rank": 16,
    "per_device_train_batch_size": 1,
    "gradient_accumulation_steps": 8,
    "num_train_epochs": 3,
    "num_processes": 8,
    "fsdp": "on",
    "gradient_checkpointing": "on",
}


@pytest.fixture(autouse=True, scope="module")
def measured_once() -> Iterator[None]:
    """Builds each model once for all tests here: that is most of a plan's time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("metier.recipes.plan.build_skeleton", cache(build_skeleton))
        yield


def _plan(devices: int = 8, gigabytes: int = 80, predict: dict[str, Any] | None = None, **changes: Any) -> Plan:
    serving = PredictSpec(model_name_or_path=BIG["model_name_or_path"], **predict) if predict is not None else None
    spec = TrainSpec(**{**BIG, **changes})
    return make_plan(spec, serving, devices=devices, device_memory_bytes=gigabytes * GIGABYTE)


def _advice(plan: Plan) -> str:
    return "\n".join(text["en"] for text in plan.advice)


def test_lora_on_70b_is_counted_as_the_formula_says() -> None:
    hidden, kv, wide, layers, rank = 8192, 1024, 28672, 80, 16
    pairs = [
        (hidden, hidden),
        (hidden, kv),
        (hidden, kv),
        (hidden, hidden),
        (hidden, wide),
        (hidden, wide),
        (wide, hidden),
    ]
    expected = layers * sum(rank * (inputs + outputs) for inputs, outputs in pairs)
    plan = _plan()
    assert plan.train.trainable == expected == 207_093_760
    assert plan.train.parameters == 70_553_706_496
    assert plan.train.adapted == layers * len(pairs)


def test_named_targets_train_only_those() -> None:
    assert _plan(lora_target="q_proj,v_proj").train.trainable == 80 * 16 * ((8192 + 8192) + (8192 + 1024))


def test_70b_with_lora_fits_on_eight_devices_and_says_steps_from_the_published_rows() -> None:
    plan = _plan()
    assert plan.fits
    assert plan.train.rows == 20_171
    assert plan.train.rows_per_step == 64
    assert plan.train.steps == 3 * 316  # ceil(20171 / 64) steps an epoch
    assert "huggingface.co" in plan.train.rows_from


def test_weights_are_divided_by_the_devices_that_share_them() -> None:
    eight, four = _plan(8).train.memory, _plan(4).train.memory
    assert eight["weights"] == pytest.approx(70_553_706_496 * 2 / 8, rel=0.01)
    assert four["weights"] == 2 * eight["weights"]
    assert four["activations"] == eight["activations"]


def test_full_fine_tuning_takes_sixteen_bytes_a_parameter() -> None:
    memory = _plan(finetuning_type="full").train.memory
    states = memory["weights"] + memory["gradients"] + memory["optimizer"]
    assert states == 70_553_706_496 * 16 // 8


def test_full_fine_tuning_that_does_not_fit_is_told_lora_more_devices_or_larger_ones() -> None:
    plan = _plan(finetuning_type="full")
    assert not plan.fits
    assert "finetuning_type: lora" in _advice(plan)
    assert "32 devices of 80.0 GB" in _advice(plan)
    assert "devices of 192.0 GB" in _advice(plan)


def test_the_devices_advised_are_enough() -> None:
    plan = _plan(devices=2, tokens_per_batch=2048)
    assert not plan.fits
    assert "4 devices of 80.0 GB" in _advice(plan)
    assert _plan(devices=4, tokens_per_batch=2048).fits


def test_smaller_micro_batches_are_advised_where_they_help() -> None:
    crowded = _plan(devices=8, tokens_per_batch=32768, gradient_accumulation_steps=32)
    tokens = int(re.findall(r"tokens_per_batch: (\d+)", _advice(crowded))[0])
    assert 2048 <= tokens < 32768
    assert _plan(devices=8, tokens_per_batch=tokens, gradient_accumulation_steps=32).fits


def test_without_packing_a_batch_of_one_and_longer_accumulation_is_advised() -> None:
    crowded = _plan(packing=False, per_device_train_batch_size=16, gradient_accumulation_steps=2)
    assert "per_device_train_batch_size: 1 with gradient_accumulation_steps: 32" in _advice(crowded)


def test_checkpointing_saves_activations_only() -> None:
    on, off = _plan().train.memory, _plan(gradient_checkpointing="off").train.memory
    assert off["activations"] > 10 * on["activations"]
    assert off["weights"] == on["weights"]


def test_tensor_parallel_divides_weights_and_cache() -> None:
    plan = _plan(predict={"vllm_config": {"tensor_parallel_size": 4}})
    assert plan.predict is not None
    assert plan.predict.engine == "vllm"
    assert plan.predict.memory["weights"] == pytest.approx(70_553_706_496 * 2 / 4, rel=0.01)
    assert plan.fits
    assert "needs a server engine" in _advice(plan)


def test_keys_and_values_of_a_token_are_counted_as_published() -> None:
    # Llama 3.1 70B in bfloat16: 2 × 80 layers × 8 heads × 128 × 2 bytes = 320 KiB a token.
    assert cache_bytes(build_skeleton("llama-3.1-70b-instruct"), 1, 2) == 327_680


def test_a_window_bounds_the_cache_of_its_layers() -> None:
    model = build_skeleton("gemma-3-1b-it")
    assert cache_bytes(model, 4096, 2) < 0.4 * 8 * cache_bytes(model, 512, 2)


def test_the_rows_said_to_fit_do_and_one_more_does_not() -> None:
    model = build_skeleton("qwen3-8b")
    shape = ServingShape(parts=1, length=4096, rows=1, element=2, vllm=False, gpu=True)
    rows = rows_that_fit(model, shape, 40 * GIGABYTE)
    used = [sum(serving_memory(model, ServingShape(1, 4096, n, 2, False, True)).values()) for n in (rows, rows + 1)]
    assert used[0] <= 40 * GIGABYTE < used[1]


@pytest.mark.parametrize(
    ("parallel", "devices", "words"),
    [(3, 8, "64 attention heads cannot be divided"), (8, 4, "needs 8 devices, and 4 are planned")],
)
def test_a_tensor_parallel_size_that_cannot_work_is_named(parallel: int, devices: int, words: str) -> None:
    plan = _plan(devices, predict={"vllm_config": {"tensor_parallel_size": parallel}})
    assert not plan.fits
    assert words in _advice(plan)


def test_generating_that_does_not_fit_on_one_device_is_told_to_divide() -> None:
    plan = _plan(predict={})
    assert not plan.fits
    assert "tensor_parallel_size 4" in _advice(plan)


def test_a_set_that_is_here_is_counted_and_its_longest_row_bounds_the_micro_batch() -> None:
    spec = TrainSpec(dataset="medical_demo_en", per_device_train_batch_size=2, packing=False)
    plan = make_plan(spec, None, devices=1, device_memory_bytes=16 * GIGABYTE, gpu=False)
    assert plan.train.rows_from == "here"
    assert plan.train.steps == spec.total_steps(plan.train.rows or 0)
    assert plan.train.tokens < 2 * 2048


def test_an_unknown_set_leaves_the_steps_open() -> None:
    plan = _plan(dataset="not_here")
    assert plan.train.steps is None
    assert any("dataset is not here" in line for line in plan.lines("en"))


def test_what_is_read_and_written_has_its_size() -> None:
    plan = _plan(save_steps=100, save_total_limit=2)
    assert plan.reads[0].size == 2 * 70_553_706_496
    sizes = {item.what: item.size for item in plan.writes}
    assert sizes["adapter"] == 4 * 207_093_760
    assert sizes["checkpoints"] == 3 * (4 + 8) * 207_093_760  # two kept, one being written; weights and two averages


@pytest.mark.parametrize("name", ["llama-3.2-11b-vision-instruct", "qwen3-vl-8b-instruct", "internvl3-8b"])
def test_a_vision_model_is_planned_with_its_eyes_left_as_they_are(name: str) -> None:
    plan = _plan(devices=1, model_name_or_path=name)
    assert 0 < plan.train.trainable < 0.01 * plan.train.parameters
    assert "Pictures are not counted" in _advice(plan)


def test_a_local_folder_is_planned_from_its_own_configuration(tiny_model: Any) -> None:
    spec = TrainSpec(model_name_or_path=str(tiny_model), finetuning_type="full")
    plan = make_plan(spec, None, devices=1, device_memory_bytes=GIGABYTE * 8, gpu=False)
    assert plan.train.trainable == plan.train.parameters > 0
    assert plan.reads[0].what == "weights_here"


def test_a_model_without_known_configuration_is_refused_by_name() -> None:
    with pytest.raises(ModelError, match="configuration of “some/model” is not known here"):
        _plan(model_name_or_path="some/model")


def test_a_target_that_names_no_module_is_refused() -> None:
    with pytest.raises(ModelError, match="names no module"):
        _plan(lora_target="nothing_like_this")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_plan_reads_well_in_both_languages_and_is_json(language: Any) -> None:
    plan = _plan(devices=1, predict={"vllm_config": {"tensor_parallel_size": 4}})
    text = "\n".join(plan.lines(language))
    assert "207,093,760" in text
    assert ("does not fit" if language == "en" else "无法容纳") in text
    assert "{" not in text
    json.dumps(asdict(plan))


@pytest.mark.slow
def test_the_plan_of_70b_takes_seconds_and_little_memory() -> None:
    code = (
        "import time; t = time.time(); from tests.recipes.test_plan import _plan; _plan(); print(time.time() - t);"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    seconds, peak = done.stdout.split()
    assert float(seconds) < 20
    assert int(peak) < 2_000_000  # kilobytes, its own: what other children of this process had is not counted


@pytest.mark.parametrize("profile", ["4-gpu", "2-gpu"])
def test_the_finance_recipe_fits_its_gpus(profile: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "finance", "--profile", profile, "--plan", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert plan["fits"]
    assert plan["train"]["rows"] == 11_099
    gets = [one["detail"] for one in plan["writes"] if one["what"] == "specialist"]
    assert gets == ["finance"]
    asked = {one["what"]: one["detail"] for one in [*plan["reads"], *plan["writes"]]}
    assert (asked["test_set"], asked["predictions"]) == ("fin_mme (500)", "(500)")  # 500 rows are kept away


def test_the_plan_of_the_legal_recipe_names_its_proof(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "legal", "--plan", "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)
    named = {one["what"]: one["detail"] for one in [*plan["reads"], *plan["writes"]]}
    assert (named["proof_questions"], named["proof"]) == ("legal (3)", "legal")
    assert main(["run", "legal", "--plan", "--language", "en"]) == 0
    assert "a proof, on a page of its own, of" in capsys.readouterr().out
