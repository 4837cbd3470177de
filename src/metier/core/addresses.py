"""Whether an address leads into the wide world, or to this machine and its network."""

from __future__ import annotations

import ipaddress
import socket

_NAMES_OF_HERE = ("localhost", ".localhost", ".local", ".internal", ".lan", ".home.arpa")
# IPv4 addresses in IPv6's clothes (RFC 6052).
_TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")


def is_of_here(host: str) -> bool:
    """Whether a name or address, however it is spelt, is plainly of this machine or its network."""
    name = host.strip("[]").rstrip(".").lower()
    if name.endswith(_NAMES_OF_HERE):
        return True
    try:
        return not is_public(str(ipaddress.ip_address(name.partition("%")[0])))
    except ValueError:
        pass
    try:  # 2130706433, 0x7f.1 and 0177.0.0.1 are addresses too
        return not is_public(socket.inet_ntoa(socket.inet_aton(name)))
    except OSError:
        return False


def is_public(address: str) -> bool:
    """Whether a numeric address belongs to the wide world."""
    try:
        number = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(number, ipaddress.IPv6Address):
        inner = number.ipv4_mapped or number.sixtofour or (number.teredo or (None, None))[1]
        if number in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(number) & 0xFFFFFFFF)
        if inner is not None:
            number = inner
    return number.is_global and not number.is_multicast
