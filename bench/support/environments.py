"""Environments of their own for the peers, below `bench/.work/<peer>/venv` (git-ignored), installed once.

pip resolves each peer's own pins, so every peer runs with the versions of transformers, PEFT and accelerate that it
asks for; only torch is bounded as ours is. torchvision and torchaudio are taken out of what pip chose: on a CPU
nothing here uses them, and LLaMA-Factory, which imports torchaudio, is content with an empty module of that name.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

WORK = Path(__file__).resolve().parents[1] / ".work"
TORCH = "torch>=2.10,<2.14"
LEFT_OUT = ("torchvision", "torchaudio")


@dataclass(frozen=True)
class Peer:
    """requirement: what pip is asked for; empty_modules: names that its code imports and that do nothing here."""

    name: str
    requirement: str
    empty_modules: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return WORK / self.name

    @property
    def python(self) -> Path:
        return self.folder / "venv" / "bin" / "python"


LLAMAFACTORY = Peer("llamafactory", "llamafactory==0.9.5", ("torchaudio",))
TRL = Peer("trl", "trl[peft]==1.16.*")


def install(peer: Peer) -> None:
    """Makes the peer's environment unless it is there already (a file that is written last says that it is whole)."""
    ready = peer.folder / "ready"
    if ready.exists():
        return
    print(f"installing {peer.requirement} into {peer.folder.relative_to(WORK.parent)} (minutes)", flush=True)
    peer.folder.mkdir(parents=True, exist_ok=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(peer.folder / "venv")], check=True)
    plan = peer.folder / "plan.json"
    pip = [str(peer.python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "--dry-run", "--report", str(plan), peer.requirement, TORCH], check=True)
    chosen = [item["metadata"] for item in json.loads(plan.read_text(encoding="utf-8"))["install"]]
    wanted = [f"{item['name']}=={item['version']}" for item in chosen if item["name"].lower() not in LEFT_OUT]
    subprocess.run([*pip, "--no-deps", *wanted], check=True)
    packages = Path(subprocess.check_output([str(peer.python), "-c", _PURELIB], text=True).strip())
    for name in peer.empty_modules:
        (packages / f"{name}.py").write_text("", encoding="utf-8")
    ready.write_text("\n".join(wanted) + "\n", encoding="utf-8")


def add(peer: Peer, package: str) -> None:
    """Installs one more package into a peer's environment, unless it was."""
    ready = peer.folder / f"ready-{package}"
    if not ready.exists():
        subprocess.run([str(peer.python), "-m", "pip", "install", "-q", package], check=True)
        ready.touch()


_PURELIB = "import sysconfig; print(sysconfig.get_path('purelib'))"


def version(peer: Peer, package: str) -> str:
    """The version of `package` in the peer's environment."""
    code = f"from importlib.metadata import version; print(version({package!r}))"
    return subprocess.check_output([str(peer.python), "-c", code], text=True).strip()
