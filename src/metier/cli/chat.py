"""`metier chat`: a conversation in the terminal, with one model or base and tuned side by side."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from metier.core.errors import ConfigError, UserError
from metier.core.i18n import translate
from metier.core.settings import settings
from metier.data.messages import ImagePart
from metier.data.pictures import open_picture
from metier.engines import ChatPiece, ChatSession, Engine, Sampling, open_engine
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
    image: tuple[str, ...] = (),
) -> None:
    """Talks to a model. adapter: what training made (`…/steps/train/adapter`); image: a picture that the first question
    is about, several may be given. `/image FILE` shows one with the next question, `/reset` forgets, `/again` answers
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
    shown = [_picture(named, engines) for named in image]
    for line in _lines():
        if line == "/exit":
            return
        if line == "/reset":
            shown = []
            for session in sessions.values():
                session.reset()
        elif line.startswith("/image"):
            try:
                shown.append(_picture(line.removeprefix("/image").strip().strip("\"'"), engines))
                console.print(translate("cli.chat_image", count=len(shown)), style="dim")
            except UserError as error:
                console.print(str(error), style="yellow", markup=False)
        else:
            _answer(console, sessions, line, shown, show_thinking=show_thinking)
            shown = [] if line != "/again" else shown


def _picture(named: str, engines: Mapping[str, Engine]) -> ImagePart:
    """A picture to ask about, by its path, or by its web address where those may be fetched.

    Raises DataError for what is none, ConfigError for a model that takes none.
    """
    part = ImagePart(path=str(Path(named).expanduser()))
    if named.startswith(("http://", "https://")):
        from metier.data.webpictures import fetched_picture

        part = ImagePart(path=str(fetched_picture(named))) if settings().fetch_pictures else ImagePart(url=named)
    open_picture(part)
    for engine in engines.values():
        if not engine.renderer.takes_images:
            raise ConfigError("cli.chat_blind", reason=translate(engine.renderer.template.blind))
    return part


def _lines() -> Iterator[str]:
    """What the user says, until the end of input."""
    while True:
        try:
            line = input("› " if sys.stdin.isatty() else "").strip()
        except EOFError:
            return
        if line:
            yield line


def _answer(
    console: Console, sessions: dict[str, ChatSession], line: str, shown: Sequence[ImagePart], *, show_thinking: bool
) -> None:
    try:
        if len(sessions) > 1 and line != "/again":
            _both(console, sessions, line, shown)
            return
        for name, session in sessions.items():
            if name:
                console.print(translate(f"cli.chat_{name}"), style="bold cyan")
            pieces: Callable[[], Iterator[ChatPiece]] = session.regenerate
            stream = pieces() if line == "/again" else session.ask(line, shown)
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


def _both(console: Console, sessions: dict[str, ChatSession], line: str, shown: Sequence[ImagePart]) -> None:
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
        for name, piece in side_by_side(sessions, line, shown):
            if piece.kind == "answer":
                said[name] += piece.text.replace("[", "\\[")
                live.update(view())
