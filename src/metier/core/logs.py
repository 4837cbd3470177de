"""The server's log: one line of JSON for each entry, whatever somebody put into a name, an address or a header."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime


class OneLine(logging.Formatter):
    """Keys: `time` `level` `logger` `message`, and `trace` where there is one. Nothing in it can begin another line or
    move the reader's cursor: what is not printable is spelled out."""

    def format(self, record: logging.LogRecord) -> str:
        """The entry."""
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        text = json.dumps(entry, ensure_ascii=False)
        return "".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text)


def log_to_terminal(level: int = logging.WARNING) -> None:
    """Sends the log to the standard error stream."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine())
    logging.basicConfig(level=level, handlers=[handler], force=True)
