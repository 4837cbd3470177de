"""Results of tools that can be saved as a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from metier.core.registry import Registry

# A step's result → the file's bytes. The key names the tool and how the file's name ends.
FileWriter = Callable[[Mapping[str, Any]], bytes]

WRITERS: Registry[FileWriter] = Registry(
    "file of a tool", {"arbitration_request": "metier.specialists.legal.docx:request_docx"}
)
SUFFIXES = {"arbitration_request": ".docx"}
MEDIA_TYPES = {".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document"}
