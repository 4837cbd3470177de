"""TensorBoard and SwanLab as callbacks: the curve goes to a tracker, keys stay in the environment.

Both keep their files in the step's folder. SwanLab goes online only if `SWANLAB_API_KEY` is set (or `SWANLAB_MODE` says
so); what it would collect besides the curve (terminal output, command line, host name, packages) is turned off.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from metier.core.errors import ConfigError
from metier.train.spec import TrainSpec

_NAMES = {
    "loss": "train/loss",
    "learning_rate": "train/learning_rate",
    "grad_norm": "train/grad_norm",
    "epoch": "train/epoch",
    "eval_loss": "eval/loss",
}


class Tracker(TrainerCallback):  # type: ignore[misc]
    """Hands each report of the first process to `write(values, step)`."""

    def __init__(self, write: Callable[[dict[str, float], int], None], close: Callable[[], None]) -> None:
        self.write = write
        self.close = close

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float] | None = None,
        **_: Any,
    ) -> None:
        values = {_NAMES[name]: float(value) for name, value in (logs or {}).items() if name in _NAMES}
        if "train_runtime" not in (logs or {}):
            self.write(values, state.global_step)

    def on_train_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.close()


def trackers(spec: TrainSpec, folder: Path, identity: str) -> list[Tracker]:
    """The trackers that the spec names. Raises ConfigError for one that is not installed."""
    makers: dict[str, Callable[[TrainSpec, Path, str], Tracker]] = {"tensorboard": _tensorboard, "swanlab": _swanlab}
    made = []
    for name in spec.report_to:
        try:
            made.append(makers[name](spec, folder, identity))
        except ImportError as error:
            raise ConfigError("train.tracker_missing", tracker=name) from error
    return made


def _tensorboard(spec: TrainSpec, folder: Path, identity: str) -> Tracker:
    from torch.utils.tensorboard import SummaryWriter

    writer: Any = SummaryWriter(log_dir=str(folder / "tensorboard"))

    def write(values: dict[str, float], step: int) -> None:
        for name, value in values.items():
            writer.add_scalar(name, value, step)
        writer.flush()

    return Tracker(write, writer.close)


def _swanlab(spec: TrainSpec, folder: Path, identity: str) -> Tracker:
    import swanlab

    mode: Any = os.environ.get("SWANLAB_MODE") or ("online" if os.environ.get("SWANLAB_API_KEY") else "offline")
    settings = swanlab.Settings(
        interactive=False,
        terminal={"proxy_type": "none"},
        probe={"runtime": False, "requirements": False, "conda": False, "git": False},
    )
    (folder / "swanlab").mkdir(parents=True, exist_ok=True)
    with _silent():
        swanlab.init(
            project=os.environ.get("SWANLAB_PROJECT", "metier"),
            name=spec.run_name,
            mode=mode,
            log_dir=str(folder / "swanlab"),
            config=spec.model_dump(mode="json"),
            # The same training goes on in the same curve.
            id=identity[:16],
            resume="allow",
            settings=settings,
        )

    def write(values: dict[str, float], step: int) -> None:
        swanlab.log(values, step=step)

    def close() -> None:
        with _silent():
            swanlab.finish()

    return Tracker(write, close)


@contextlib.contextmanager
def _silent() -> Any:
    """Keeps a library's greetings off the standard output, which belongs to `--json`."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
