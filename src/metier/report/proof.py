"""The page of a proof: `proof.json` becomes one file, like a report, in both languages and without a script."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from metier.core.i18n import LANGUAGES, Language, current_language, translate
from metier.report.charts.difference import direction
from metier.report.page import environment
from metier.report.texts import Text, proof_figure, text
from metier.report.tidy import shortened, tidy, visible

ANSWER_CHARACTERS = 6000
# Drawn as pictures, in this order; the table has them all.
SHOWN = (
    "citation_recall",
    "citation_precision",
    "quotes_stand",
    "support_rate",
    "right_refusals",
    "wrong_refusals",
    "reference_chrf",
    "seconds",
    "price",
)


def proof_page(found: Mapping[str, Any], language: Language | None = None) -> str:
    """The whole page for the content of `proof.json`. language: it opens in, the current one where left out."""
    made = environment()
    made.globals.setdefault("variant_name", variant_name)
    made.filters.setdefault("proof_figure", proof_figure)
    made.filters.setdefault("proof_change", proof_change)
    made.filters.setdefault("milliseconds", lambda seconds: f"{1000 * float(seconds):.1f} ms")
    return made.get_template("proof.html.jinja").render(
        report=tidy({**shaped(found), "language": language or current_language()})
    )


def variant_name(name: str) -> Text:
    """What a variant is called, in both languages: the evaluation's own words."""
    return {language: translate(f"evaluate.variant.{name}", language=language) for language in LANGUAGES}


def proof_change(value: Any, metric: Mapping[str, Any]) -> str:
    """A difference, with its sign."""
    written = proof_figure(value, metric)
    return written.replace("-", "−") if written.startswith(("-", "—")) else f"+{written}"


def shaped(found: Mapping[str, Any]) -> dict[str, Any]:
    """What the template reads: `proof.json` with texts in both languages and metrics beside their figures."""
    variants = found["variants"]
    title = _title(found)
    every = [key for key in found["metrics"] if any(key in one["scores"] for one in variants)]
    return {
        **found,
        "title": title,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "all": [_metric(found, key) for key in every],
        "shown": [_metric(found, key) for key in SHOWN if key in every],
        "searches": [
            {**found["metrics"][key], "key": key, "label": found["metrics"][key]["name"], **entry}
            for key, entry in (found["retrieval"] or {}).get("scores", {}).items()
        ],
        "judge": _judge(found),
        "rows": [_row(row) for row in found["rows"]],
    }


def _title(found: Mapping[str, Any]) -> Text:
    if found["title"]:
        return dict.fromkeys(LANGUAGES, str(found["title"]))
    own = found["specialist"]["title"]
    named = {language: own.get(language) or found["specialist"]["name"] for language in LANGUAGES}
    return {language: f"{text('proof.title')[language]} · {named[language]}" for language in LANGUAGES}


def _metric(found: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A metric with each variant's score, and the gain of the last variant over the first."""
    about = found["metrics"][key]
    scores = [(one["name"], one["scores"].get(key)) for one in found["variants"]]
    ends = found["variants"][0]["name"], found["variants"][-1]["name"]
    pair = next((one for one in found["pairs"] if (one["left"], one["right"]) == ends), None)
    gain = (pair or {}).get("metrics", {}).get(key)
    if gain is not None:
        low, high = (gain["low"], gain["high"]) if about["better"] == "higher" else (-gain["high"], -gain["low"])
        gain = {**gain, "left": ends[0], "right": ends[1], "direction": direction(low, high)}
    return {
        **about,
        "key": key,
        "label": about["name"],
        "scores": scores,
        "n": max(one["n"] for _, one in scores if one),
        "gain": gain,
    }


def _judge(found: Mapping[str, Any]) -> dict[str, Any] | None:
    judge, verdict = found["judge"], found["verdict"]
    if judge is None:
        return None
    pairs = [
        {
            **pair,
            "direction": direction(pair["preference"]["low"] - 0.5, pair["preference"]["high"] - 0.5),
            "decides": (pair["left"], pair["right"]) == (verdict["left"], verdict["right"]),
        }
        for pair in judge["pairs"]
    ]
    return {**judge, "pairs": pairs}


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A question with its answers, long ones cut."""
    answers = {}
    for name, one in row["answers"].items():
        words, left_out = shortened(visible(str(one["text"])), ANSWER_CHARACTERS)
        answers[name] = {**one, "text": words, "left_out": left_out}
    return {**row, "answers": answers}
