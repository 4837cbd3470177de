"""The page of metrics, made from the registry."""

from __future__ import annotations

from collections.abc import Iterable

from metier.core.i18n import LANGUAGES, Language, translate
from metier.evaluate.metrics import METRICS

_COLUMNS = ("name", "measures", "level", "scale", "tokenizer", "smoothing", "reads", "kinds", "version")


def metrics_table(language: Language = "en") -> str:
    """All registered metrics as a Markdown table."""

    def say(key: str) -> str:
        return translate(f"evaluate.table.{key}", language=language)

    lines = [_line(say(column) for column in _COLUMNS), _line("---" for _ in _COLUMNS)]
    for name in METRICS:
        metric = METRICS.get(name)
        kinds = ", ".join(
            say(f"kind_{kind}") for kind in ("choice", "number", "exact", "contains", "open") if kind in metric.kinds
        )
        cells = [
            f"`{name}`" + ("" if metric.default else f" ({say('asked')})"),
            metric.definition()[language],
            say(metric.level.replace("-", "_")),
            metric.scale.replace("-", "–"),
            metric.tokenizer,
            metric.smoothing,
            say(f"reads_{metric.reads}"),
            kinds,
            metric.version,
        ]
        lines.append(_line(cell.replace("|", "\\|") for cell in cells))
    return "\n".join(lines) + "\n"


def metrics_page() -> str:
    """`docs/metrics.md`: the table in both languages."""
    parts = [
        "<!-- Made from the registry by metier.evaluate.table.metrics_page. Do not edit by hand. -->\n",
        *(
            f"## {translate('evaluate.table.title', language=language)}\n\n{metrics_table(language)}"
            for language in LANGUAGES
        ),
    ]
    return "\n".join(parts)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
