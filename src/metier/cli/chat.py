"""`metier chat`: a conversation in the terminal, with one model or base and tuned side by side."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from metier.core.i18n import translate
from metier.engines import ChatPiece, ChatSession, Sampling, open_engine
from metier.engines.chat import open_base_and_tuned, side_by_side
from metier.models import resolve_model

Flag = Annotated[bool, Parameter(negative=())]


def chat(
    model: str = "smollm2-135m",
    /,
    *,
    adapter: str | None = None,
    side_by_side: Flag = False,
    system_prompt: str | None = None,
    temperature: float = 0.7,
    max_new_tokens: int = 512,
    enable_thinking: bool | None = None,
    show_thinking: Flag = False,
    seed: int = 42,
) -> None:
    """Talks to a model. adapter: what training made (`…/steps/train/adapter`). `/reset` forgets, `/again` answers
    anew, `/exit` or Ctrl-D ends; Ctrl-C stops an answer."""
    console = Console(highlight=False)
    resolved = resolve_model(model, adapter)
    sampling = Sampling(temperature=temperature, max_new_tokens=max_new_tokens, seed=seed)
    if side_by_side:
        engines = dict(zip(("base", "tuned"), open_base_and_tuned("hf", resolved), strict=True))
    else:
        engines = {"": open_engine("hf", resolved)}
    sessions = {
        name: ChatSession(engine, system_prompt=system_prompt, sampling=sampling, enable_thinking=enable_thinking)
        for name, engine in engines.items()
    }
    console.print(translate("cli.chat_help"), style="dim")
    for line in _lines():
        if line == "/exit":
            return
        if line == "/reset":
            for session in sessions.values():
                session.reset()
            continue
        _answer(console, sessions, line, show_thinking=show_thinking)


def _lines() -> Iterator[str]:
    """What the user says, until the end of input."""
    while True:
        try:
            line = input("› " if sys.stdin.isatty() else "").strip()
        except EOFError:
            return
        if line:
            yield line


def _answer(console: Console, sessions: dict[str, ChatSession], line: str, *, show_thinking: bool) -> None:
    try:
        if len(sessions) > 1 and line != "/again":
            _both(console, sessions, line)
            return
        for name, session in sessions.items():
            if name:
                console.print(translate(f"cli.chat_{name}"), style="bold cyan")
            pieces: Callable[[], Iterator[ChatPiece]] = session.regenerate
            stream = pieces() if line == "/again" else session.ask(line)
            _write(console, stream, show_thinking=show_thinking)
    except KeyboardInterrupt:
        console.print()


def _write(console: Console, pieces: Iterator[ChatPiece], *, show_thinking: bool) -> None:
    """Writes pieces as they come; thinking is folded to its length unless asked for."""
    hidden = 0
    for piece in pieces:
        if piece.kind == "notice":
            console.print(piece.text, style="yellow", markup=False)
        elif piece.kind == "thinking" and not show_thinking:
            hidden += len(piece.text)
        else:
            if hidden:
                console.print(translate("cli.thought", characters=hidden), style="dim")
                hidden = 0
            style = "dim" if piece.kind == "thinking" else None
            console.print(piece.text, end="", style=style, markup=False, soft_wrap=True)
    if hidden:
        console.print(translate("cli.thought", characters=hidden), style="dim")
    console.print()


def _both(console: Console, sessions: dict[str, ChatSession], line: str) -> None:
    """Base and tuned in two columns, as they come."""
    from rich.columns import Columns
    from rich.live import Live
    from rich.panel import Panel

    said = dict.fromkeys(sessions, "")

    def view() -> Columns:
        width = max(20, console.width // 2 - 1)
        panels = [Panel(text or "…", title=translate(f"cli.chat_{name}"), width=width) for name, text in said.items()]
        return Columns(panels)

    with Live(view(), console=console, refresh_per_second=8) as live:
        for name, piece in side_by_side(sessions, line):
            if piece.kind == "answer":
                said[name] += piece.text.replace("[", "\\[")
                live.update(view())
