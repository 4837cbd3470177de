"""The process that sends one word: `python -m metier.workbench.notify_child`, told what to send on its standard input.

It is a process of its own so that a rule can hold for all of it, whatever the library does, however a name resolves
and wherever an answer redirects to: connections only to the wide world (unless the installation allows its own
network), no other programs, no files but those of Python and the system.
"""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path
from typing import Any

from metier.core.addresses import is_public
from metier.workbench.notify_address import WEB

_STARTS = ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "os.fork", "os.forkpty", "os.spawn")
_DATAGRAMS = ("socket.sendto", "socket.sendmsg", "socket.bind")
_READABLE = tuple(
    str(Path(one).resolve())
    for one in (sys.prefix, sys.base_prefix, "/etc/ssl", "/etc/pki", "/usr/share", "/usr/lib", "/etc/resolv.conf")
)
_refused: list[str] = []


def main() -> int:
    """Checks an address, or sends to it, and writes `{"outcome": "sent" | "known" | "refused" | "failed"}`."""
    asked = json.loads(sys.stdin.readline())
    logging.disable(logging.CRITICAL)  # a library's warnings name addresses
    outcome = _outcome(asked)
    if _refused and outcome == "failed":
        outcome = "refused"
    sys.stdout.write(json.dumps({"outcome": outcome}))
    return 0


def _outcome(asked: dict[str, Any]) -> str:
    from apprise import Apprise, AppriseAsset, NotifyType

    asset = AppriseAsset(
        app_id="Metier", app_desc="Metier", app_url="", image_url_mask="", image_url_logo="", plugin_paths=[]
    )
    service = Apprise.instantiate(asked["address"], asset=asset, suppress_exceptions=True)
    scheme, _, rest = asked["address"].partition("://")
    if not service and scheme in WEB:  # no service's own address: a webhook that gets JSON
        service = Apprise.instantiate(f"{WEB[scheme]}://{rest}", asset=asset, suppress_exceptions=True)
    if not service:
        return "failed"
    if not asked.get("send"):
        return "known"
    sys.addaudithook(_rule(bool(asked["local"])))
    kind = NotifyType.SUCCESS if asked.get("good") else NotifyType.FAILURE
    try:
        return "sent" if service.notify(body=asked["body"], title=asked["title"], notify_type=kind) else "failed"
    except (OSError, ValueError, TypeError):  # what plugins let through
        return "failed"


def _rule(local: bool) -> Any:
    """The audit hook that every connection, file and program has to pass."""

    def hook(event: str, values: tuple[Any, ...]) -> None:
        if event == "socket.connect":
            address = values[1]
            host = str(address[0]) if isinstance(address, tuple) else ""
            if not host or not (local or is_public(host)):
                _refused.append(event)
                raise PermissionError(event)
        elif event in _STARTS or event in _DATAGRAMS:
            raise PermissionError(event)
        elif event == "open" and isinstance(values[0], str | bytes):
            name = values[0].decode() if isinstance(values[0], bytes) else values[0]
            if not str(Path(name).resolve()).startswith(_READABLE):
                raise PermissionError(event)

    return hook


if __name__ == "__main__":
    sys.exit(main())
