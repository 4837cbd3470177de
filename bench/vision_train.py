"""Vision LoRA rows a second: `metier train` against TRL 1.16 on a tiny Llama 3.2 Vision and 400 public charts.

    python bench/vision_train.py [--data ../shared/data/finance/charts] [--rows 400] [--epochs 3] [--rounds 1]

Both sides as processes of their own, fp32, one thread, the same rows in the same order, LoRA of rank 8 on the linear
layers of the language part (tower and projector frozen, the default of both LLaMA-Factory and us), constant rate, loss
on the answers. TRL (installed into `bench/.work`, minutes) runs with the collator of its guides. Prints rows a second
by the loop's clock and by processor seconds, which a busy machine leaves alone, and the losses of both.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from support.charts import CHARTS, chart_rows, tiny_model, write_rows
from support.environments import TRL, WORK, add, install
from support.sides import environment

HERE = Path(__file__).resolve().parent / "support"
BAR = 1.3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=CHARTS)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rows_per_step", type=int, default=8)
    parser.add_argument("--learning_rate", type=float, default=1e-3)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    install(TRL)
    add(TRL, "pillow")
    work = WORK / "vision"
    shutil.rmtree(work, ignore_errors=True)
    model = tiny_model(work / "model")
    rows = chart_rows(given.data, "train", given.rows)
    write_rows(rows, work / "rows.jsonl")
    (work / "rows.json").write_text(json.dumps(rows), encoding="utf-8")
    ratios: dict[str, list[float]] = {"loop_seconds": [], "loop_processor": []}
    for _ in range(given.rounds):
        ours = run("metier", sys.executable, "run_metier.py", our_settings(work, model, given), given, work)
        theirs = run("trl", TRL.python, "run_trl_vision.py", trl_settings(work, model, given), given, work)
        for clock, found in ratios.items():
            found.append(theirs[clock] / ours[clock])
    epoch = -(-given.rows // given.rows_per_step)
    last = {side: statistics.mean(made["losses"][-epoch:]) for side, made in (("metier", ours), ("trl", theirs))}
    apart = abs(last["metier"] / last["trl"] - 1)
    print(
        f"rows/s, ours / TRL: {statistics.median(ratios['loop_seconds']):.2f} by the clock, "
        f"{statistics.median(ratios['loop_processor']):.2f} by processor seconds (bar {BAR}); mean loss of the last "
        f"epoch {last['metier']:.4f} and {last['trl']:.4f}, {apart:.2%} apart (bar 1 %)"
    )


def our_settings(work: Path, model: Path, given: argparse.Namespace) -> dict[str, Any]:
    flags = {
        "model_name_or_path": model,
        "dataset": work / "rows.jsonl",
        "disable_shuffling": "true",
        "num_train_epochs": given.epochs,
        "per_device_train_batch_size": given.rows_per_step,
        "learning_rate": given.learning_rate,
        "lr_scheduler_type": "constant",
        "dtype": "float32",
        "device": "cpu",
        "gradient_checkpointing": "off",
        "save_steps": 100_000,
    }
    written = [part for name, value in flags.items() for part in (f"--{name}", str(value))]
    return {"command": ["train", "--output_dir", str(work / "metier" / "output"), *written]}


def trl_settings(work: Path, model: Path, given: argparse.Namespace) -> dict[str, Any]:
    import torch

    from metier.models import load_model, resolve_model
    from metier.models.parts import lora_modules

    loaded = load_model(resolve_model(str(model)), device="cpu", dtype=torch.float32)
    return {
        "model": str(model),
        "rows": str(work / "rows.json"),
        "targets": lora_modules(loaded, "all"),
        "epochs": given.epochs,
        "rows_per_step": given.rows_per_step,
        "learning_rate": given.learning_rate,
        "seed": 42,
    }


def run(
    side: str, python: Path | str, script: str, settings: dict[str, Any], given: argparse.Namespace, work: Path
) -> dict[str, Any]:
    """Trains once and returns what the side wrote of itself."""
    folder = work / side
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    file = folder / "settings.json"
    places = {"output": str(folder / "output"), "result": str(folder / "result.json")}
    file.write_text(json.dumps(settings | places), encoding="utf-8")
    done = subprocess.run(
        [str(python), str(HERE / script), str(file)],
        env=environment(given.threads),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{side} failed:\n" + "\n".join((done.stdout + done.stderr).splitlines()[-25:]))
    found: dict[str, Any] = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    rows = given.rows * given.epochs
    print(
        f"  {side:<7} {rows / found['loop_seconds']:6.2f} rows/s; {found['loop_seconds']:.1f} s, processor "
        f"{found['loop_processor']:.1f} s; losses {found['losses'][0]:.3f} … {found['losses'][-1]:.3f}",
        flush=True,
    )
    return found


if __name__ == "__main__":
    main()
