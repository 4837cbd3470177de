"""How fast the command line answers: `metier --help` and `import metier`, each a process of its own.

    python bench/startup.py [--runs 9] [--quick]

Prints the least and the median wall time, and the least processor time, against the bars (0.5 s and 0.3 s). Ends with
an error where torch or transformers was imported on the way. A busy machine stretches wall times: the least counts, and
where even that is above the bar, the processor time tells what an idle machine would need.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

BARS = {"metier --help": 0.5, "import metier": 0.3}
HEAVY = ("torch", "transformers", "peft", "accelerate")
# The entry point's own code, then a look at what it imported.
HELP = "import sys; from metier.cli import main; code = main(['--help'])"
IMPORT = "import sys; import metier; code = 0"
LOOK = f"; sys.exit(code or [name for name in {HEAVY} if name in sys.modules] or 0)"


def once(command: Sequence[str]) -> tuple[float, float]:
    """Wall and processor seconds of one process."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--quick", action="store_true", help="three runs")
    given = parser.parse_args()
    commands = {"metier --help": HELP, "import metier": IMPORT}
    for code in commands.values():  # raises where something heavy was imported; also warms the caches
        subprocess.run([sys.executable, "-c", code + LOOK], check=True, stdout=subprocess.DEVNULL)
    missed = False
    for name, code in commands.items():
        runs = [once([sys.executable, "-c", code]) for _ in range(3 if given.quick else given.runs)]
        walls = [wall for wall, _ in runs]
        processor = min(seconds for _, seconds in runs)
        verdict = "within" if min(walls) < BARS[name] else "above, within in processor time"
        if processor >= BARS[name]:
            verdict, missed = "ABOVE", True
        print(
            f"{name}: least {min(walls):.3f} s, median {statistics.median(walls):.3f} s, processor {processor:.3f} s, "
            f"bar {BARS[name]} s: {verdict}; no torch imported"
        )
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
