"""`icons.svg` from the icons that templates and pages name: `python tools/make_icons.py FOLDER`.

FOLDER: `icons/outline` of the npm package `@tabler/icons`. The brand's mark is `mark.svg`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

WEB = Path(__file__).resolve().parents[1] / "src" / "metier" / "web"
_NAMED = tuple(
    re.compile(pattern)
    for pattern in (
        r"""icon\(\s*['"]([a-z0-9-]+)['"]""",
        r"""(?:entry|empty)\(\s*'[^']*',\s*'([a-z0-9-]+)'""",
        r"""empty\(\s*'([a-z0-9-]+)'""",
        r"""icons\.svg[^"'`]*#([a-z0-9-]+)""",
    )
)


def names() -> set[str]:
    """Every icon that a template, page or script names."""
    files = [*WEB.rglob("*.html"), *WEB.rglob("*.py"), *(WEB / "static").glob("*.js")]
    return {name for file in files for pattern in _NAMED for name in pattern.findall(file.read_text(encoding="utf-8"))}


def symbol(name: str, source: Path) -> str:
    """One icon as a symbol of the sheet."""
    file = WEB / "static" / "mark.svg" if name == "logo" else source / f"{name}.svg"
    inner = re.search(r"<svg[^>]*>(.*)</svg>", file.read_text(encoding="utf-8"), re.DOTALL)
    if inner is None:
        raise ValueError(file)
    content = re.sub(r"\s+", " ", inner[1]).replace('<path stroke="none" d="M0 0h24v24H0z" fill="none"/>', "").strip()
    return f'<symbol id="{name}" viewBox="0 0 24 24">{content}</symbol>'


def main() -> None:
    source = Path(sys.argv[1])
    wanted = sorted(name for name in names() if name == "logo" or (source / f"{name}.svg").is_file())
    sheet = "\n".join(symbol(name, source) for name in wanted)
    text = (
        '<svg xmlns="http://www.w3.org/2000/svg" fill="none" stroke="currentColor" stroke-width="1.75" '
        f'stroke-linecap="round" stroke-linejoin="round">\n{sheet}\n</svg>\n'
    )
    (WEB / "static" / "icons.svg").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
