"""Archives that Office writes: looked at before they are unpacked."""

from __future__ import annotations

import io
import zipfile

from metier.core.errors import DataError
from metier.knowledge.readers import Source

MAX_UNPACKED_BYTES = 400 << 20
MAX_PARTS = 20_000
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def check_zip(source: Source) -> None:
    """Raises DataError for what is encrypted, no archive, or would unpack to too much."""
    if source.content.startswith(_OLE):  # a password wraps the archive in this older container; so do old formats
        raise DataError("knowledge.encrypted_or_old", file=source.name)
    try:
        with zipfile.ZipFile(io.BytesIO(source.content)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise DataError("knowledge.reading_damaged", file=source.name, problem=error) from error
    if any(part.flag_bits & 1 for part in parts):
        raise DataError("knowledge.encrypted", file=source.name)
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise DataError("knowledge.unpacks_too_large", file=source.name, limit=MAX_UNPACKED_BYTES >> 20)
