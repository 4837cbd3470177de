"""What the walk-throughs share: their flags, a browser and a server for the time of the walk, what is said of it."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tests.support.server import Server
from tests.web.walk import Walk

from tools.screenshot import browser, find_chromium

Say = Callable[[str], None]
W = TypeVar("W", bound=Walk)


def flags(description: str | None) -> argparse.ArgumentParser:
    """Width, language, and where the pictures go."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=int, choices=(1440, 390), default=1440)
    parser.add_argument("--language", choices=("zh", "en"), default="zh")
    parser.add_argument("--pictures", type=Path, default=Path("pictures"))
    return parser


def walked(kind: type[W], given: argparse.Namespace, steps: Callable[[W, Path, Say], None]) -> int:
    """Goes the way and returns the exit code: 1 where a page was too wide or the console said something.

    kind: of the walk; steps: given the walk, an empty folder, and what prints a line with the seconds so far.
    """
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
        walk = kind(Server(folder / "bench"), tab, given.width, given.language, given.pictures)
        try:
            walk.sign_up()
            steps(walk, folder, say)
        finally:
            walk.server.kill()
    say(f"{len(walk.passed)} stations, pictures in {given.pictures}; too wide: {walk.wide or 'none'}")
    say(f"console: {tab.messages or 'silent'}")
    return 1 if walk.wide or tab.messages else 0
