"""The command tree, and the one place where errors become a line and an exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from cyclopts import App
from cyclopts.exceptions import CycloptsError

from metier import __version__
from metier.core.errors import MetierError
from metier.core.i18n import translate, use_language

# name: (module:function, group)
COMMANDS: dict[str, tuple[str, ...]] = {
    "run": ("metier.cli.run:run", "main"),
    "train": ("metier.cli.steps:train", "steps"),
    "predict": ("metier.cli.steps:predict", "steps"),
    "evaluate": ("metier.cli.steps:evaluate", "steps"),
    "compare": ("metier.cli.steps:compare", "steps"),
    "report": ("metier.cli.steps:report", "steps"),
    "chat": ("metier.cli.chat:chat", "main"),
    "ask": ("metier.cli.ask:ask", "main"),
    "serve": ("metier.cli.serve:serve", "main"),
    "init": ("metier.cli.init:init", "main"),
    "up": ("metier.cli.up:up", "main"),
    "backup": ("metier.cli.up:backup", "main"),
    "restore": ("metier.cli.up:restore", "main"),
    "doctor": ("metier.cli.doctor:doctor", "main"),
}
GROUPS: dict[str, dict[str, str]] = {
    "data": {name: f"metier.cli.data:{name}" for name in ("list", "add", "preview", "check", "split", "remove")},
    "model": {name: f"metier.cli.model:{name}" for name in ("list", "add", "show", "remove")},
    "knowledge": {name: f"metier.cli.knowledge:{name}" for name in ("list", "add", "search", "ask", "check", "remove")},
    "specialist": {
        name: f"metier.cli.specialist:{name}" for name in ("list", "show", "create", "edit", "remove", "tools")
    },
    "recipe": {name: f"metier.cli.recipe:{name}" for name in ("list", "show")},
}


def build() -> App:
    """The application, without importing any command."""
    app = App(
        name="metier",
        help=translate("cli.help"),
        version=__version__,
        help_format="plaintext",
        result_action="return_value",
        print_error=False,
        exit_on_error=False,
        suppress_keyboard_interrupt=False,
    )
    for name, (target, _) in COMMANDS.items():
        app.command(target, name=name, help=translate(f"cli.{name}"))
    for group, commands in GROUPS.items():
        sub = App(name=group, help=translate(f"cli.{group}"), help_format="plaintext", result_action="return_value")
        for name, target in commands.items():
            sub.command(target + "_", name=name, help=translate(f"cli.{group}_{name}"))
        app.command(sub)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line and returns the exit code: 0, or the error's own."""
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    tokens = _take_language(tokens)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from metier.cli.options import fill_bare_switches

    try:
        result = build()(fill_bare_switches(tokens))
    except MetierError as error:
        return _fail(error.text(), error.exit_code, tokens)
    except CycloptsError as error:
        return _fail(" ".join(str(error).split()), 2, tokens)
    except KeyboardInterrupt:
        return _fail(translate("cli.interrupted"), 130, tokens)
    except BrokenPipeError:
        # Whoever read the output has left (`metier … | head`): what is still held is dropped, without a word. The
        # signal itself stays ignored, as Python has it: it would end a server whose client hangs up.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return result if isinstance(result, int) else 0


def _take_language(tokens: list[str]) -> list[str]:
    """`--language zh` stands before or after any command."""
    use_language(None)
    for index, token in enumerate(tokens):
        value = token.partition("=")[2] if token.startswith("--language=") else None
        if token in ("--language",) and index + 1 < len(tokens):
            value = tokens[index + 1]
        if value in ("en", "zh"):
            use_language(value)  # type: ignore[arg-type]
            return tokens[:index] + tokens[index + (1 if "=" in token else 2) :]
    return tokens


def _fail(message: str, code: int, tokens: list[str]) -> int:
    if "--json" in tokens:
        write_line(json.dumps({"error": message, "exit_code": code}, ensure_ascii=False))
    sys.stderr.write(f"metier: {message}\n")
    return code


def write_line(text: str = "") -> None:
    """One line on standard output; lone surrogates are escaped, never a crash."""
    sys.stdout.write(text.encode("utf-8", "backslashreplace").decode("utf-8") + "\n")
    sys.stdout.flush()


def write_json(value: Any) -> None:
    """A result for scripts."""
    write_line(json.dumps(value, ensure_ascii=False, indent=2, default=str))
