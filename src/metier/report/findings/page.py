"""Findings as one HTML file without a script: contradictions first, each finding beside the picture it rests on."""

from __future__ import annotations

import base64
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from metier.report.findings.crops import Crops
from metier.report.findings.seriescharts import series_chart
from metier.report.findings.words import Words
from metier.specialists.finance.schema import KINDS, Finding, Findings


def findings_page(findings: Findings, crops: Crops) -> str:
    """The whole page."""
    words = Words(findings)
    sections = [
        {"kind": kind, "title": words.kind(kind), "findings": [_shown(one, crops) for one in findings.of(kind)]}
        for kind in KINDS
        if findings.of(kind)
    ]
    style = Markup(files("metier.report.templates").joinpath("findings.css").read_text(encoding="utf-8"))  # noqa: S704
    template = _environment().get_template("findings.html.jinja")
    drawn = {one.number: chart.svg() for one in findings.exhibits if (chart := series_chart(one))}
    return template.render(
        findings=findings,
        sections=sections,
        words=words,
        style=style,
        pictures=_pictures(findings, crops),
        charts=drawn,
        rules=[
            {"answer": one, "picture": _address(crops.around([quote.place for quote in one.evidence[:1]]))}
            for one in findings.rules
        ],
    )


def _shown(one: Finding, crops: Crops) -> dict[str, Any]:
    return {"finding": one, "picture": _address(crops.of(one))}


def _pictures(findings: Findings, crops: Crops) -> dict[int, str]:
    """The exhibits' own pictures."""
    found = {one.number: _address(crops.around([one.place])) for one in findings.exhibits}
    return {number: address for number, address in found.items() if address}


def _address(picture: bytes | None) -> str:
    return "data:image/png;base64," + base64.b64encode(picture).decode() if picture else ""


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("metier.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
