"""What axe-core finds on a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tools.screenshot import Browser

_AXE = Path(__file__).parent / "vendor" / "axe-4.14.1.min.js"


def serious(tab: Browser) -> list[Any]:
    """The serious and critical violations: their rule and the first element of each."""
    tab.evaluate(_AXE.read_text(encoding="utf-8") + ";1")
    found = tab.evaluate("axe.run().then(r => r.violations.map(v => [v.impact, v.id, v.nodes[0].html]))")
    return [one for one in found if one[0] in ("serious", "critical")]
