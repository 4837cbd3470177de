"""The legal specialist on the demo model, bare and over its sample documents: what `metier compare` finds.

    python bench/proof.py [--questions 16] [--no-judge]

Of the shipped questions five of eight have an answer in the documents, the others have none; the demo model is the
judge, which the fitness test must find unfit: its sixteen votes read 3,500 tokens each and take most of the time.
Answers are held to 96 tokens: the demo model's Chinese is weak, and slow.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--questions", type=int, default=16)
    options.add_argument("--no-judge", action="store_true")
    asked = options.parse_args()
    answered = max(1, asked.questions * 5 // 8)
    from metier.core.events import EventLog
    from metier.evaluate.proof import ProofSpec, run_proof
    from metier.evaluate.proof.questions import questions_file
    from metier.evaluate.proof.sources import LocalSources
    from metier.knowledge.library import Library
    from metier.specialists.store import shipped_specialist, to_yaml

    print(f"load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        samples = Path(str(__import__("metier").__path__[0])) / "specialists" / "samples" / "legal"
        files = sorted(path for path in samples.rglob("*.md"))
        Library(home / "knowledge").create("local", "labour-law-samples").add(files)
        shipped = shipped_specialist("legal")
        assert shipped is not None
        sampling = shipped.specialist.sampling.model_copy(update={"max_new_tokens": 96})
        (home / "legal.yaml").write_text(to_yaml(shipped.specialist.model_copy(update={"sampling": sampling})))
        rows = [json.loads(line) for line in questions_file(Path("legal")).read_text(encoding="utf-8").splitlines()]
        chosen = [row for row in rows if row.get("gold")][:answered]
        chosen += [row for row in rows if not row.get("gold")][: asked.questions - answered]
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in chosen)
        (home / "questions.jsonl").write_text(text, encoding="utf-8")
        spec = ProofSpec(
            specialist=str(home / "legal.yaml"),
            questions=home / "questions.jsonl",
            rubric="legal",
            judge_model_name_or_path=None if asked.no_judge else "smollm2-135m",
            judge_votes=1,
        )
        began = time.monotonic()
        run_proof(spec, home / "run", EventLog(None, listeners=(tell,)), sources=LocalSources(home))
        found = json.loads((home / "run" / "proof.json").read_text(encoding="utf-8"))
        for sentence in found["verdict"]["sentences"]:
            print(sentence["en"])
        for variant in found["variants"]:
            for name, score in variant["scores"].items():
                show(variant["name"], name, score)
        for name, score in found["retrieval"]["scores"].items():
            show("search", name, score)
        print(f"{len(chosen)} questions in {time.monotonic() - began:.0f} s")


def tell(event: dict[str, Any]) -> None:
    """What is done next, with the time, so that a slow part is seen."""
    if event["event"] == "log":
        print(f"{time.strftime('%H:%M:%S')} {event['message']}", flush=True)


def show(side: str, name: str, score: dict[str, Any]) -> None:
    print(f"{side:<16} {name:<20} {score['score']:.3f} [{score['low']:.3f}, {score['high']:.3f}]")


if __name__ == "__main__":
    main()
