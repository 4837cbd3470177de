"""The figures of a proof in a terminal: a line a score, a column a variant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from metier.cli.app import write_line
from metier.core.files import read_json
from metier.core.i18n import current_language, translate

_WIDTH = 22


def write_proof(file: Path) -> None:
    """Each variant's scores with intervals, the search's, the judge's fitness, and where the page is."""
    found = read_json(file)
    language = current_language()
    names = [translate(f"evaluate.variant.{one['name']}") for one in found["variants"]]
    write_line(_padded("", 36) + "".join(_padded(name, _WIDTH) for name in names))
    for key, about in found["metrics"].items():
        entries = [one["scores"].get(key) for one in found["variants"]]
        if any(entries):
            cells = (_padded(_written(entry, about["unit"]), _WIDTH) for entry in entries)
            write_line(_padded(about["name"][language], 36) + "".join(cells))
    for key, entry in (found["retrieval"] or {}).get("scores", {}).items():
        write_line(_padded(found["metrics"][key]["name"][language], 36) + _written(entry, "share"))
    write_line()
    write_line(translate("cli.proof_page", file=(file.parent / "proof.html").resolve()))


def _written(entry: dict[str, Any] | None, unit: str) -> str:
    if entry is None:
        return "–"
    factor, decimals = (100.0, 1) if unit == "share" else (1.0, 0) if unit == "tokens" else (1.0, 2)
    score, low, high = (f"{factor * entry[key]:.{decimals}f}" for key in ("score", "low", "high"))
    return f"{score} [{low}, {high}]"


def _padded(text: str, width: int) -> str:
    """Chinese characters are two columns wide."""
    wide = sum("\u2e80" <= character <= "\uffef" for character in text)
    return text + " " * max(1, width - len(text) - wide)
