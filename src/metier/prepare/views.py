"""Checks and previews for the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from metier.core.i18n import translate
from metier.core.units import size_text

_BAR = 32
_NAMED = 8
_STYLES = {True: "bold green", False: "default"}


def preview_view(rows: list[dict[str, Any]]) -> RenderableType:
    """The rows of `preview_rows`, each in a frame: what carries loss is green, what is cut is struck through."""
    frames: list[RenderableType] = [_frame(row) for row in rows]
    return Group(Text.from_markup(f"[bold green]{translate('prepare.view_loss')}[/]"), *frames)


def _frame(row: dict[str, Any]) -> Panel:
    body = Text()
    for segment in row["text_segments"]:
        body.append(_visible(segment["text"]), style=_STYLES[segment["loss"]])
    for number, one in enumerate(row.get("pictures", ()), 1):
        key = "view_picture" if one["tokens"] is None else "view_picture_tokens"
        key += "_beside" if one["beside"] else ""
        body.append("\n▣ " + _visible(translate(f"prepare.{key}", number=number, **one)), style="cyan")
    if row["cut_at"] is not None:
        body.append(f"\n✂ {translate('prepare.view_cut', tokens=row['cut_at'])}\n", style="bold red")
        body.append(_visible(row["left_out"]), style="strike red")
    title = translate("prepare.view_row", row=row["row"])
    if "tokens" in row:
        title += " · " + translate("prepare.view_tokens", tokens=row["tokens"], loss=row["loss_tokens"])
    if row.get("dropped_turns"):
        title += " · " + translate("prepare.view_dropped", turns=row["dropped_turns"])
    return Panel(body, title=title, title_align="left", border_style="dim")


def _visible(text: str) -> str:
    """Text without control characters, which could otherwise steer the terminal."""
    return "".join(character if character.isprintable() or character in "\n\t" else "�" for character in text)


def check_view(result: dict[str, Any]) -> RenderableType:
    """The result of `check_dataset`: figures, histogram, findings by row number."""
    unit = translate(f"prepare.unit_{result['unit']}")
    figures = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name in ("dataset", "test_dataset", "rows", "test_rows", "examples", "cutoff_len"):
        if result[name] is not None:
            figures.add_row(translate(f"prepare.figure_{name}"), _number(result[name]))
    for name in ("tokens", "answer_tokens"):
        counts = result[name]
        values: dict[str, Any] = {key: _number(counts[key]) for key in ("total", "mean", "max")}
        figures.add_row(translate(f"prepare.figure_{name}", unit=unit), translate("prepare.figure_counts", **values))
    if pictures := result.get("pictures"):
        facts = {**pictures, **pictures["largest"], "size": size_text(pictures["bytes"])}
        figures.add_row(translate("prepare.figure_pictures"), translate("prepare.figure_pictures_counts", **facts))
    parts: list[RenderableType] = [figures, _histogram(result["tokens"]["histogram"], unit), _findings(result)]
    if result["refused"]:
        parts.append(Text(result["refused"], style="bold red"))
    return Group(*parts)


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def _histogram(pairs: list[list[int]], unit: str) -> RenderableType:
    chart = Table(
        title=translate("prepare.view_histogram", unit=unit), box=None, show_header=False, title_justify="left"
    )
    chart.add_column(justify="right")
    chart.add_column()
    most = max((count for _, count in pairs), default=1) or 1
    for upper, count in pairs:
        bar = "█" * (round(_BAR * count / most) or (1 if count else 0))
        chart.add_row(f"≤ {upper:,}", Text.assemble((bar, "cyan"), f" {count:,}"))
    return chart


def _findings(result: dict[str, Any]) -> RenderableType:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    leaks = result["leaks"]
    named: dict[str, tuple[str, list[str] | None]] = {
        "leaks": ("red", None if leaks is None else [_leak(one) for one in leaks]),
        "answers_cut": ("red", _if_counted(result, result["truncated"]["answers"])),
        "rows_cut": ("yellow", _if_counted(result, result["truncated"]["rows"])),
        "empty": ("red", [str(row) for row in result["empty"]]),
        "unusable": ("red", [str(one["row"]) for one in result["unusable"]]),
        "test_unusable": ("red", [str(one["row"]) for one in result["test_unusable"]] or None),
        "duplicates": ("yellow", [f"{first} = {second}" for first, second in result["duplicates"]]),
        "near_duplicates": (
            "yellow",
            [f"{first} ≈ {second} ({score:.2f})" for first, second, score in result["near_duplicates"]],
        ),
    }
    for name, (style, rows) in named.items():
        if rows is None:
            continue
        listed = ", ".join(rows[:_NAMED]) + (", …" if len(rows) > _NAMED else "")
        mark = Text("✓" if not rows else "!", style="green" if not rows else style)
        table.add_row(mark, translate(f"prepare.finding_{name}"), _number(len(rows)), listed)
    return table


def _if_counted(result: dict[str, Any], rows: list[int]) -> list[str] | None:
    """Cuts are unknown where only characters were counted."""
    return [str(row) for row in rows] if result["unit"] == "tokens" else None


def _leak(one: dict[str, Any]) -> str:
    sign = "=" if one["kind"] == "exact" else "≈"
    return f"{one['test_row']} {sign} {one['train_row']}" + (f" ({one['score']:.2f})" if sign == "≈" else "")
