"""Words that people read stand in the catalogues: none is typed into a script or into the program.

Templates are held to it by the conventions' tests; here it is the rest: scripts get their words from the page.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import metier

ROOT = Path(metier.__file__).parent
SCRIPTS = sorted(ROOT.glob("web/static/*.js"))
SOURCES = sorted(ROOT.rglob("*.py"))
HAN = re.compile(r"[\u3400-\u9fff]")
# What reads Chinese, and so names Chinese words: columns, choices, options, sentence ends, articles, claims.
READERS = {
    "knowledge/cells.py",
    "knowledge/columns.py",
    "knowledge/headings.py",
    "knowledge/kinds/case.py",
    "knowledge/kinds/contract.py",
    "knowledge/kinds/plain.py",
    "knowledge/kinds/statute.py",
    "knowledge/layout.py",
    "knowledge/matching.py",
    "knowledge/naming.py",
    "core/numerals.py",
    "core/quantities.py",
    "evaluate/numeric.py",
    "knowledge/ocr.py",
    "knowledge/readers/docx.py",
    "knowledge/running.py",
    "knowledge/terms.py",
    "knowledge/writing.py",
    "specialists/answering.py",
    "specialists/courtesy.py",
    "report/findings/docx.py",
    "specialists/finance/amounts.py",
    "specialists/finance/candidates.py",
    "specialists/finance/claims.py",
    "specialists/finance/compliance.py",
    "specialists/finance/limits.py",
    "specialists/finance/computing.py",
    "specialists/finance/documenttables.py",
    "specialists/finance/evidence.py",
    "specialists/finance/gridreading.py",
    "specialists/finance/periods.py",
    "specialists/finance/reading.py",
    "specialists/finance/seentables.py",
    "specialists/finance/series.py",
    "specialists/finance/tablefindings.py",
    "specialists/finance/telling.py",
    "specialists/finance/tools.py",
    "specialists/legal/docx.py",
    "specialists/legal/limitation.py",
    "specialists/legal/numerals.py",
    "specialists/legal/overtime.py",
    "specialists/legal/precedents.py",
    "specialists/legal/read_amounts.py",
    "specialists/legal/read_dates.py",
    "specialists/legal/read_hours.py",
    "specialists/legal/read_words.py",
    "specialists/legal/request.py",
    "specialists/legal/said.py",
    "specialists/legal/tools.py",
    "specialists/legal/topic.py",
    "specialists/opinion.py",
    "specialists/premises.py",
    "specialists/sentences.py",
    "specialists/support.py",
    "specialists/words.py",
    "evaluate/citing.py",
    "evaluate/judgement.py",
    "evaluate/language.py",
    "workbench/suggesting.py",
    "evaluate/choices.py",
    "rendering/encoding.py",
    "data/textfile.py",
    "data/readers/exam.py",
    "api/routes/datasets.py",
}
_TEXT = r"""(?:"([^"\\\n]*)"|'([^'\\\n]*)'|`([^`]*)`)"""
# Where a script's text reaches somebody: on the page, in a message, a question, a label.
SHOWN = re.compile(
    rf"""(?:\b(?:say|confirm|alert|prompt)\(\s*|\.(?:textContent|innerText|title|placeholder|ariaLabel)\s*\+?=\s*"""
    rf"""|setAttribute\(\s*["'](?:title|aria-label|placeholder)["']\s*,\s*){_TEXT}"""
)
_NAMES = {"Métier"}


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_says_anything_of_its_own(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    code = re.sub(r"(?m)^\s*//.*$", "", source)
    assert HAN.findall(code) == []
    for match in SHOWN.finditer(code):
        text = re.sub(r"\${[^}]*}", " ", next(part for part in match.groups() if part is not None))
        words = set(re.findall(r"[^\W\d_]{2,}", text)) - _NAMES
        assert not words, f"words outside the catalogue: {sorted(words)}"


def test_chinese_words_stand_in_catalogues_and_in_what_reads_chinese() -> None:
    found = {str(path.relative_to(ROOT)) for path in SOURCES if any(HAN.search(text) for text in _texts(path))}
    others = found - READERS
    assert not others, f"Chinese typed into {sorted(others)}: put it into a locale file"
    assert found >= READERS, f"these read no Chinese any more: {sorted(READERS - found)}"


def test_a_script_that_says_something_is_found() -> None:
    for line in ("say('No luck');", 'box.textContent = "Loading";', "button.setAttribute('aria-label', `Row ${n}`)"):
        match = SHOWN.search(line)
        assert match is not None and re.search(r"[^\W\d_]{2,}", "".join(part or "" for part in match.groups()))


def _texts(path: Path) -> list[str]:
    """The texts in a module that are not its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs = {id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, documented) and _has_docstring(node)}
    texts = [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docs]
    return [node.value for node in texts if isinstance(node.value, str)]


def _has_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return ast.get_docstring(node) is not None
