"""Makes the sample sets that the package ships: `python -m tools.make_samples [--out FOLDER] [--seed N]`.

The same seed gives the same bytes: no time, path or order of a set enters, and gzip's time stamp is zero.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from tools.charts.sets import chart_sets
from tools.samples.facts import FACTS, read_table
from tools.samples.guard import guard_rows
from tools.samples.legal import legal_demo_rows, legal_sample_rows
from tools.samples.rehearsal import mixed, rehearsal_rows
from tools.samples.rows import Row, demo_rows, sample_rows

SEED = 3
DEMO_ROWS, DEMO_TEST_ROWS = 448, 100
LEGAL_ROWS, LEGAL_ZH_ROWS, LEGAL_ZH_TEST_ROWS = 320, 400, 60


def sample_sets(seed: int = SEED) -> dict[str, list[Row]]:
    """Every shipped set of words alone, by name."""
    table = read_table()
    sets = {
        "medical_demo_en": mixed(demo_rows(table, "train", seed, DEMO_ROWS), rehearsal_rows(), seed),
        "medical_demo_en_test": demo_rows(table, "test", seed, DEMO_TEST_ROWS),
    }
    for language in ("en", "zh"):
        sets[f"medical_sample_{language}"] = sample_rows(table, language, "train", seed)
        sets[f"medical_sample_{language}_test"] = sample_rows(table, language, "test", seed)
    sets["legal_demo_en"] = mixed(legal_demo_rows("train", seed, LEGAL_ROWS), rehearsal_rows(), seed)
    sets["legal_demo_en_test"] = legal_demo_rows("test", seed, DEMO_TEST_ROWS)
    sets["legal_sample_zh"] = legal_sample_rows("train", seed, LEGAL_ZH_ROWS)
    sets["legal_sample_zh_test"] = legal_sample_rows("test", seed, LEGAL_ZH_TEST_ROWS)
    sets["general_guard"] = guard_rows()
    return sets


def titles() -> dict[str, dict[str, Any]]:
    """Title, description and part (`split`) of each set, in both languages."""
    text = Path(__file__).with_name("samples").joinpath("titles.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def packed(rows: Iterable[Row]) -> bytes:
    """Rows as gzipped JSON lines; the bytes depend on the rows alone."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode("utf-8")
    target = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=target, mtime=0) as file:
        file.write(lines)
    return target.getvalue()


def write_samples(folder: Path, seed: int = SEED) -> None:
    """Writes each set and `index.yaml` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    sets = {**sample_sets(seed), **chart_sets(seed)}
    index = {}
    for name, rows in sets.items():
        content = packed(rows)
        (folder / f"{name}.jsonl.gz").write_bytes(content)
        index[name] = {
            "file": f"{name}.jsonl.gz",
            "format": "openai",
            "rows": len(rows),
            "sha256": hashlib.sha256(content).hexdigest(),
            "languages": sorted({row["meta"]["language"] for row in rows}),
            "license": "Apache-2.0",
            **titles()[name],
        }
    text = f"# Made by tools/make_samples.py with seed {seed}; do not edit.\n"
    text += yaml.safe_dump(index, allow_unicode=True, sort_keys=False, width=120)
    (folder / "index.yaml").write_text(text, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=FACTS.parent)
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    write_samples(arguments.out, arguments.seed)


if __name__ == "__main__":
    main()
