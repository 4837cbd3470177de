"""Whether the network may be asked, and ways to be sure that libraries neither ask it nor draw on the terminal."""

from __future__ import annotations

import warnings
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


@contextmanager
def quiet() -> Iterator[None]:
    """Within it, transformers draws no progress bars and PEFT says nothing of transformers' future.

    The terminal belongs to whoever shows our events.
    """
    from transformers.utils import logging

    before = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        if before:
            logging.enable_progress_bar()
