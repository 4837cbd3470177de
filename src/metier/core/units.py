"""Numbers as people read them."""

from __future__ import annotations


def size_text(value: float | None) -> str:
    """Bytes in units of a thousand."""
    if value is None:
        return "–"
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return "–"
