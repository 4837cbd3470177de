"""Plain text: a document a record, without question and answer. Its kind is `text`: shown, not trainable as chat."""

from __future__ import annotations

from metier.data.layout import Format, Layout
from metier.data.messages import Conversation, message
from metier.data.readers.shared import extra_meta
from metier.data.rows import RawRow


def read_plain(row: RawRow, layout: Layout) -> Conversation:
    """One document as the only message, the assistant's: no question stands before it."""
    text = layout.filled(row, "text")
    return Conversation(row.row, (message("assistant", text),), {**extra_meta(row, layout), "kind": "text"})


TEXT = Format(name="text", columns={"text": "text"}, required=("text",), read=read_plain, kind="text")
