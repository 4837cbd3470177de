"""Conventions of this package, held by tests."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from string import Formatter

import metier.data
from metier.core.i18n import catalogue
from metier.data.containers import CONTAINERS
from metier.data.formats import FORMATS

SOURCE = Path(metier.data.__file__).parent
_CALLS = re.compile(
    r'(?:DataError|ConfigError|Note)\(\s*f?"data\.(\w+)"|(?:\.error|row_error|JsonError)\((?:[^"()]*,)?\s*"(\w+)"'
)


def _used() -> set[str]:
    names = set()
    for module in SOURCE.rglob("*.py"):
        for match in _CALLS.finditer(module.read_text(encoding="utf-8")):
            names.add(match.group(1) or match.group(2))
    return names


def test_every_error_and_note_has_both_languages_with_the_same_places() -> None:
    texts = catalogue("data")
    assert _used() <= texts.keys()
    for name, text in texts.items():
        fields = [{field for _, field, _, _ in Formatter().parse(text[language]) if field} for language in ("en", "zh")]
        assert fields[0] == fields[1], name


def test_every_registered_format_and_file_type_loads_and_bears_its_name() -> None:
    assert [FORMATS.get(name).name for name in FORMATS] == list(FORMATS)
    assert all(callable(CONTAINERS.get(suffix)) for suffix in CONTAINERS)


def test_import_needs_neither_torch_nor_the_table_libraries() -> None:
    heavy = ("torch", "transformers", "pyarrow", "openpyxl")
    code = f"import sys, metier.data; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
