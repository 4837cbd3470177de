"""`metier knowledge`: documents to be found, cited and forgotten."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.console import Console
from rich.table import Table

from metier.cli.app import write_json, write_line
from metier.cli.progress import Display
from metier.core.errors import ConfigError, DataError
from metier.core.events import EventLog
from metier.core.i18n import has_text, translate
from metier.core.settings import settings
from metier.core.units import size_text
from metier.knowledge.base import KnowledgeBase
from metier.knowledge.entries import Entry
from metier.knowledge.library import LOCAL, Library
from metier.knowledge.passage import Hit

Flag = Annotated[bool, Parameter(negative=())]
_SHOWN = 220  # characters of a passage in a list


def library() -> Library:
    """The knowledge bases of this machine's user."""
    return Library(settings().home / "knowledge")


def list_(name: str | None = None, /, *, json: Flag = False) -> None:
    """Lists knowledge bases, or the documents of one."""
    if name is not None:
        _list_documents(library().open(LOCAL, name), as_json=json)
        return
    bases = [(base, base.documents()) for base in library().list(LOCAL)]
    if json:
        write_json([_base_view(base, entries) for base, entries in bases])
        return
    table = _table("name", "documents", "passages", "size", "notes")
    for base, entries in bases:
        passages = sum(entry.passages for entry in entries)
        size = size_text(sum(entry.size for entry in entries))
        table.add_row(base.name, f"{len(entries):,}", f"{passages:,}", size, base.title)
    Console(highlight=False).print(table)


def add_(
    name: str,
    /,
    *files: Path,
    title: str = "",
    embedder: str = "",
    ocr: bool = True,
    json: Flag = False,
) -> int:
    """Reads files into a knowledge base, which is made where there is none; a folder means the files below it."""
    if not files:
        raise ConfigError("cli.knowledge_no_files", name=name)
    base = _opened_or_made(name, title=title, embedder=embedder)
    with Display() as display:
        told = EventLog(None, (_teller(display, as_json=json),))
        outcomes = base.add(list(_files_below(files)), ocr=ocr, events=told)
    if json:
        write_json([outcome.to_json() for outcome in outcomes])
    return 2 if any(outcome.state == "failed" for outcome in outcomes) else 0


def search_(
    name: str,
    text: str,
    /,
    *,
    limit: int = 6,
    document: list[str] | None = None,
    title: list[str] | None = None,
    article: str = "",
    on: str | None = None,
    json: Flag = False,
) -> None:
    """Finds passages. on: only what was in force that day (2024-05-01)."""
    base = library().open(LOCAL, name)
    looked = base.look(
        text,
        limit=limit,
        documents=document or (),
        titles=title or (),
        article=article,
        in_force_on=_date(on) if on else None,
    )
    hits = looked.hits
    if looked.away is not None:
        sys.stderr.write(translate("cli.knowledge_by_words", problem=looked.away.text()) + "\n")
    if json:
        write_json([asdict(hit) for hit in hits])
        return
    if not hits:
        write_line(translate("cli.knowledge_nothing_found", name=name))
    for number, hit in enumerate(hits, 1):
        _show_hit(number, hit)


def ask_(name: str, /, *questions: str, json: Flag = False) -> None:
    """Asks the documents: passages word for word with their sources, or the plain word that there is no answer."""
    from metier.cli.ask import ask_documents

    base = library().open(LOCAL, name)
    ask_documents(base.name, questions, json=json)


def check_(name: str, /, *, repair: Flag = False, json: Flag = False) -> int:
    """Verifies files, passages and index of a knowledge base. repair: puts right what can be."""
    base = library().open(LOCAL, name)
    findings = base.repair() if repair else base.check()
    if json:
        write_json([{"text": finding.text(), **asdict(finding)} for finding in findings])
    else:
        for finding in findings:
            write_line(finding.text())
        entries = base.documents()
        for entry in entries:
            if scanned := _scanned(entry.origins, entry.pages):
                write_line(f"{entry.name}: {scanned}")
        passages = sum(entry.passages for entry in entries)
        sound = not findings or repair
        key = "cli.knowledge_sound" if sound else "cli.knowledge_unsound"
        write_line(translate(key, name=name, documents=f"{len(entries):,}", passages=f"{passages:,}"))
    return 0 if repair or not findings else 3


def remove_(name: str, /, *documents: str, json: Flag = False) -> None:
    """Removes documents, or a whole knowledge base: no fragment is left."""
    shelf = library()
    if documents:
        names = [entry.name for entry in shelf.open(LOCAL, name).remove(documents)]
    else:
        names = [shelf.open(LOCAL, name).name]
        shelf.remove(LOCAL, name)
    if json:
        write_json({"removed": names})
        return
    for one in names:
        write_line(translate("cli.removed", name=one))


def _opened_or_made(name: str, *, title: str, embedder: str) -> KnowledgeBase:
    from metier.knowledge.embedding import open_embedder

    known = {base.name: base for base in library().list(LOCAL)}
    if name not in known:
        if embedder:
            open_embedder(embedder, local=True)  # a name that leads nowhere is told before anything is made
        return library().create(LOCAL, name, title=title, embedder=embedder)
    if embedder and embedder != known[name].embedder_name:
        raise ConfigError("cli.knowledge_other_embedder", name=name, embedder=known[name].embedder_name or "–")
    return known[name]


def _files_below(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            found = sorted(one for one in path.rglob("*") if one.is_file() and not one.name.startswith("."))
            if not found:
                raise DataError("cli.knowledge_empty_folder", folder=path)
            yield from found
        else:
            yield path


def _teller(display: Display, *, as_json: bool) -> Any:
    """Shows what `KnowledgeBase.add` tells: a bar over the pages of each file, and a line when it is done."""

    def tell(event: dict[str, Any]) -> None:
        if event["event"] == "file":
            display({"event": "step", "name": f"{event['number']}/{event['total']} {event['name']}"})
        elif event["event"] != "outcome":
            display(event)
        elif not as_json:
            write_line(outcome_line(event))

    return tell


def outcome_line(told: dict[str, Any]) -> str:
    """One file's outcome on one line, and what of it could not be read."""
    if told["state"] == "failed":
        named = told["name"] in told["reason"]
        return f"✗ {told['reason']}" if named else f"✗ {told['name']}: {told['reason']}"
    entry = told["document"]
    counts = translate("cli.knowledge_counts", pages=entry["pages"], passages=entry["passages"])
    scanned = f" · {seen}" if (seen := _scanned(entry["origins"], entry["pages"])) else ""
    line = f"✓ {told['name']}: {translate('cli.knowledge_' + told['state'])} · {counts}{scanned}"
    return "\n".join([line, *(f"  ! {notice}" for notice in entry["notices"])])


def _scanned(origins: Mapping[str, int], pages: int) -> str:
    """How many pages were read by their picture; empty where none were."""
    count = origins.get("ocr", 0)
    return translate("cli.knowledge_scanned", count=count, pages=pages, share=f"{count / pages:.0%}") if count else ""


def _list_documents(base: KnowledgeBase, *, as_json: bool) -> None:
    entries = base.documents()
    if as_json:
        write_json(_base_view(base, entries))
        return
    table = _table("name", "title", "pages", "passages", "size", "notes")
    for entry in entries:
        scanned = _scanned(entry.origins, entry.pages)
        notes = "; ".join([*([scanned] if scanned else []), *(notice.text() for notice in entry.notices)])
        figures = (f"{entry.pages:,}", f"{entry.passages:,}", size_text(entry.size))
        table.add_row(entry.name, entry.title, *figures, notes)
    Console(highlight=False).print(table)


def _base_view(base: KnowledgeBase, entries: list[Entry]) -> dict[str, Any]:
    return {
        "id": base.id,
        "name": base.name,
        "title": base.title,
        "embedder": base.embedder_name,
        "created": base.created,
        "documents": [entry.to_json() for entry in entries],
    }


def _show_hit(number: int, hit: Hit) -> None:
    passage = hit.passage
    where = translate("cli.knowledge_page", file=passage.file, page=passage.page)
    why = " · ".join(f"{_reason(name)} {value:.4g}" for name, value in hit.reasons.items())
    write_line(f"[{number}] {passage.source} · {where}")
    text = " ".join(passage.text.split())
    write_line(f"    {text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''}")
    if hit.copies:
        files = ", ".join(dict.fromkeys(copy.file for copy in hit.copies))
        write_line(f"    {translate('cli.knowledge_copies', files=files)}")
    write_line(f"    {translate('cli.knowledge_score', score=f'{hit.score:.4g}')}  {why}")


def _reason(name: str) -> str:
    """What a reason of a rank is called, as the pages call it."""
    key = f"web.knowledge_reason_{name}"
    return translate(key) if has_text(key) else name


def _table(*keys: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False)
    for key in keys:
        right = key in ("documents", "pages", "passages", "size")
        table.add_column(translate(f"cli.column_{key}"), justify="right" if right else "left")
    return table


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError("cli.bad_date", value=text) from error
