"""Where jobs run. One way so far: processes of this machine."""

from metier.workbench.backends.base import Backend
from metier.workbench.backends.local import LocalBackend

__all__ = ["Backend", "LocalBackend"]
