"""A browser's long description of itself as two words that its owner knows it by."""

from __future__ import annotations

_PROGRAMS = (
    ("edg", "Edge"), ("opr/", "Opera"), ("micromessenger", "WeChat"), ("samsungbrowser", "Samsung Internet"),
    ("firefox", "Firefox"), ("fxios", "Firefox"), ("crios", "Chrome"), ("chrome", "Chrome"), ("safari", "Safari"),
    ("curl", "curl"), ("python", "Python"), ("testclient", "Python"),
)  # fmt: skip
_SYSTEMS = (
    ("iphone", "iPhone"), ("ipad", "iPad"), ("android", "Android"), ("openharmony", "HarmonyOS"),
    ("windows", "Windows"), ("mac os", "macOS"), ("cros", "ChromeOS"), ("linux", "Linux"),
)  # fmt: skip


def agent_words(agent: str) -> tuple[str, str]:
    """The program and the system that a `User-Agent` speaks of; empty where it is not known."""
    low = agent.lower()
    return (
        next((name for mark, name in _PROGRAMS if mark in low), ""),
        next((name for mark, name in _SYSTEMS if mark in low), ""),
    )
