"""Where word of an ended job may be sent: which addresses are taken, and what may be shown of one that is kept.

An address is one of Apprise's URLs; a plain `https://…` is a service that Apprise knows by it, or a webhook that gets
JSON. Everything that would read files, start programs or reach into the server's own network is refused: here by its
looks, and again by `notify_child`, which sees where a connection really goes.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

from metier.core.addresses import is_of_here
from metier.core.errors import ConfigError

HOSTED = ("http", "https", "json", "jsons", "xml", "xmls", "form", "forms", "mailto", "mailtos",
          "ntfy", "ntfys", "gotify", "gotifys")  # fmt: skip
SERVICES = ("slack", "discord", "tgram", "feishu", "lark", "dingtalk", "wecombot", "schan", "pover", "bark", "barks")
LONGEST = 500
WEB = {"http": "json", "https": "jsons"}
_READS_FILES = frozenset({"template", "pgp", "pgpkey", "keyfile", "subfile", "cert", "attach"})


def check_address(given: str, *, local: bool) -> str:
    """The address as Apprise takes it. local: whether one of this machine or network may be named.

    Raises ConfigError for anything else.
    """
    text = given.strip()
    if not text or len(text) > LONGEST or not text.isprintable() or any(mark in text for mark in "\\ <>\"'`"):
        raise ConfigError("workbench.bad_notify_address", key="address")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError as error:
        raise ConfigError("workbench.bad_notify_address", key="address") from error
    scheme = parts.scheme.lower()
    if scheme not in (*HOSTED, *SERVICES):
        known = ", ".join(sorted((*HOSTED, *SERVICES)))
        raise ConfigError("workbench.bad_notify_scheme", key="address", known=known)
    asked = {name.lower(): value for name, value in parse_qsl(parts.query, keep_blank_values=True)}
    if _READS_FILES & set(asked):
        raise ConfigError("workbench.bad_notify_address", key="address")
    hosts = [host] if scheme not in SERVICES or scheme.startswith("bark") else []
    hosts += [asked[name] for name in ("smtp", "host") if asked.get(name)]
    if not host or (not local and any(is_of_here(one) for one in hosts)):
        raise ConfigError("workbench.notify_local", key="address")
    return text


def shown(address: str) -> str:
    """What may be shown of a kept address: never what lets somebody send there."""
    parts = urlsplit(address)
    return (
        f"{parts.scheme}://{parts.hostname}/…" if parts.scheme in HOSTED and parts.hostname else f"{parts.scheme}://…"
    )
