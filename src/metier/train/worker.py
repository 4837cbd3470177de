"""One process of several, started by torchrun: `python -m metier.train.worker FOLDER`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from metier.core.errors import MetierError
from metier.core.events import EVENTS, EventLog
from metier.core.files import read_json, write_json
from metier.train.launch import ERROR, RESULT, SPEC, WORK
from metier.train.spec import TrainSpec
from metier.train.step import load_material, train
from metier.train.stopping import STOP_FILE, Stopper


def main(folder: Path) -> int:
    """Trains as `workers/spec.json` says; the first process leaves the summary, any process its error."""
    from torch import distributed

    work = folder / WORK
    given = read_json(work / SPEC)
    spec = TrainSpec.model_validate(given["spec"])
    first = os.environ.get("RANK", "0") == "0"
    events = EventLog(folder / EVENTS if first else None)
    stopper = Stopper(stop_file=work / STOP_FILE, parent=given["parent"])
    try:
        summary = train(spec, folder, events, load_material(spec, events), stopper)
    except MetierError as error:
        # Processes fail alike more often than alone; whoever is first has said it.
        if not (work / ERROR).exists():
            fields = {key: str(value) for key, value in error.fields.items()}
            write_json(work / ERROR, {"kind": type(error).__name__, "key": error.key, "fields": fields})
        return error.exit_code
    if first:
        write_json(work / RESULT, summary)
    if distributed.is_initialized():
        distributed.barrier()
        distributed.destroy_process_group()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
