"""The terminal face: thin, without logic of its own. Commands are loaded when they are called, so `--help` is quick."""

from metier.cli.app import main

__all__ = ["main"]
