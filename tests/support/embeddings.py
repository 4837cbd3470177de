"""A server that answers /v1/embeddings by a rule that the test gives, and notes what it was sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Vector = Callable[[str], list[float]]


class Embeddings(ThreadingHTTPServer):
    """asked: of each request its key and its body."""

    def __init__(self, vector: Vector) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.vector = vector
        self.asked: list[tuple[str | None, dict[str, Any]]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1#tea"

    def stop(self) -> None:
        """No request is answered any more."""
        self.shutdown()
        self.server_close()


@contextmanager
def embeddings(vector: Vector) -> Iterator[Embeddings]:
    """A running server that makes a text's vector by `vector`."""
    server = Embeddings(vector)
    try:
        yield server
    finally:
        server.stop()


class _Answering(BaseHTTPRequestHandler):
    server: Embeddings

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append((self.headers["Authorization"], body))
        rows = [{"index": at, "embedding": self.server.vector(text)} for at, text in enumerate(body["input"])]
        told = json.dumps({"data": rows}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *said: object) -> None:
        pass
