"""An answer's text as HTML whose [n] are chips that open what they cite, and whose unsupported sentences are marked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from markupsafe import Markup, escape

from metier.web.markdown import to_html
from metier.web.render import say

# Marks that stand in the text while it is rendered; what the text itself has of them is taken out first.
_OPEN, _CLOSE = "\ue000", "\ue001"
_OWN = re.compile("[\ue000\ue001]")
_CHIP = Markup('<a class="cite cite-{}" href="{}" data-turn="{}" data-number="{}" data-citation="{}" title="{}">{}</a>')
_MARK = re.compile(f"{_OPEN}([cu])(\\d+){_CLOSE}")


def answer_html(turn_id: str, answer: Mapping[str, Any]) -> Markup:
    """The text of a stored answer (`Answer.to_json`). Nothing of it can become markup of its own, and only citations
    lead anywhere: a link in a document that is quoted is shown as it is written there."""
    text = _OWN.sub("\ufffd", answer["text"])
    citations, sentences = answer.get("citations", []), answer.get("sentences", [])
    places = [(one["start"], one["end"], f"c{number}") for number, one in enumerate(citations)]
    places += [
        (one["end"], one["end"], f"u{number}")
        for number, one in enumerate(sentences)
        if one["verdict"] == "unsupported"
    ]
    for start, end, name in sorted(places, reverse=True):
        while not name.startswith("c") and start > 0 and text[start - 1].isspace():
            start = end = start - 1
        text = f"{text[:start]}{_OPEN}{name}{_CLOSE}{text[end:]}"
    evidence = {one["number"]: one for one in answer.get("evidence", [])}

    def shown(match: re.Match[str]) -> str:
        kind, number = match[1], int(match[2])
        return str(_chip(turn_id, number, citations[number], evidence) if kind == "c" else _unsupported())

    return Markup(_MARK.sub(shown, to_html(text, links=False)))  # noqa: S704 - cleaned by `to_html`, chips are escaped


def source_address(evidence: Mapping[str, Any], citation: Mapping[str, Any] | None = None) -> str:
    """The address of a passage in its document, with the cited words named; empty for what is no passage."""
    passage = evidence.get("passage")
    if not passage:
        return ""
    start, end = passage["start"], passage["end"]
    if citation is not None and passage["text"] == evidence["text"]:
        start, end = start + citation["quote_start"], passage["start"] + citation["quote_end"]
    place = urlencode({"start": start, "end": end})
    return f"/knowledge/{quote(evidence['base'], safe='')}/{quote(passage['document'], safe='')}?{place}"


def marked(evidence: Mapping[str, Any], citations: Sequence[Mapping[str, Any]]) -> list[tuple[str, bool]]:
    """A piece of evidence in parts: words, and whether an answer rests on them."""
    text = evidence["text"]
    chosen = [False] * len(text)
    for one in citations:
        chosen[one["quote_start"] : one["quote_end"]] = [True] * (one["quote_end"] - one["quote_start"])
    parts: list[tuple[str, bool]] = []
    for letter, on in zip(text, chosen, strict=False):
        if parts and parts[-1][1] == on:
            parts[-1] = (parts[-1][0] + letter, on)
        else:
            parts.append((letter, on))
    return parts


def _chip(turn_id: str, place: int, citation: Mapping[str, Any], evidence: Mapping[int, Mapping[str, Any]]) -> Markup:
    one = evidence.get(citation["number"])
    if one is None:
        return escape(f"[{citation['number']}]")
    address = source_address(one, citation) or f"#source-{turn_id}-{one['number']}"
    return _CHIP.format(one["kind"], address, turn_id, one["number"], place, one["title"], one["number"])


def _unsupported() -> Markup:
    return Markup('<span class="unsupported" title="{}">{}</span>').format(
        say("assistant_unsupported_help"), say("assistant_unsupported")
    )
