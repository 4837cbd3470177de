"""LoRA training of SmolLM2-135M on `alpaca_zh_demo`: `metier train` against LLaMA-Factory 0.9.5 and TRL 1.16.

    python bench/train_peers.py [--data ../shared/data/formats] [--rounds 3] [--minutes 22] [--quick]

The first start installs the peers into environments of their own below `bench/.work` (git-ignored; minutes). Every side
is started as a user starts it, a process of its own, on the same rows in the same order with the same settings: fp32,
LoRA of rank 8 on all linear layers, constant rate, the same rows a step, no gradient checkpointing, nothing truncated.
Tokens are those of the rows seen, padding not counted. Each peer's run stands between two of ours and is compared with
their mean, so that a machine whose speed drifts does not favour anyone; the ratios' median over the rounds counts.
Final losses: the mean of the last steps as each side reports it, and the loss on held-out rows by one function.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from support.environments import LLAMAFACTORY, TRL, WORK, install, version
from support.held_out import losses, render
from support.sides import LABELS, OURS, Run, Setting, run

REPOSITORY = Path(__file__).resolve().parents[1]
PEERS = ("llamafactory", "trl", "trl-packed")
HELD_OUT = 50


def main() -> None:
    given = arguments()
    os.environ["HF_HUB_OFFLINE"] = "1"
    for peer in (TRL, LLAMAFACTORY):
        install(peer)
    setting = prepare(given)
    peers = [name for name in given.peers.split(",") if name]
    rounds = measure(setting, peers, given)
    report(setting, peers, rounds, given)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=REPOSITORY.parent / "shared" / "data" / "formats")
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--rows", type=int, default=32)
    parser.add_argument("--rows_per_step", type=int, default=8)
    parser.add_argument("--per_device", type=int, default=4, help="rows of a peer's padded batch; the rest accumulates")
    parser.add_argument("--cutoff_len", type=int, default=512)
    parser.add_argument("--learning_rate", type=float, default=5e-4)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="1 where others use the machine too")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=22, help="no round begins that would end after this")
    parser.add_argument("--no_held_out", action="store_true", help="leave out the loss on held-out rows")
    parser.add_argument("--quick", action="store_true", help="one round of 16 rows, no held-out loss")
    given = parser.parse_args()
    if given.quick:
        given.rows, given.rounds, given.no_held_out = 16, 1, True
    return given


def prepare(given: argparse.Namespace) -> Setting:
    """Writes the rows that fit whole, in file order, and shorter ones after them as held-out rows."""
    from transformers import AutoTokenizer

    from metier.models import resolve_model

    source = given.data / "alpaca_zh_demo.json"
    if not source.is_file():
        sys.exit(f"{source} is not there: name the folder that holds it with --data")
    model = resolve_model(given.model).folder
    tokenizer = AutoTokenizer.from_pretrained(model)
    rows: list[dict[str, str]] = json.loads(source.read_text(encoding="utf-8"))
    lengths = [len(render(tokenizer, row)[0]) for row in rows]
    # A few tokens of room: some templates end with a line break more.
    fitting = [index for index, length in enumerate(lengths) if length <= given.cutoff_len - 4]
    train = fitting[: given.rows]
    held_out = [index for index in fitting[given.rows :] if lengths[index] <= given.cutoff_len // 2][:HELD_OUT]
    data = WORK / "data"
    data.mkdir(parents=True, exist_ok=True)
    for name, chosen in (("train", train), ("held_out", held_out)):
        write(data / f"{name}.json", [rows[index] for index in chosen])
    write(data / "dataset_info.json", {"train": {"file_name": "train.json"}})
    used = [lengths[index] for index in train]
    print(
        f"{len(used)} rows of {min(used)} to {max(used)} tokens, {sum(used)} in all; "
        f"{len(used) // given.rows_per_step} steps of {given.rows_per_step} rows; LLaMA-Factory with transformers "
        f"{version(LLAMAFACTORY, 'transformers')}, TRL with {version(TRL, 'transformers')}, {given.threads} threads",
        flush=True,
    )
    return Setting(
        model=str(model),
        data=str(data),
        rows=len(used),
        rows_per_step=given.rows_per_step,
        per_device=given.per_device,
        packed=packed_sequences(used, given.cutoff_len),
        cutoff_len=given.cutoff_len,
        learning_rate=given.learning_rate,
        threads=given.threads,
    )


def write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), encoding="utf-8")


def packed_sequences(lengths: Sequence[int], size: int) -> int:
    """How many sequences of `size` tokens best-fit decreasing packs rows into: how TRL packs."""
    rooms: list[int] = []
    for length in sorted(lengths, reverse=True):
        fitting = [index for index, room in enumerate(rooms) if room >= length]
        if fitting:
            rooms[min(fitting, key=rooms.__getitem__)] -= length
        else:
            rooms.append(size - length)
    return len(rooms)


Round = dict[str, tuple[Run, Run, Run]]  # peer: ours before it, the peer, ours after it


def measure(setting: Setting, peers: Sequence[str], given: argparse.Namespace) -> list[Round]:
    began, longest, rounds = time.perf_counter(), 0.0, []
    ours = shown(run(OURS, setting))
    while len(rounds) < given.rounds and time.perf_counter() - began + longest < 60 * given.minutes:
        start = time.perf_counter()
        this: Round = {}
        for peer in peers:
            theirs = shown(run(peer, setting))
            after = shown(run(OURS, setting))
            this[peer] = (ours, theirs, after)
            ours = after
        rounds.append(this)
        longest = max(longest, time.perf_counter() - start)
    return rounds


def shown(made: Run) -> Run:
    print(
        f"  {LABELS[made.side]:<16} {made.tokens:6d} tokens in {made.loop:6.1f} s: {made.tokens_per_second:6.1f} a "
        f"second; processor {made.loop_processor:6.1f} s, process {made.wall:6.1f} s; losses "
        + " ".join(f"{loss:.3f}" for loss in made.losses),
        flush=True,
    )
    return made


def report(setting: Setting, peers: Sequence[str], rounds: Sequence[Round], given: argparse.Namespace) -> None:
    held: dict[str, float] = {}
    last: dict[str, Run] = {OURS: rounds[-1][peers[-1]][2]} | {peer: rounds[-1][peer][1] for peer in peers}
    if not given.no_held_out:
        adapters = {side: made.adapter for side, made in last.items()}
        held = losses(Path(setting.model), adapters, Path(setting.data) / "held_out.json")
        print(f"held-out loss of the base: {held['base']:.4f}")
    half = max(1, len(last[OURS].losses) // 2)
    end = {side: statistics.mean(made.losses[-half:]) for side, made in last.items()}
    print(f"{'':<16} {'tokens/s':>8} {'loss, last half':>16} {'held out':>9}   ours / peer: loop  processor  process")
    for side in (OURS, *peers):
        made = [entry for this in rounds for trio in this.values() for entry in trio if entry.side == side]
        rate = statistics.median(entry.tokens_per_second for entry in made)
        line = f"{LABELS[side]:<16} {rate:8.1f} {end[side]:16.4f} {held.get(side, float('nan')):9.4f}"
        if side != OURS:
            trios = [this[side] for this in rounds]
            ratios = [
                # Seconds a token: ours the mean of the runs before and after.
                statistics.median(
                    (getattr(theirs, what) / theirs.tokens)
                    / statistics.mean(getattr(mine, what) / mine.tokens for mine in (before, after))
                    for before, theirs, after in trios
                )
                for what in ("loop", "loop_processor", "wall")
            ]
            line += f"{ratios[0]:20.2f} {ratios[1]:10.2f} {ratios[2]:8.2f}"
            differences = [abs(end[side] / end[OURS] - 1)]
            if held:
                differences.append(abs(held[side] / held[OURS] - 1))
            line += "   losses differ by " + ", ".join(f"{difference:.2%}" for difference in differences)
        print(line)


if __name__ == "__main__":
    main()
