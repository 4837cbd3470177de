"""The `hf` engine for `bench/gateway.py`, each piece of whose text is the moment it was made.

python bench/gateway_hf.py serve MODEL                     behind `metier serve`, as the model `paced`
python bench/gateway_hf.py direct MODEL STREAMS TOKENS     asked in its own process; prints its delays in seconds
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Generator
from typing import Any

from metier.data.messages import message
from metier.engines import local
from metier.engines.chatmodel import Request, Turn
from metier.engines.sampling import Sampling


class Stamped:
    """An engine whose words are times of the machine's monotonic clock."""

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def stream(self, prompt: Any, sampling: Sampling) -> Generator[str, None, Any]:
        pieces = self._engine.stream(prompt, sampling)
        try:
            while True:
                next(pieces)
                yield f"{time.monotonic():.6f} "
        except StopIteration as ended:
            return ended.value
        finally:
            pieces.close()


async def ask(model: local.LocalChatModel, streams: int, tokens: int) -> list[float]:
    """The delays of all streams, from a piece's making to its reading."""

    async def one() -> list[float]:
        request = Request((Turn(message("user", "Go")),), Sampling(temperature=1.0, max_new_tokens=tokens))
        return [time.monotonic() - float(delta.text) async for delta in model.stream(request) if delta.kind == "answer"]

    return [delay for some in await asyncio.gather(*(one() for _ in range(streams))) for delay in some]


async def direct(name: str, streams: int, tokens: int) -> list[float]:
    model = local.open_local(name)
    try:
        await ask(model, 1, 2)  # what comes first is slower
        return await ask(model, streams, tokens)
    finally:
        await model.close()


def main() -> int:
    open_engine = local.open_engine
    local.open_engine = lambda *given: Stamped(open_engine(*given))  # type: ignore[assignment, return-value]
    if sys.argv[1] == "serve":
        from metier.cli.serve import serve

        return serve("paced", model=sys.argv[2], port=0)
    print(json.dumps(asyncio.run(direct(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
