"""The job that reads a report: what it is asked, and what it leaves in its run folder.

run/findings.json     as `metier.specialists.finance.schema.Findings`; beside it the same as HTML, DOCX and XLSX
run/document.json     what was read of the file, so that places can be shown on its pages
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from metier.core.errors import ConfigError, UserError
from metier.core.events import EventLog, Listener
from metier.core.files import write_json, write_text
from metier.core.i18n import translate
from metier.core.specs import Spec, parse_spec

if TYPE_CHECKING:
    from metier.knowledge.document import Document
    from metier.specialists.finance.schema import Findings

FORMATS = ("html", "docx", "xlsx", "json")
FINDINGS, DOCUMENT, RULES = "findings.json", "document.json", "rules.txt"
LONGEST_RULES = 20_000
MOST_RULES, LONGEST_RULE = 200, 1000
_FROZEN = ("file", "writer", "keys", "local")


class FindingsSpec(Spec):
    """upload: what came in; of: the run whose file is read once more, instead; file_name: as it is shown; rules: a list
    to check against, one a line; language: that findings are written in; specialist: whose model writes beside the
    rules, behind a server.

    Filled in where the work is frozen: file; writer: the specialist as it is then; keys: names of the keys that its
    server asks for; local: whether that may be of this machine's network.
    """

    upload: str = Field("", max_length=16)
    of: str = Field("", max_length=16)
    file_name: str = Field("", max_length=300)
    question: str = Field("", max_length=2000)
    rules: str = Field("", max_length=LONGEST_RULES)
    language: Literal["en", "zh"] = "en"
    specialist: str = Field("", max_length=64)
    file: str = ""
    writer: dict[str, Any] = Field(default_factory=dict)
    keys: tuple[str, ...] = ()
    local: bool = False


def checked_findings(values: Mapping[str, Any]) -> dict[str, Any]:
    """The work, complete and checked. Raises ConfigError."""
    spec = parse_spec(FindingsSpec, dict(values), source="findings")
    for key in _FROZEN:
        if getattr(spec, key):
            raise ConfigError("workbench.not_here", key=key)
    if bool(spec.upload) == bool(spec.of):
        raise ConfigError("workbench.findings_of_nothing")
    rules = spec.rules.splitlines()
    if len(rules) > MOST_RULES or any(len(rule) > LONGEST_RULE for rule in rules):
        raise ConfigError("workbench.findings_many_rules", rules=MOST_RULES, characters=LONGEST_RULE)
    return spec.model_dump(mode="json")


def run_findings(work: dict[str, Any], folder: Path, listeners: tuple[Listener, ...]) -> dict[str, Any]:
    """Reads the report in the work's file and writes down what was found. Returns a summary."""
    from metier.knowledge.reading import read_document
    from metier.report.findings.files import write_findings
    from metier.specialists.finance.compliance import read_rules
    from metier.specialists.finance.reading import add_rules, findings_in

    spec = parse_spec(FindingsSpec, work, source="findings")
    events = EventLog(None, listeners)
    events.emit("step", name="findings")
    # Reading is the child of a child: it may do less than this process may.
    document = read_document(spec.file, name=spec.file_name, events=partial(_tell, events))
    found = findings_in(spec.file, document, question=spec.question, language=spec.language)
    folder.mkdir(parents=True, exist_ok=True)
    if any(line.strip() and not line.startswith("#") for line in spec.rules.splitlines()):
        write_text(folder / RULES, spec.rules)
        add_rules(Path(spec.file), document, found, read_rules(folder / RULES))
    if spec.writer:
        asyncio.run(_let_write(spec, document, found, events))
    write_json(folder / DOCUMENT, document.to_json())
    write_findings(found, Path(spec.file), folder)
    flagged = [*found.of("contradiction"), *found.flagged()]
    return {"pages": found.pages, "findings": len(found.findings), "flagged": len(flagged), "title": found.title}


async def _let_write(spec: FindingsSpec, document: Document, found: Findings, events: EventLog) -> None:
    """The specialist's model adds what it finds, each figure checked. Where it cannot, the findings of the rules stay,
    and why is told with them."""
    from metier.engines.opening import open_chat_model
    from metier.specialists.finance.compliance import judge_rules
    from metier.specialists.finance.reading import evidence_of, pictures_for
    from metier.specialists.finance.telling import Teller
    from metier.specialists.finance.writing import add_written_findings
    from metier.specialists.spec import Specialist

    specialist = Specialist.model_validate(spec.writer)
    keys = {name: os.environ[name] for name in spec.keys if name in os.environ}
    try:
        model = open_chat_model(specialist, keys=keys, local=spec.local)
        try:
            if not model.can_follow_schema:
                found.notices.append(
                    translate("workbench.findings_no_schema", model=model.name, language=spec.language)
                )
                return
            pictures = pictures_for(Path(spec.file), document, found)
            evidence, prompt = evidence_of(document), specialist.system_prompt
            await add_written_findings(
                found, evidence, model, system_prompt=prompt, pictures=pictures, events=partial(_tell, events)
            )
            await judge_rules(found, model, Teller(found.language))
        finally:
            await model.close()
    except UserError as error:
        found.notices.append(error.text(spec.language))


def _tell(events: EventLog, event: dict[str, Any]) -> None:
    """A page that was read, as steps tell of their units."""
    events.emit("progress", step=event.get("step"), total=event.get("total"), unit="pages")
