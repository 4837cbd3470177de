"""`--plan`: what a recipe would take, before anything is spent. No weights are needed, only configurations are read.

The model is built for real on meta tensors and LoRA attached to it, so parameters are counted and not guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from metier.core.i18n import LANGUAGES, Language, translate
from metier.evaluate.proof.questions import questions_file, read_questions
from metier.models.hardware import hardware
from metier.models.skeleton import Skeleton, build_skeleton, weights_bytes
from metier.predict.spec import PredictSpec
from metier.recipes.plan_data import DataCount, count_rows
from metier.recipes.plan_memory import (
    ADAM,
    GIGABYTE,
    TRAINED,
    VLLM_UTILIZATION,
    ServingShape,
    TrainingShape,
    rows_that_fit,
    serving_memory,
    size_text,
    training_memory,
)
from metier.train.spec import TrainSpec

if TYPE_CHECKING:
    from metier.recipes.recipe import Recipe

Text = dict[str, str]  # language → sentence
_HF_ROWS = 8  # rows at once that a plan assumes where `batch_size` is not given
_DEVICE_SIZES = (16, 24, 32, 40, 48, 80, 96, 141, 192, 288)  # gigabytes of GPUs that are sold


@dataclass(frozen=True)
class Transfer:
    """Something read or written. size: bytes, None where it is not known; what: `models.plan_io_…`."""

    what: str
    size: int | None
    detail: str = ""


@dataclass(frozen=True)
class TrainPlan:
    """The training part. rows, steps: None where the set is not here and nothing is published about it;
    longest: tokens that its longest row has at most, if it is here."""

    method: str
    rank: int | None
    parameters: int
    trainable: int
    adapted: int
    devices: int
    sharded: bool
    checkpointing: bool
    element: int
    tokens: int
    rows_per_step: int
    rows: int | None
    rows_from: str
    longest: int | None
    steps: int | None
    warmup: int | None
    memory: dict[str, int]
    total: int
    fits: bool


@dataclass(frozen=True)
class PredictPlan:
    """The generating part. concurrent: rows of full length that fit at the same time."""

    engine: str
    tensor_parallel: int
    rows: int | None
    length: int
    batch: int
    memory: dict[str, int]
    total: int
    budget: int
    concurrent: int
    fits: bool


@dataclass(frozen=True)
class Plan:
    """What a recipe would take. advice: what would make it fit, and cautions; fits: training and generating do."""

    model: str
    gpu: bool
    devices: int
    device_memory_bytes: int
    train: TrainPlan
    predict: PredictPlan | None
    reads: list[Transfer]
    writes: list[Transfer]
    advice: list[Text] = field(default_factory=list)
    fits: bool = True

    def lines(self, language: Language) -> list[str]:
        """The plan as lines of text."""
        from metier.recipes.plan_text import plan_lines

        return plan_lines(self, language)


def plan_recipe(recipe: Recipe) -> Plan:
    """The plan of a recipe on the devices it names, else on this machine's.

    80 GB a device where several are named and no memory is; a single device without a GPU here is this machine. Raises
    DataError for questions of a proof that cannot be read.
    """
    devices = recipe.compute.devices
    gpus = hardware().gpus
    gpu = bool(gpus) or devices > 1 or recipe.compute.device_memory_gb is not None
    if recipe.compute.device_memory_gb is not None:
        memory = int(recipe.compute.device_memory_gb * GIGABYTE)
    elif gpus and devices <= len(gpus):
        memory = min(item.memory for item in gpus)
    else:
        memory = 80 * GIGABYTE if gpu else hardware().memory
    train, predict = recipe.step("train"), recipe.step("predict")
    kept_away = None if recipe.data.test else recipe.data.test_rows  # of the training set, to be measured on
    plan = make_plan(train, predict, devices=devices, device_memory_bytes=memory, gpu=gpu, test_rows=kept_away)
    if recipe.shared.specialist:
        plan.writes.append(Transfer("specialist", None, recipe.shared.specialist))
    proof = recipe.step("prove")
    if proof.specialist:
        count = len(read_questions(questions_file(proof.questions), proof.max_samples))
        asked = proof.questions_label or proof.questions.name
        plan.reads.append(Transfer("proof_questions", None, _rows_text(asked, count)))
        plan.writes.append(Transfer("proof", None, proof.specialist))
    return plan


def make_plan(
    train: TrainSpec,
    predict: PredictSpec | None,
    *,
    devices: int,
    device_memory_bytes: int,
    gpu: bool = True,
    data: DataCount | None = None,
    test_rows: int | None = None,
) -> Plan:
    """Plans a training and, if given, a generation with what it made, on `devices` devices of one kind.

    gpu: what a device is; without, it is this machine's processor. data, test_rows: where they are counted already.
    Raises ModelError for a model whose configuration is not known here; an error of a named dataset that is here but
    cannot be read is left to `prepare`.
    """
    full = train.finetuning_type == "full"
    model = build_skeleton(
        train.model_name_or_path,
        lora_rank=train.lora_rank,
        lora_target=train.lora_target,
        full=full,
        frozen=train.frozen,
    )
    data = data or count_rows(train.dataset, train.dataset_dir, train.columns, train.max_samples)
    part = _plan_train(model, train, data, devices, device_memory_bytes, gpu)
    advice = [] if part.fits else _how_to_fit_training(model, train, part, device_memory_bytes, gpu)
    if model.vision:
        advice.append(_both("plan_vision_note"))
    if train.num_processes not in (1, devices):
        advice.append(_both("plan_processes_differ", processes=train.num_processes, devices=devices))
    serving = None
    if predict is not None:
        if test_rows is None:
            test_rows = count_rows(predict.dataset, predict.dataset_dir, predict.columns, predict.max_samples).rows
        serving, hints = _plan_predict(model, predict, test_rows, devices, device_memory_bytes, gpu)
        advice += hints
    reads, writes = _transfers(model, train, predict, part, serving)
    fits = part.fits and (serving is None or serving.fits)
    return Plan(model.name, gpu, devices, device_memory_bytes, part, serving, reads, writes, advice, fits)


def _plan_train(model: Skeleton, spec: TrainSpec, data: DataCount, devices: int, memory: int, gpu: bool) -> TrainPlan:
    shape = _training_shape(model, spec, data, devices, memory, gpu)
    parts = training_memory(model, shape)
    rows = data.rows
    parallel = spec.model_copy(update={"num_processes": devices})
    steps = parallel.total_steps(rows) if rows else spec.max_steps
    return TrainPlan(
        method=spec.finetuning_type,
        rank=None if shape.full else spec.lora_rank,
        parameters=model.parameters,
        trainable=model.trainable,
        adapted=model.adapted,
        devices=devices,
        sharded=shape.sharded,
        checkpointing=shape.checkpointing,
        element=shape.element,
        tokens=shape.tokens,
        rows_per_step=parallel.rows_per_step,
        rows=rows,
        rows_from=data.source,
        longest=data.longest,
        steps=steps,
        warmup=parallel.warmup(steps) if steps else None,
        memory=parts,
        total=sum(parts.values()),
        fits=sum(parts.values()) <= memory,
    )


def _training_shape(
    model: Skeleton, spec: TrainSpec, set_: DataCount, devices: int, memory: int, gpu: bool
) -> TrainingShape:
    """The layout that training itself would choose on such devices (`metier.train.model.choose_machine`)."""
    from metier.train import model as training

    longest = min(spec.cutoff_len, model.context, set_.longest or spec.cutoff_len)
    if spec.packing:
        budget = spec.tokens_per_batch or (training._TOKENS_GPU if gpu else training._TOKENS_CPU)
        share = longest * spec.per_device_train_batch_size * spec.gradient_accumulation_steps
        tokens = max(longest, min(budget, share))
    else:
        tokens = longest * spec.per_device_train_batch_size
    full = spec.finetuning_type == "full"
    element = _element(spec.dtype, gpu)
    size = model.parameters * (TRAINED + TRAINED + ADAM if full else element)
    shard = spec.fsdp == "on" or (spec.fsdp == "auto" and gpu and size > training._SHARDING_SHARE * memory)
    save = spec.gradient_checkpointing
    checkpointing = save == "on" or (save == "auto" and size > training._CHECKPOINTING_SHARE * memory)
    return TrainingShape(devices, tokens, full, shard and devices > 1, checkpointing, element, gpu)


def _element(dtype: str, gpu: bool) -> int:
    """Bytes of a number: as asked, else bfloat16 on a GPU, and on a processor only where it has it."""
    if dtype == "auto":
        return 2 if gpu or hardware().cpu_bfloat16 else 4
    return 4 if dtype == "float32" else 2


def _how_to_fit_training(model: Skeleton, spec: TrainSpec, part: TrainPlan, memory: int, gpu: bool) -> list[Text]:
    """Each single change that would make the training fit; the smallest number and size of devices that would."""
    data = DataCount(part.rows, part.rows_from, part.longest)

    def fits(devices: int = part.devices, memory: int = memory, of: Skeleton = model, **changes: Any) -> bool:
        shape = _training_shape(of, spec.model_copy(update=changes), data, devices, memory, gpu)
        return sum(training_memory(of, shape).values()) <= memory

    advice: list[Text] = []
    if part.method == "full":
        lora = build_skeleton(
            spec.model_name_or_path, lora_rank=spec.lora_rank, lora_target=spec.lora_target, frozen=spec.frozen
        )
        if fits(of=lora, finetuning_type="lora"):
            advice.append(_both("plan_use_lora", rank=spec.lora_rank))
    if not part.checkpointing and fits(gradient_checkpointing="on"):
        advice.append(_both("plan_use_checkpointing"))
    if not part.sharded and part.devices > 1 and fits(fsdp="on"):
        advice.append(_both("plan_use_fsdp"))
    smallest = {"tokens_per_batch": 16} if spec.packing else {"per_device_train_batch_size": 1}
    batch = spec.per_device_train_batch_size
    longest = min(spec.cutoff_len, model.context, part.longest or spec.cutoff_len)
    bins = [size for size in (16384, 8192, 4096, 2048, 1024, 512) if longest <= size < part.tokens]
    tokens = _first([*bins, longest], lambda n: n < part.tokens and fits(tokens_per_batch=n)) if spec.packing else None
    if tokens:
        advice.append(_both("plan_smaller_bins", tokens=tokens))
    elif batch > 1 and fits(per_device_train_batch_size=1):
        advice.append(_both("plan_smaller_batch", accumulation=spec.gradient_accumulation_steps * batch))
    shorter = [spec.cutoff_len // 2, spec.cutoff_len // 4]
    length = _first(shorter, lambda n: n >= 256 and fits(cutoff_len=n, tokens_per_batch=n))
    if length:
        advice.append(_both("plan_shorter_rows", length=length))
    easiest: dict[str, Any] = {"gradient_checkpointing": "on", "fsdp": "on", **smallest}
    counts = [2**power for power in range(1, 11) if 2**power > part.devices]
    more = _first(counts, lambda n: fits(devices=n, **easiest)) if gpu else None
    if more:
        advice.append(_both("plan_more_devices", devices=more, memory=size_text(memory)))
    sizes = [size * GIGABYTE for size in _DEVICE_SIZES if size * GIGABYTE > memory]
    bigger = _first(sizes, lambda size: fits(memory=size, **easiest)) if gpu else None
    if bigger:
        advice.append(_both("plan_bigger_device", memory=size_text(bigger), devices=part.devices))
    return advice or [_both("plan_smaller_model")]


def _plan_predict(
    model: Skeleton, spec: PredictSpec, rows: int | None, devices: int, memory: int, gpu: bool
) -> tuple[PredictPlan, list[Text]]:
    parallel = int(spec.vllm_config.get("tensor_parallel_size", 1))
    vllm = bool(spec.vllm_config) or spec.engine == "vllm"
    budget = int(memory * float(spec.vllm_config.get("gpu_memory_utilization", VLLM_UTILIZATION))) if vllm else memory
    batch = spec.batch_size or _HF_ROWS
    length = min(spec.cutoff_len + spec.max_new_tokens, model.context)
    # vLLM lets rows wait for room: one of full length is enough for it to start.
    shape = ServingShape(parallel, length, 1 if vllm else batch, _element(spec.dtype, gpu), vllm, gpu)
    parts = serving_memory(model, shape)
    total = sum(parts.values())
    concurrent = rows_that_fit(model, shape, budget)
    divides = model.heads % parallel == 0
    fits = total <= budget and divides and parallel <= devices
    engine = "vllm" if vllm else spec.engine
    part = PredictPlan(engine, parallel, rows, length, batch, parts, total, budget, concurrent, fits)
    hints = [_both("plan_vllm_later")] if vllm and spec.engine == "hf" else []
    if not divides:
        hints.append(_both("plan_heads_not_divided", heads=model.heads, parallel=parallel))
    if parallel > devices:
        hints.append(_both("plan_too_few_for_parallel", parallel=parallel, devices=devices))
    if total > budget:
        hints.append(_how_to_fit_serving(model, shape, memory, budget))
    return part, hints


def _how_to_fit_serving(model: Skeleton, shape: ServingShape, memory: int, budget: int) -> Text:
    rows = rows_that_fit(model, shape, budget)
    if rows and not shape.vllm:
        return _both("plan_predict_smaller_batch", batch=rows)
    wider = [count for count in (2, 4, 8, 16) if count > shape.parts and model.heads % count == 0]
    of_vllm = budget if shape.vllm else int(memory * VLLM_UTILIZATION)
    parallel = _first(wider, lambda n: rows_that_fit(model, replace(shape, parts=n, vllm=True), of_vllm) > 0)
    return _both("plan_predict_parallel", parallel=parallel) if parallel else _both("plan_smaller_model")


def _transfers(
    model: Skeleton, train: TrainSpec, predict: PredictSpec | None, part: TrainPlan, serving: PredictPlan | None
) -> tuple[list[Transfer], list[Transfer]]:
    size, here = weights_bytes(train.model_name_or_path)
    size = size or model.parameters * 2
    reads = [Transfer("weights_here" if here else "weights_fetched", size, model.name)]
    reads.append(Transfer("dataset", None, _rows_text(train.dataset, part.rows)))
    if predict is not None and serving is not None and predict.dataset:
        reads.append(Transfer("test_set", None, _rows_text(predict.dataset, serving.rows)))
    result = model.parameters * TRAINED if part.method == "full" else model.trainable * TRAINED
    checkpoint = result + model.trainable * ADAM
    saves = part.steps // train.save_steps if train.save_steps and part.steps else 10
    kept = max(1, min(train.save_total_limit, saves))
    # One more than is kept is there while the newest is written.
    writes = [Transfer("checkpoints", checkpoint * (kept + 1), f"{kept + 1} × {size_text(checkpoint)}")]
    writes.append(Transfer("model" if part.method == "full" else "adapter", result))
    if predict is not None:
        writes.append(Transfer("predictions", None, _rows_text("", serving.rows if serving else None)))
    return reads, writes


def _both(key: str, **fields: Any) -> Text:
    return {language: translate(f"models.{key}", language=language, **fields) for language in LANGUAGES}


def _rows_text(name: str, rows: int | None) -> str:
    return f"{name} ({rows:,})".strip() if rows else name


def _first(values: list[int], test: Callable[[int], bool]) -> int | None:
    return next((value for value in values if test(value)), None)
