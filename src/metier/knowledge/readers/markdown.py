"""Markdown: its text as it stands, with headings and tables known."""

from __future__ import annotations

import re

from metier.knowledge.draft import Draft
from metier.knowledge.readers import Emit, Source
from metier.knowledge.readers.plain import decoded

_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*$")
_ROW = re.compile(r"^\s*\|?(.+\|.*?)\|?\s*$")
_RULE = re.compile(r"^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$")
_FENCE = re.compile(r"^ {0,3}(```|~~~)")


def read(source: Source, draft: Draft, emit: Emit) -> str:
    """Adds the lines; a heading loses its marks, a table its rule."""
    text, encoding = decoded(source)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    draft.page(1)
    place = 0
    fenced = False
    while place < len(lines):
        line = lines[place]
        fenced ^= bool(_FENCE.match(line))
        heading = None if fenced else _HEADING.match(line)
        table = [] if fenced else _table(lines, place)
        if table:
            draft.table([_cells(row) for row in (table[0], *table[2:])])
            place += len(table)
            continue
        if heading:
            draft.heading(heading[2], len(heading[1]))
            draft.title = draft.title or heading[2]
        else:
            draft.add(line)
        place += 1
    emit({"event": "progress", "step": 1, "total": 1})
    return encoding


def _table(lines: list[str], place: int) -> list[str]:
    """The lines of a table that begins here: a row, a rule, rows."""
    if place + 1 >= len(lines) or not _ROW.match(lines[place]) or not _RULE.match(lines[place + 1]):
        return []
    end = place + 2
    while end < len(lines) and "|" in lines[end]:
        end += 1
    return lines[place:end]


def _cells(row: str) -> list[str]:
    return [cell.replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row.strip().strip("|"))]
