"""What the gateway adds between a server and its clients.

    python bench/gateway.py [--streams 50] [--many 100] [--tokens 500] [--pace 100]
    python bench/gateway.py --hf smollm2-135m [--streams 50] [--tokens 10]

A paced server without a model (`tests/support/upstream.py`) sends each stream a token every 1/pace seconds, whose text
is the moment it was sent. Clients, in a process of their own, read over plain sockets: once from the server itself,
once through `metier serve --server …`, each a process. Prints the time from sending a token to reading it, median and
99th percentile, of both ways and their difference; then, for more streams at once, the mean time from asking to the
last token, beside the ideal. With --hf a real model in the gateway's own process takes the server's place: asked
directly in a process of its own, then through `metier serve`, each piece's text the moment it was made.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
P50_BAR, P99_BAR, MEAN_BAR = 0.005, 0.020, 5.5
KEY = "sk-bench-0123456789abcdef"
_WORD = re.compile(rb'"content": ?"(\d+\.\d+) "')


class Reader(asyncio.Protocol):
    """Asks once and reads to the end: delays of the tokens, and the whole time."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.delays: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.begun = time.monotonic()
        self.transport = transport
        transport.write(self.request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        lines = (self._held + data).split(b"\n")
        self._held = lines.pop()
        for line in lines:
            if found := _WORD.search(line):
                self.delays.append(now - float(found[1]))
            elif b"[DONE]" in line and not self.done.done():
                self.seconds = now - self.begun
                self.done.set_result(None)
                self.transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError(self._held[:300]))


async def read(port: int, streams: int, tokens: int) -> tuple[list[float], list[float]]:
    """All delays, and the time of each stream."""
    body = {"model": "paced", "messages": [{"role": "user", "content": "Go"}], "stream": True, "max_tokens": tokens}
    content = json.dumps(body).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {KEY}\r\n"
    request = f"{head}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content
    loop = asyncio.get_running_loop()
    readers = [(await loop.create_connection(lambda: Reader(request), "127.0.0.1", port))[1] for _ in range(streams)]
    await asyncio.gather(*(reader.done for reader in readers))
    return [delay for reader in readers for delay in reader.delays], [reader.seconds for reader in readers]


@contextmanager
def process(*command: str, home: str) -> Iterator[str]:
    """A process and the first line it says."""
    environment = {**os.environ, "METIER_API_KEY": KEY, "METIER_HOME": home, "METIER_LANGUAGE": "en"}
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment)
    assert running.stdout is not None
    try:
        yield running.stdout.readline()
    finally:
        running.terminate()
        running.wait(20)


def measure(port: int, streams: int, tokens: int) -> tuple[float, float, float]:
    """Median and 99th percentile of the delays, and the mean time of a stream."""
    delays, seconds = asyncio.run(read(port, streams, tokens))
    assert len(delays) == streams * tokens, (len(delays), streams * tokens)
    return *_cuts(delays), statistics.mean(seconds)


def _cuts(delays: list[float]) -> tuple[float, float]:
    """Median and 99th percentile."""
    return statistics.median(delays), statistics.quantiles(delays, n=100)[98]


def main() -> int:
    arguments = argparse.ArgumentParser()
    for name, value in (("streams", 50), ("many", 100), ("tokens", 500), ("pace", 100)):
        arguments.add_argument(f"--{name}", type=int, default=value)
    arguments.add_argument("--hf", help="a model for the engine in the gateway's own process, instead of a server")
    given = arguments.parse_args()
    if given.hf:
        return 0 if over_engine(given.hf, given.streams, given.tokens) else 1
    upstream = (sys.executable, "-m", "tests.support.upstream", "--stamped", "--pace", str(given.pace))
    with (
        tempfile.TemporaryDirectory() as home,
        process(*upstream, "--tokens", str(given.tokens), home=home) as said,
    ):
        direct = int(said)
        serve = (sys.executable, "-m", "metier.cli", "serve", "paced", "--port", "0")
        with process(*serve, "--server", f"http://127.0.0.1:{direct}", home=home) as told:
            through = int(re.search(r":(\d+)/v1", told)[1])  # type: ignore[index]
            print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
            ok = delays(direct, through, given) & times(direct, through, given)
    return 0 if ok else 1


def over_engine(model: str, streams: int, tokens: int) -> bool:
    """Delay of a piece that the `hf` engine makes. An answer may end before it has as many tokens as it may have."""
    home = os.environ.get("METIER_HOME", str(Path.home() / ".metier"))
    engine = (sys.executable, "bench/gateway_hf.py")
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with process(*engine, "direct", model, str(streams), str(tokens), home=home) as said:
        plain = json.loads(said)
    with process(*engine, "serve", model, home=home) as told:
        port = int(re.search(r":(\d+)/v1", told)[1])  # type: ignore[index]
        asyncio.run(read(port, 1, 2))  # loads it
        ours, _ = asyncio.run(read(port, streams, tokens))
    print(f"pieces: {len(plain)} direct, {len(ours)} through the gateway")
    return compared(streams, _cuts(plain), _cuts(ours))


def delays(direct: int, through: int, given: argparse.Namespace) -> bool:
    """Delay of a token at `streams` streams."""
    plain, ours = measure(direct, given.streams, given.tokens), measure(through, given.streams, given.tokens)
    return compared(given.streams, plain[:2], ours[:2])


def compared(streams: int, plain: tuple[float, float], ours: tuple[float, float]) -> bool:
    """Prints both ways' median and 99th percentile, and what the gateway adds; whether that is within the bars."""
    for name, one in (("direct", plain), ("through the gateway", ours)):
        print(f"{streams} streams, {name}: p50 {one[0] * 1000:.2f} ms, p99 {one[1] * 1000:.2f} ms")
    added = ours[0] - plain[0], ours[1] - plain[1]
    bars = f"bars {P50_BAR * 1000:.0f} / {P99_BAR * 1000:.0f} ms"
    print(f"added: p50 {added[0] * 1000:.2f} ms, p99 {added[1] * 1000:.2f} ms ({bars})")
    return added[0] <= P50_BAR and added[1] <= P99_BAR


def times(direct: int, through: int, given: argparse.Namespace) -> bool:
    """Time of a whole stream at `many` streams."""
    plain, ours = measure(direct, given.many, given.tokens), measure(through, given.many, given.tokens)
    ideal = given.tokens / given.pace
    print(f"{given.many} streams of {given.tokens} tokens at {given.pace}/s: mean {ours[2]:.2f} s", end="")
    print(f" (direct {plain[2]:.2f} s, ideal {ideal:.1f} s, bar {ideal * MEAN_BAR / 5:.1f} s)")
    return ours[2] <= ideal * MEAN_BAR / 5


if __name__ == "__main__":
    sys.exit(main())
