"""The legal walk-through in a real browser, from sign-up to curl, with pictures.

    python tools/legal_walkthrough.py [--statutes FOLDER] [--model] [--width 1440] [--language zh] [--pictures FOLDER]

Statutes and the product's sample documents are uploaded together → “✅ 文档已加载并索引！” → a search → the question
of the walk-through word for word → “Details” → every citation is opened at its marked words → a question that makes
sense only after it → beside the bare model (with --model: the default model is loaded, writes what it can) → the same
specialist by curl. statutes: a folder of texts; without it only the samples are read. Prints what the pages say.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from importlib.resources import files

from tests.web.legal_walk import FOLLOW_UP, QUESTION, LegalWalk

from tools.walking import Say, flags, walked


def documents(statutes: Path | None) -> list[Path]:
    """The files that are uploaded."""
    samples = Path(str(files("metier.specialists.samples"))) / "legal"
    own = sorted(path for path in samples.rglob("*") if path.suffix in (".md", ".txt"))
    return [*(sorted(statutes.glob("*.txt")) if statutes else []), *own]


def main() -> int:
    parser = flags(__doc__)
    parser.add_argument("--statutes", type=Path)
    parser.add_argument("--model", action="store_true")
    given = parser.parse_args()

    def steps(walk: LegalWalk, folder: Path, say: Say) -> None:
        walk.documents("labour-law", documents(given.statutes), 300)
        say("documents read")
        say("best passage: " + walk.look_up("labour-law", "加班费 计算基数 劳动合同 约定工资"))
        walk.converse("legal", bare=given.model)
        if given.model:
            walk.load_model(300)
        for question in (QUESTION, FOLLOW_UP):
            answers = walk.ask(question, 600, answers=1 + given.model)
            say(f"asked: {question}\n" + "\n--- beside it, the bare model:\n".join(answers))
            say("around it: " + str(walk.details()))
            walk.station("answer")
            say("thinking: " + (walk.open_thinking() or "none shown"))
            for title, marked in walk.open_citations():
                say(f"cited: {title} | {marked[:80]}")
        said = walk.curl("legal", QUESTION)["choices"][0]["message"]
        say("by curl:\n" + str(said["content"])[:1500])
        say(f"annotations: {len(said.get('annotations') or [])}")
        walk.look_around("/", "/knowledge", "/specialists", "/specialists/legal", "/services")

    return walked(LegalWalk, given, steps)


if __name__ == "__main__":
    raise SystemExit(main())
