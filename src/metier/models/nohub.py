"""Whether the network may be asked, and a way to be sure that it is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from metier.core.settings import settings


def offline() -> bool:
    """Whether `METIER_OFFLINE` or `HF_HUB_OFFLINE` forbids asking a hub."""
    from huggingface_hub import constants

    return settings().offline or bool(constants.HF_HUB_OFFLINE)


@contextmanager
def no_hub() -> Iterator[None]:
    """Within it, huggingface_hub asks no network, which it would for optional files that a local folder lacks.

    Where there is no network, those questions cost many seconds of retries.
    """
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
