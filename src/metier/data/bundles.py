"""A zip of a table and its pictures becomes a folder: the table, its pictures by their sha256, and their names.

file.jsonl         the table, under a name of ours
pictures/<sha256>  each picture once
pictures.json      which name is which picture; see `metier.data.picturefiles`

No name of the archive becomes a path. An archive with one bad entry is refused whole, and what it holds is counted by
the bytes that really come out of it.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from metier.core.errors import DataError
from metier.core.files import sha256_file, sha256_text, whole_folder, write_json
from metier.core.settings import settings
from metier.data.containers import CONTAINERS, PLAIN_TEXT_SUFFIXES, file_type
from metier.data.messages import ImagePart
from metier.data.picturefiles import PICTURES, PICTURES_JSON, picture_names
from metier.data.pictures import MOST_BYTES, picture_header

BUNDLE = ".zip"
MOST_ENTRIES = 50_000
MOST_UNPACKED = 8 << 30
_IMAGES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff")
_PAPERS = ("readme", "license", "licence", "notice", "dataset_info")  # lie beside data, and are left
_JUNK = (".ds_store", "thumbs.db", "desktop.ini")
_BLOCK = 1 << 20
_DRIVE = re.compile(r"[A-Za-z]:")
_UTF8, _ENCRYPTED = 0x800, 0x1  # flags of an entry
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)
_Entries = dict[str, zipfile.ZipInfo]


@dataclass(frozen=True)
class Bundle:
    """What an archive became. names: its `pictures.json`; pictures: how many; size: bytes of table and pictures."""

    table: Path
    names: Path
    pictures: int
    size: int


def unpack(
    archive: Path, folder: Path, *, table: str = "", most: int = MOST_UNPACKED, shown_as: str | None = None
) -> Bundle:
    """Unpacks a set into `folder`, which is not there yet, nor afterwards if the archive is refused.

    table: which of several; most: bytes that may come out; shown_as: what errors call the archive. Raises DataError.
    """
    folder.mkdir(parents=True)
    try:
        return _fill(folder, archive, table, most, shown_as or str(archive))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def kept_bundle(archive: Path, table: str = "") -> Bundle:
    """An archive unpacked among the user's datasets, under the sha256 of its bytes; once, however often it is asked."""
    folder = bundles_folder() / sha256_text(sha256_file(archive) + table)[:32]
    if not (folder / PICTURES_JSON).is_file():
        with whole_folder(folder) as aside:
            _fill(aside, archive, table, MOST_UNPACKED, str(archive))
    return _there(folder)


@contextmanager
def told_by_archive(bundle: Bundle, archive: Path) -> Iterator[None]:
    """Within, errors about the unpacked table name the archive that the user gave, not the place it was unpacked to."""
    try:
        yield
    except DataError as error:
        fields = {
            key: str(value).replace(str(bundle.table), archive.name) if isinstance(value, str | Path) else value
            for key, value in error.fields.items()
        }
        raise type(error)(error.key, **fields) from error


def bundles_folder() -> Path:
    """Where archives of this machine's user lie unpacked."""
    return settings().datasets / "bundles"


def _fill(folder: Path, archive: Path, table: str, most: int, name: str) -> Bundle:
    """Unpacks a set into a folder that is there and empty. name: what errors call the archive."""
    with _opened(archive, name) as source:
        chosen, pictures = _sorted(_entries(source, name), table, name)
        return _write(source, chosen, pictures, folder, most, name)


def _there(folder: Path) -> Bundle:
    table = next(path for path in folder.iterdir() if path.name.startswith("file."))
    pictures = list((folder / PICTURES).iterdir())
    size = table.stat().st_size + sum(path.stat().st_size for path in pictures)
    return Bundle(table, folder / PICTURES_JSON, len(pictures), size)


@contextmanager
def _opened(archive: Path, name: str) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(archive) as source:
            yield source
    except _BROKEN as error:
        raise DataError("data.bad_archive", file=name, problem=str(error)[:200] or type(error).__name__) from error


def _entries(source: zipfile.ZipFile, name: str) -> _Entries:
    """Files by their names. Raises DataError for names that lead elsewhere, come twice, or are no plain files."""
    found: _Entries = {}
    folded: set[str] = set()
    if len(source.filelist) > MOST_ENTRIES:
        raise DataError("data.bundle_many", file=name, most=MOST_ENTRIES)
    encoding = _encoding(source.filelist)
    for info in source.filelist:
        entry = _name(info, encoding)
        kind = stat.S_IFMT(info.external_attr >> 16)
        if info.is_dir() and kind in (0, stat.S_IFDIR):
            continue
        path = PurePosixPath(entry)
        outside = path.is_absolute() or ".." in path.parts or "\\" in entry or _DRIVE.match(entry) or not path.name
        if outside or not entry.isprintable() or kind not in (0, stat.S_IFREG) or info.flag_bits & _ENCRYPTED:
            raise DataError("data.bundle_entry", file=name, entry=entry)
        if str(path).casefold() in folded:
            raise DataError("data.bundle_twice", file=name, entry=entry)
        folded.add(str(path).casefold())
        if "__MACOSX" not in path.parts and path.name.lower() not in _JUNK:
            found[str(path)] = info
    return found


def _encoding(entries: list[zipfile.ZipInfo]) -> str:
    """How names are written that are not marked as UTF-8: as UTF-8 all the same, or, in China, as GB18030."""
    names = b"\n".join(info.orig_filename.encode("cp437") for info in entries if not info.flag_bits & _UTF8)
    for encoding in ("utf-8", "gb18030"):  # all of them together: two bytes alone may be either
        try:
            names.decode(encoding)
            return encoding
        except UnicodeDecodeError:
            continue
    return "cp437"


def _name(info: zipfile.ZipInfo, encoding: str) -> str:
    name = info.orig_filename
    if not info.flag_bits & _UTF8:
        name = name.encode("cp437").decode(encoding)
    return unicodedata.normalize("NFC", name)


def _sorted(entries: _Entries, table: str, name: str) -> tuple[tuple[str, zipfile.ZipInfo], _Entries]:
    """The one table, and the pictures. Raises DataError for anything else that is in the archive."""
    tables, pictures = {}, {}
    for entry, info in entries.items():
        path = PurePosixPath(entry)
        if path.suffix.lower() in _IMAGES:
            pictures[entry] = info
        elif path.stem.lower() in _PAPERS:
            continue
        elif file_type(Path(path.name)) in CONTAINERS and path.suffix.lower() not in PLAIN_TEXT_SUFFIXES:
            tables[entry] = info
        else:
            raise DataError("data.bundle_other", file=name, entry=entry, known=" ".join(_IMAGES))
    if table:
        tables = {entry: info for entry, info in tables.items() if entry == table}
    if len(tables) != 1:
        key = "data.bundle_tables" if tables else "data.bundle_no_table"
        raise DataError(key, file=name, tables=", ".join(list(tables)[:5]) or table)
    return next(iter(tables.items())), pictures


def _write(
    source: zipfile.ZipFile, chosen: tuple[str, zipfile.ZipInfo], pictures: _Entries, folder: Path, most: int, name: str
) -> Bundle:
    entry, info = chosen
    suffixes = "".join(PurePosixPath(entry.lower()).suffixes[-2:] if entry.lower().endswith(".gz") else ())
    table = folder / f"file{suffixes or PurePosixPath(entry.lower()).suffix}"
    _, size = _copy(source, info, table, most, DataError("data.bundle_large", file=name, limit=most >> 20))
    (folder / PICTURES).mkdir()
    files = {}
    for entry_name, one in pictures.items():
        left = most - size
        if left <= 0:
            raise DataError("data.bundle_large", file=name, limit=most >> 20)
        aside = folder / PICTURES / ".coming"
        too_large = (
            DataError("data.bundle_large", file=name, limit=most >> 20)
            if left < MOST_BYTES
            else DataError("data.picture_bytes", picture=f"{name}: {entry_name}", limit=MOST_BYTES >> 20)
        )
        sha256, count = _copy(source, one, aside, min(left, MOST_BYTES), too_large)
        _refuse_bad(aside, f"{name}: {entry_name}")
        aside.replace(folder / PICTURES / sha256)
        files[entry_name] = sha256
        size += count
    base = str(PurePosixPath(chosen[0]).parent)
    write_json(folder / PICTURES_JSON, picture_names("" if base == "." else base, files))
    return Bundle(table, folder / PICTURES_JSON, len(files), size)


def _copy(
    source: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, most: int, too_large: DataError
) -> tuple[str, int]:
    """An entry's bytes, their sha256 and how many they are."""
    size, digest = 0, hashlib.sha256()
    with source.open(info) as content, target.open("wb") as file:
        while block := content.read(_BLOCK):
            size += len(block)
            if size > most:
                raise too_large
            digest.update(block)
            file.write(block)
    return digest.hexdigest(), size


def _refuse_bad(file: Path, shown_as: str) -> None:
    """Raises DataError for a picture whose header is none, under the name that its sender knows."""
    try:
        picture_header(ImagePart(path=str(file)))
    except DataError as problem:
        raise DataError(problem.key, **{**problem.fields, "picture": shown_as}) from problem
