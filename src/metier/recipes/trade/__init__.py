"""The skeleton of a new industry: a folder that runs as it is, to be filled with one's own trade.

my-trade/recipe.yaml       how the specialist is made and proven        metier run recipe.yaml
         data/             what it learns from, and is measured on
         documents/        what it answers from                        metier knowledge add my-trade documents
         specialist.yaml   who it is and how it answers                metier specialist create specialist.yaml
         rubric.yaml       what judges look at
         README.md         the way through, in a page
"""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from metier.core.errors import ConfigError
from metier.core.files import write_text
from metier.core.i18n import Language, current_language
from metier.core.yamltext import parse_yaml

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_PLACEHOLDER = "my-trade"
_FILES = {
    "recipe.yaml": "recipe.yaml",
    "specialist.yaml": "specialist.yaml",
    "rubric.yaml": "rubric.yaml",
    "readme.{language}.txt": "README.md",
    "handbook.{language}.txt": "documents/handbook.txt",
}


def make_trade(name: str, folder: Path, language: Language | None = None) -> list[Path]:
    """Writes the skeleton of a trade into a folder that is empty or not there, and returns its files.

    name: of recipe, specialist and knowledge base: small letters, digits and hyphens. Raises ConfigError for a name
    that cannot be one, and where something lies in the folder already.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError("recipes.trade_name", name=name)
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise ConfigError("recipes.trade_there", folder=folder)
    spoken = language or current_language()
    written = {
        target: _template(source.format(language=spoken)).replace(_PLACEHOLDER, name)
        for source, target in _FILES.items()
    }
    train, test = _rows(spoken)
    written |= {"data/train.jsonl": train, "data/test.jsonl": test}
    for target, text in written.items():
        write_text(folder / target, text)
    return [folder / target for target in written]


def _rows(language: Language) -> tuple[str, str]:
    """The sample set: facts asked in other words for training than for the test."""
    facts = parse_yaml(_template("rows.yaml"))
    train = [_row(asked, fact[language]["say"]) for fact in facts for asked in fact[language]["ask"][:-1]]
    test = [_row(fact[language]["ask"][-1], fact[language]["say"]) for fact in facts]
    return "".join(train), "".join(test)


def _row(asked: str, said: str) -> str:
    row: dict[str, Any] = {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]}
    return json.dumps(row, ensure_ascii=False) + "\n"


def _template(name: str) -> str:
    return files("metier.recipes.trade").joinpath(name).read_text(encoding="utf-8")
