"""What tuning the vision toy is worth: held-out charts, for several seeds, and for answers that were shuffled.

    python bench/vision_demo.py [--seeds 42 7] [--quick]

Runs the recipe `finance`, profile `demo`, once with each seed (which decides the order of rows and the new weights),
and twice more as controls on the same pictures and questions: with all answers dealt out anew (nothing is left to learn
but which answers there are), and with answers dealt out among questions of one kind (what is had by knowing the
question and not looking: that much of a tuned score is no reading). Prints relaxed accuracy (ChartQA's) of base and
tuned, the paired interval of the difference, exact accuracy by kind of question, and exact accuracy on rows of the
training set: what it is above that of held-out rows was memory. Runs are kept in `bench/.work/vision_demo`; running it
again goes on there. `--quick`: one seed and the first control.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

from metier.data import Dataset, load_dataset, write_dataset
from metier.data.samples import shuffled_labels

WORK = Path(__file__).parent / ".work" / "vision_demo"
BAR, SECONDS = 0.60, 300
MEMORY_ROWS = 350


def metier(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "metier.cli", *arguments], check=True, stdout=subprocess.DEVNULL)


def run(name: str, *flags: str) -> dict[str, Any]:
    """The comparison of one run of the demo, its training's summary and its folder."""
    folder = WORK / name
    metier("run", "finance", "--profile", "demo", "--run_dir", str(folder), *flags)
    steps = folder / "steps"
    done = json.loads((steps / "train" / "done.json").read_text(encoding="utf-8"))
    compared = json.loads((steps / "compare" / "compare.json").read_text(encoding="utf-8"))
    return {**compared, "train": done["summary"], "steps": steps}


def controls() -> dict[str, Path]:
    """The demo's training set with answers dealt out among all rows, and among rows of one kind, as files."""
    given = load_dataset("chart_demo_en")
    files = {}
    for name, rows in {"shuffled": _kindless(given), "shuffled-in-kind": given}.items():
        files[name] = WORK / f"{name}.jsonl"
        write_dataset(shuffled_labels(rows, seed=42), files[name])
    return files


def _kindless(dataset: Dataset) -> Dataset:
    rows = [replace(row, meta={**row.meta, "kind": "any"}) for row in dataset.conversations]
    return replace(dataset, conversations=rows)


def by_kind(predictions: Path) -> dict[str, float]:
    """Share of answers that are the reference, letter for letter, by kind of question."""
    right = defaultdict(list)
    for line in predictions.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        right[row["meta"]["kind"]].append(row["predict"].strip() == row["meta"]["answer"])
    return {kind: sum(found) / len(found) for kind, found in sorted(right.items())}


def memory(result: dict[str, Any], name: str) -> float:
    """Accuracy of the tuned model on rows that it was trained on."""
    folder = WORK / f"{name}-memory"
    model = ["--model_name_or_path", "chart-seedling"]
    model += ["--adapter_name_or_path", str(result["steps"] / "train" / "adapter")]
    rows = ["--dataset", "chart_demo_en", "--max_samples", str(MEMORY_ROWS)]
    metier("predict", *model, *rows, "--max_new_tokens", "12", "--temperature", "0", "--output_dir", str(folder))
    found = by_kind(folder / "steps" / "predict" / "predictions.jsonl")
    return sum(found.values()) / len(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[42, 7])
    parser.add_argument("--quick", action="store_true", help="one seed and the first control")
    given = parser.parse_args()
    runs = {f"seed-{seed}": ("--seed", str(seed)) for seed in given.seeds[: 1 if given.quick else None]}
    shuffled = {name: ("--data.train", str(file)) for name, file in controls().items()}
    runs |= {"shuffled": shuffled["shuffled"]} if given.quick else shuffled
    missed = False
    for name, flags in runs.items():
        result = run(name, *flags)
        found = result["metrics"]["relaxed_accuracy"]
        base, tuned = found["base"]["score"], found["tuned"]["score"]
        low, high, seconds = found["low"], found["high"], result["train"]["train_seconds"]
        kept = {"shuffled": low <= 0, "shuffled-in-kind": True}.get(
            name, tuned >= BAR and low > 0 and seconds <= SECONDS
        )
        missed |= not kept
        learnt = f", on training rows {memory(result, name):.3f}" if name.startswith("seed") else ""
        scores = f"base {base:.3f}, tuned {tuned:.3f}{learnt}, difference {tuned - base:+.3f} [{low:+.3f}, {high:+.3f}]"
        print(f"{name}: {scores}, training {seconds:.0f} s: {'as it must be' if kept else 'NOT as it must be'}")
        for side in ("base", "tuned"):
            kinds = by_kind(result["steps"] / f"predict-{side}" / "predictions.jsonl")
            print(f"  {side}: " + ", ".join(f"{kind} {share:.2f}" for kind, share in kinds.items()), flush=True)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
