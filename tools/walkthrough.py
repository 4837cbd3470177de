"""The medical walk-through in a real browser on the real default model, from sign-up to report, with pictures.

    python tools/walkthrough.py [--width 1440] [--language zh] [--pictures FOLDER] [--table FILE.jsonl]

Sign-up → fine-tune with the preset of the medical demo → in mid-training the server and the training are killed with
-9, the server is started again and the same curve goes on → the checkpoint answers a choice question → evaluation, base
and tuned → report → an Excel file of Chinese questions and answers with odd column names is uploaded and trained on.
table: rows with `instruction` and `output` for that file; some of the project's own where left out. Prints what
was read on the pages. About fifteen minutes on two cores.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.web.walk import Walk, odd_table

from metier.data import load_dataset
from tools.walking import Say, flags, walked

QUESTION = (
    "A 29-year-old woman comes with sneezing, itchy eyes and a clear runny nose every spring. What is the most likely "
    "diagnosis? A. allergic rhinitis B. gout C. acute appendicitis D. iron deficiency anaemia"
)


def chinese_rows(table: Path | None, most: int = 120) -> list[tuple[str, str]]:
    """Questions and answers for the Excel file."""
    if table is None:
        return [(row.prompt[-1].text, row.label) for row in load_dataset("medical_sample_zh").conversations[:most]]
    lines = [json.loads(line) for line in table.read_text(encoding="utf-8").splitlines()[:most]]
    return [(line["instruction"] + line.get("input", ""), line["output"]) for line in lines]


def main() -> int:
    parser = flags(__doc__)
    parser.add_argument("--table", type=Path)
    given = parser.parse_args()

    def steps(walk: Walk, folder: Path, say: Say) -> None:
        run = walk.fine_tune("/fine-tune?preset=medical:demo", {})
        say(f"submitted {run}")
        walk.train(run, kill_at=10, seconds=1800)
        say("finished: " + walk.tab.evaluate("document.querySelector('#ending p').innerText"))
        say("answer: " + walk.chat(run, QUESTION, 180))
        walk.unload()
        walk.evaluate(run, "medical_demo_en_test", {"max_samples": "40", "max_new_tokens": "32"}, 900)
        say("scores:\n" + walk.tab.evaluate("document.querySelector('table').innerText"))
        walk.report(run)
        walk.bring(odd_table(folder / "咨询 记录.xlsx", chinese_rows(given.table)), "consultations")
        walk.see("consultations", "smollm2-135m")
        second = walk.fine_tune(
            "/fine-tune?kind=train&dataset=consultations&model=smollm2-135m",
            {"max_steps": "12", "cutoff_len": "512", "logging_steps": "1", "save_steps": "4"},
        )
        walk.train(second, kill_at=3, seconds=900)
        say("trained on the Excel file: " + walk.tab.evaluate("document.querySelector('#ending').innerText"))
        walk.look_around("/", "/runs", f"/compare?runs={run},{second}", "/models", "/reports", "/settings")

    return walked(Walk, given, steps)


if __name__ == "__main__":
    raise SystemExit(main())
