"""One training of each side as a process of its own, with the same settings, timed the same way."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from support.environments import LLAMAFACTORY, TRL, WORK

HERE = Path(__file__).resolve().parent
OURS = "metier"
LABELS = {
    OURS: "metier train",
    "llamafactory": "LLaMA-Factory",
    "trl": "TRL",
    "trl-packed": "TRL, packed",
}
_RUNNERS: dict[str, tuple[Path | str, str]] = {
    OURS: (sys.executable, "run_metier.py"),
    "llamafactory": (LLAMAFACTORY.python, "run_llamafactory.py"),
    "trl": (TRL.python, "run_trl.py"),
    "trl-packed": (TRL.python, "run_trl.py"),
}


@dataclass(frozen=True)
class Setting:
    """What is equal on all sides. per_device: rows of a peer's padded batch; packed: sequences that TRL packs into."""

    model: str
    data: str
    rows: int
    rows_per_step: int
    per_device: int
    packed: int
    cutoff_len: int
    learning_rate: float
    threads: int
    lora_rank: int = 8
    lora_alpha: int = 16
    seed: int = 42


@dataclass(frozen=True)
class Run:
    """One training.

    tokens: of the rows seen, padding not counted; loop, loop_processor: seconds of the training loop by the clock and
    of the processor, all threads together; wall: seconds of the whole process; losses: of each step; adapter: weights.
    """

    side: str
    tokens: int
    steps: int
    loop: float
    loop_processor: float
    wall: float
    losses: list[float]
    adapter: Path

    @property
    def tokens_per_second(self) -> float:
        return self.tokens / self.loop


def run(side: str, setting: Setting) -> Run:
    """Trains once. Raises RuntimeError with the end of its output where that fails."""
    folder = WORK / "runs" / side
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = folder / "settings.json"
    settings.write_text(json.dumps(_our_settings(setting) if side == OURS else _peer_settings(side, setting)))
    python, script = _RUNNERS[side]
    log, began = folder / "log.txt", time.perf_counter()
    with log.open("w", encoding="utf-8") as output:
        done = subprocess.run(
            [str(python), str(HERE / script), str(settings)],
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment(setting.threads),
            check=False,
        )
    wall = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{LABELS[side]} failed:\n" + "\n".join(log.read_text(encoding="utf-8").splitlines()[-25:]))
    found = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    return Run(
        side,
        tokens=found["tokens"],
        steps=found["steps"],
        loop=found["loop_seconds"],
        loop_processor=found["loop_processor"],
        wall=wall,
        losses=found["losses"],
        adapter=Path(found.get("adapter") or folder / "output"),
    )


def environment(threads: int) -> dict[str, str]:
    """The same for all: as many threads, no hub, no tracker, caches of their own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "OPENBLAS"))}
    return kept | {
        "OMP_NUM_THREADS": str(threads),
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_DATASETS_CACHE": str(WORK / "datasets"),
        "TOKENIZERS_PARALLELISM": "false",
        "WANDB_DISABLED": "true",
    }


def _places(side: str) -> dict[str, str]:
    folder = WORK / "runs" / side
    return {"output": str(folder / "output"), "result": str(folder / "result.json")}


def _our_settings(setting: Setting) -> dict[str, Any]:
    places = _places(OURS)
    flags = {
        "model_name_or_path": setting.model,
        "dataset": "train",
        "dataset_dir": setting.data,
        "cutoff_len": setting.cutoff_len,
        "disable_shuffling": "true",
        "num_train_epochs": 1,
        "per_device_train_batch_size": setting.rows_per_step,
        "lora_rank": setting.lora_rank,
        "lora_alpha": setting.lora_alpha,
        "learning_rate": setting.learning_rate,
        "lr_scheduler_type": "constant",
        "dtype": "float32",
        "device": "cpu",
        "gradient_checkpointing": "off",
        "save_steps": setting.rows,  # not before the end
        "seed": setting.seed,
    }
    written = [part for name, value in flags.items() for part in (f"--{name}", str(value))]
    return places | {"command": ["train", "--output_dir", places["output"], *written]}


def _peer_settings(side: str, setting: Setting) -> dict[str, Any]:
    steps = setting.rows // setting.rows_per_step
    packing = side == "trl-packed"
    return (
        asdict(setting)
        | _places(side)
        | {
            "packing": packing,
            "per_device": 1 if packing else setting.per_device,
            # Packed sequences hold several rows: as many of them a step as makes the same number of steps.
            "accumulation": -(-setting.packed // steps) if packing else setting.rows_per_step // setting.per_device,
        }
    )
