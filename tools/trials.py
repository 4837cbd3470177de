"""The command of a trial that kills: its flags, a data folder and a home of its own, and how it ends."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path


def run_command(
    about: str | None,
    run: Callable[[Path, int, int], list[str]],
    *,
    kills: int,
    prepare: Callable[[Path], object] = lambda folder: None,
) -> None:
    """Runs a trial as the flags say, tells what did not hold, and exits with 1 if anything did not.

    about: the command's help; run: the trial, given its data folder, how often to kill, and a seed; kills: how often
    unless told otherwise; prepare: what there must be before, given a folder for it.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=kills)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        os.environ["METIER_HOME"] = str(Path(name) / "home")
        os.environ["HF_HUB_OFFLINE"] = "1"
        prepare(Path(name))
        wrong = run(given.folder or Path(name) / "bench", given.kills, given.seed)
    sys.stdout.write("\n".join([*wrong, f"{given.kills} kills, {len(wrong)} broken promises"]) + "\n")
    sys.exit(1 if wrong else 0)
