"""What the demo's training is worth: held-out choice accuracy for several seeds, and for labels that were shuffled.

    python bench/demo_accuracy.py [--seeds 42 7] [--quick]

Runs the recipe `medical`, profile `demo`, once with each seed (which decides the order of rows and the new weights) and
once more on the same rows with each answer moved to another row: what is gained there is not knowledge. Prints base and
tuned accuracy, the paired interval of the difference, and how long training took. Runs are kept in
`bench/.work/demo_accuracy`; running it again goes on there. `--quick`: the shuffled control alone.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from metier.data import load_dataset, write_dataset
from metier.data.samples import shuffled_labels

WORK = Path(__file__).parent / ".work" / "demo_accuracy"
BAR = 0.70


def run(name: str, *flags: str) -> dict[str, Any]:
    """The comparison of one run of the demo, and its training's summary."""
    folder = WORK / name
    command = [sys.executable, "-m", "metier.cli", "run", "medical", "--profile", "demo", "--run_dir", str(folder)]
    subprocess.run([*command, "--data.guard", "null", *flags], check=True, stdout=subprocess.DEVNULL)
    steps = folder / "steps"
    done = json.loads((steps / "train" / "done.json").read_text(encoding="utf-8"))
    return {**json.loads((steps / "compare" / "compare.json").read_text(encoding="utf-8")), "train": done["summary"]}


def control() -> Path:
    """The demo's training set with shuffled labels, as a file."""
    path = WORK / "shuffled.jsonl"
    write_dataset(shuffled_labels(load_dataset("medical_demo_en"), seed=42), path)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[42, 7])
    parser.add_argument("--quick", action="store_true", help="the shuffled control alone")
    given = parser.parse_args()
    runs = {} if given.quick else {f"seed-{seed}": ("--seed", str(seed)) for seed in given.seeds}
    missed = False
    for name, flags in {**runs, "shuffled": ("--data.train", str(control()))}.items():
        result = run(name, *flags)
        found = result["metrics"]["choice_accuracy"]
        base, tuned = found["base"]["score"], found["tuned"]["score"]
        low, high = found["low"], found["high"]
        kept = tuned >= BAR and low > 0 if name != "shuffled" else low <= 0
        missed |= not kept
        print(
            f"{name}: base {base:.3f}, tuned {tuned:.3f}, difference {tuned - base:+.3f} [{low:+.3f}, {high:+.3f}], "
            f"training {result['train']['train_seconds']:.0f} s, loss {result['train']['final_loss']:.3f}: "
            f"{'as it must be' if kept else 'NOT as it must be'}",
            flush=True,
        )
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
