"""One training of each side as a process of its own, with the same settings, timed the same way."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from support.environments import LLAMAFACTORY, TRL, WORK, Peer

HERE = Path(__file__).resolve().parent
OURS = "metier"
LABELS = {
    OURS: "metier train",
    "llamafactory": "LLaMA-Factory",
    "trl": "TRL",
    "trl-packed": "TRL, packed",
}
_PEERS: dict[str, tuple[Peer, str]] = {
    "llamafactory": (LLAMAFACTORY, "run_llamafactory.py"),
    "trl": (TRL, "run_trl.py"),
    "trl-packed": (TRL, "run_trl.py"),
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
    lora_rank: int = 8
    lora_alpha: int = 16
    seed: int = 42


@dataclass(frozen=True)
class Run:
    """tokens: of the rows seen, padding not counted; labels: those with loss; loop: seconds of the training loop;
    wall, processor: seconds of the whole process; losses: of each step; adapter: the weights it wrote."""

    side: str
    tokens: int
    labels: int
    steps: int
    loop: float
    wall: float
    processor: float
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
    command = _our_command(setting, folder) if side == OURS else _peer_command(side, setting, folder)
    log = folder / "log.txt"
    used, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with log.open("w", encoding="utf-8") as output:
        code = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, env=_environment(), check=False)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if code.returncode:
        raise RuntimeError(f"{LABELS[side]} failed:\n" + "\n".join(log.read_text(encoding="utf-8").splitlines()[-25:]))
    processor = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    found = _our_record(folder, setting) if side == OURS else json.loads((folder / "result.json").read_text())
    return Run(
        side,
        tokens=found["tokens"],
        labels=found["labels"],
        steps=found["steps"],
        loop=found["loop_seconds"],
        wall=wall,
        processor=processor,
        losses=found["losses"],
        adapter=Path(found["adapter"]) if side == OURS else folder / "output",
    )


def _environment() -> dict[str, str]:
    """The same for all: every core, no hub, no tracker, caches of their own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "OPENBLAS"))}
    return kept | {
        "OMP_NUM_THREADS": str(os.cpu_count()),
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_DATASETS_CACHE": str(WORK / "datasets"),
        "TOKENIZERS_PARALLELISM": "false",
        "WANDB_DISABLED": "true",
    }


def _our_command(setting: Setting, folder: Path) -> list[str]:
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
    command = [sys.executable, "-m", "metier.cli", "train", "--output_dir", str(folder / "run")]
    return [*command, *(part for name, value in flags.items() for part in (f"--{name}", str(value)))]


def _our_record(folder: Path, setting: Setting) -> dict[str, Any]:
    """From the events of the run: the loop lasts from its start to the report of its last step."""
    events_file = next((folder / "run").rglob("events.jsonl"))
    events = [json.loads(line) for line in events_file.read_text(encoding="utf-8").splitlines()]
    started = next(event for event in events if event["event"] == "start" and "device" in event)
    steps = [event for event in events if event["event"] == "progress" and "loss" in event]
    ended = next(event for event in events if event["event"] == "end" and event.get("outcome") == "finished")
    seconds = datetime.fromisoformat(steps[-1]["time"]) - datetime.fromisoformat(started["time"])
    return {
        "tokens": ended["train_tokens"],
        "labels": 0,
        "steps": len(steps),
        "loop_seconds": seconds.total_seconds(),
        "losses": [event["loss"] for event in steps],
        "adapter": str(next((folder / "run").rglob("adapter"))),
    }


def _peer_command(side: str, setting: Setting, folder: Path) -> list[str]:
    peer, script = _PEERS[side]
    steps = setting.rows // setting.rows_per_step
    packing = side == "trl-packed"
    given = asdict(setting) | {
        "packing": packing,
        "per_device": 1 if packing else setting.per_device,
        # Packed sequences hold several rows: as many of them a step as makes the same number of steps.
        "accumulation": -(-setting.packed // steps) if packing else setting.rows_per_step // setting.per_device,
        "output": str(folder / "output"),
        "result": str(folder / "result.json"),
    }
    (folder / "settings.json").write_text(json.dumps(given), encoding="utf-8")
    return [str(peer.python), str(HERE / script), str(folder / "settings.json")]
