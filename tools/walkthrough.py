"""The medical walk-through in a real browser on the real default model, from sign-up to report, with pictures.

    python tools/walkthrough.py [--width 1440] [--language zh] [--pictures FOLDER] [--table FILE.jsonl]

Sign-up → fine-tune with the preset of the medical demo → in mid-training the server and the training are killed with
-9, the server is started again and the same curve goes on → the checkpoint answers a choice question → evaluation, base
and tuned → report → an Excel file of Chinese questions and answers with odd column names is uploaded and trained on.
table: rows with `instruction` and `output` for that file; some of the project's own where left out. Prints what
was read on the pages. About fifteen minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.server import Server
from tests.web.walk import Walk, odd_table

from metier.data import load_dataset
from tools.screenshot import browser, find_chromium

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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, choices=(1440, 390), default=1440)
    parser.add_argument("--language", choices=("zh", "en"), default="zh")
    parser.add_argument("--pictures", type=Path, default=Path("pictures"))
    parser.add_argument("--table", type=Path)
    given = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        sys.stderr.write("Chromium is not installed: bash tools/system_packages.sh\n")
        return 2
    begun = time.monotonic()

    def say(text: str) -> None:
        sys.stdout.write(f"{time.monotonic() - begun:6.0f} s  {text}\n")
        sys.stdout.flush()

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, browser(chromium) as tab:
        folder = Path(name)
        walk = Walk(Server(folder / "bench"), tab, given.width, given.language, given.pictures)
        try:
            walk.sign_up()
            run = walk.fine_tune("/fine-tune?preset=medical:demo", {})
            say(f"submitted {run}")
            walk.train(run, kill_at=10, seconds=1800)
            say("finished: " + tab.evaluate("document.querySelector('#ending p').innerText"))
            say("answer: " + walk.chat(run, QUESTION, 180))
            walk.unload()
            walk.evaluate(run, "medical_demo_en_test", {"max_samples": "40", "max_new_tokens": "32"}, 900)
            say("scores:\n" + tab.evaluate("document.querySelector('table').innerText"))
            walk.report(run)
            walk.bring(odd_table(folder / "咨询 记录.xlsx", chinese_rows(given.table)), "consultations")
            walk.see("consultations", "smollm2-135m")
            second = walk.fine_tune(
                "/fine-tune?kind=train&dataset=consultations&model=smollm2-135m",
                {"max_steps": "12", "cutoff_len": "512", "logging_steps": "1", "save_steps": "4"},
            )
            walk.train(second, kill_at=3, seconds=900)
            say("trained on the Excel file: " + tab.evaluate("document.querySelector('#ending').innerText"))
            walk.look_around("/", "/runs", f"/compare?runs={run},{second}", "/models", "/reports", "/settings")
        finally:
            walk.server.kill()
    say(f"{len(walk.passed)} stations, pictures in {given.pictures}; too wide: {walk.wide or 'none'}")
    say(f"console: {tab.messages or 'silent'}")
    return 1 if walk.wide or tab.messages else 0


if __name__ == "__main__":
    raise SystemExit(main())
