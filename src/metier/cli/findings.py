"""`metier ask finance report.pdf`: a report's findings in the terminal, as JSON, or as files in a folder."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from metier.cli.app import write_json
from metier.cli.progress import Display
from metier.core.errors import ConfigError, DataError
from metier.core.i18n import translate

if TYPE_CHECKING:
    from metier.knowledge.document import Document
    from metier.specialists.finance.schema import Finding, Findings, Spot
    from metier.specialists.store import StoredSpecialist

_WRITTEN = (".html", ".docx", ".xlsx", ".json", ".pdf", ".md", ".txt")
_LOOKS_LIKE_FILE = frozenset((".parquet", ".pq"))


def files_first(words: Sequence[str]) -> tuple[list[Path], list[str]]:
    """The files that stand before a question, and the question. Raises DataError for a name that looks like a file's
    and is none."""
    from metier.knowledge.readers import SUFFIXES

    files: list[Path] = []
    for place, word in enumerate(words):
        path = Path(word)
        known = path.suffix.lower() in SUFFIXES or path.suffix.lower() in _LOOKS_LIKE_FILE
        if not known or any(mark in word for mark in "?？\n") or (" " in word and not path.exists()):
            return files, list(words[place:])
        if not path.is_file():
            raise DataError("cli.findings_no_file", file=word)
        files.append(path)
    return files, []


def show_findings(
    stored: StoredSpecialist,
    files: Sequence[Path],
    question: str,
    *,
    output: Path | None,
    rules: Path | None,
    with_model: bool,
    json: bool,
) -> None:
    """Reads each file, shows what was found, and writes it to `output` where one is named."""
    name = stored.specialist.name
    if not files:
        raise ConfigError("cli.findings_which_file", name=name)
    if not stored.specialist.findings:
        raise ConfigError("cli.findings_reads_no_files", name=name, file=files[0])
    if output is not None and output.suffix.lower() in _WRITTEN and not output.is_dir():
        raise ConfigError("cli.findings_output_folder", output=output, folder=output.with_suffix(""))
    from metier.knowledge.reading import read_document
    from metier.report.findings.files import write_findings
    from metier.specialists.finance.compliance import read_rules
    from metier.specialists.finance.reading import add_rules, findings_in, read_report
    from metier.specialists.finance.series import PARQUET

    wanted = read_rules(rules) if rules is not None else []
    found: list[Findings] = []
    console = Console(highlight=False)
    with Display() as display:
        for path in files:
            display({"event": "step", "name": "reading"})
            if path.suffix.lower() in PARQUET:
                document, findings = None, read_report(path, question=question)
                if wanted:
                    findings.notices.append(translate("cli.findings_no_rules", file=path.name))
            else:
                document = read_document(path, events=display)
                findings = findings_in(path, document, question=question)
                if wanted:
                    add_rules(path, document, findings, wanted)
            if with_model and document is not None and stored.specialist.server is not None:
                display({"event": "step", "name": "writing"})
                asyncio.run(_let_write(stored, path, document, findings, display))
            found.append(findings)
            if output is not None:
                display({"event": "step", "name": "reporting"})
                write_findings(findings, path, _folder(output, path, files), events=display)
    for findings in found:
        if not json:
            _show(console, findings)
    if not json:
        told = translate("cli.findings_written", folder=output) if output else translate("cli.findings_more")
        console.print(told, style=None if output else "dim", markup=False, soft_wrap=True)
    if json:
        write_json([one.model_dump(mode="json") for one in found])


async def _let_write(
    stored: StoredSpecialist, path: Path, document: Document, findings: Findings, display: Display
) -> None:
    """The specialist's model adds its findings, where it can be held to a schema."""
    from metier.engines.opening import open_chat_model
    from metier.specialists.finance.compliance import judge_rules
    from metier.specialists.finance.reading import evidence_of, pictures_for
    from metier.specialists.finance.telling import Teller
    from metier.specialists.finance.writing import add_written_findings

    model = open_chat_model(stored.specialist, keys=os.environ, local=True)
    try:
        if not model.can_follow_schema:
            findings.notices.append(translate("cli.findings_no_schema", model=model.name))
            return
        pictures = pictures_for(path, document, findings)
        prompt = stored.specialist.system_prompt
        evidence = evidence_of(document)
        await add_written_findings(findings, evidence, model, system_prompt=prompt, pictures=pictures, events=display)
        await judge_rules(findings, model, Teller(findings.language))
    finally:
        await model.close()


def _folder(output: Path, path: Path, files: Sequence[Path]) -> Path:
    """Of several files each has a folder of its own."""
    return output if len(files) == 1 else output / f"{list(files).index(path) + 1}-{path.stem}"


def _show(console: Console, findings: Findings) -> None:
    from metier.specialists.finance.schema import KINDS

    if findings.answer:
        console.print(findings.answer, markup=False, soft_wrap=True)
    for kind in KINDS:
        own = findings.of(kind)
        if own:
            console.print(translate(f"specialists.finance_kind_{kind}"), style="bold")
        for one in own:
            _show_one(console, one)
    if findings.rules:
        console.print(translate("cli.findings_rules"), style="bold")
    for answer in findings.rules:
        style = {"broken": "red", "not_found": "yellow"}.get(answer.status)
        console.print(f"  • {answer.rule} — {answer.text}", style=style, markup=False, soft_wrap=True)
        for quote in answer.evidence:
            console.print(f"    “{quote.text}” [{place_text(quote.place)}]", style="dim", markup=False, soft_wrap=True)
    flags = sum(len(one.flags) for one in findings.findings) + len(findings.of("contradiction"))
    summary = translate(
        "cli.findings_summary",
        name=findings.name,
        pages=findings.pages,
        tables=len([one for one in findings.exhibits if one.kind != "picture"]),
        checked=findings.checked,
        flags=flags,
    )
    console.print(summary, style="dim", markup=False, soft_wrap=True)
    for notice in findings.notices:
        console.print(notice, style="yellow", markup=False, soft_wrap=True)


def _show_one(console: Console, one: Finding) -> None:
    where = place_text(one.place) if one.place else ""
    style = "red" if one.kind == "contradiction" else None
    console.print(f"  • {one.text}" + (f" [{where}]" if where else ""), style=style, markup=False, soft_wrap=True)
    for flag in one.flags:
        console.print(
            "    " + translate("cli.findings_flag", text=flag.text), style="yellow", markup=False, soft_wrap=True
        )


def place_text(spot: Spot) -> str:
    """Where to look, in few words."""
    page = translate("cli.findings_place_page", page=spot.page)
    if spot.table and spot.cell:
        return f"{page}, " + translate("cli.findings_place_cell", table=spot.table, cell=spot.cell)
    return page
