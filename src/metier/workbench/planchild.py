"""The process that makes estimates: one request a line in, one answer a line out.

It holds torch and tokenizers, so that the server need not; it ends when the server does, or after a while of rest.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import sys
from typing import Any

REST_SECONDS = 600.0
_HEAVY = (
    "metier.workbench.estimate",
    "transformers.models.auto.modeling_auto",
    "transformers.models.llama.modeling_llama",
    "peft",
)


def main() -> int:
    """Answers until its input ends."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever libraries print is no answer
    with contextlib.suppress(OSError):
        os.nice(10)  # who trains or chats goes first
    for module in _HEAVY:  # takes its seconds now, while the form is being read
        importlib.import_module(module)
    requests = os.fdopen(sys.stdin.fileno(), "rb", buffering=0)
    while select.select([requests], [], [], REST_SECONDS)[0]:
        line = _line(requests)
        if not line:
            return 0
        answers.write(json.dumps(_answer(json.loads(line)), ensure_ascii=False) + "\n")
        answers.flush()
    return 0


def _line(requests: Any) -> bytes:
    parts = []
    while part := requests.read(1 << 16):
        parts.append(part)
        if part.endswith(b"\n"):
            break
    return b"".join(parts)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    """The process's boundary: whatever is raised becomes a sentence."""
    from metier.core.errors import MetierError
    from metier.workbench.estimate import estimate

    try:
        return estimate(request)
    except MetierError as error:
        return {"problem": {language: error.text(language) for language in ("en", "zh")}}
    except Exception as error:
        return {"problem": dict.fromkeys(("en", "zh"), f"{type(error).__name__}: {error}"[:300])}


if __name__ == "__main__":
    sys.exit(main())
