"""Datasets: files of records become conversations of messages with text and image parts.

`load_dataset` is the way in: a registered name or a file (JSON, JSON lines, CSV, Excel, Parquet, plain text) in a
known format (`formats.FORMATS`) or with its columns mapped. Whatever is wrong is refused with its file, row and
field; nothing is guessed, repaired or dropped in silence. Needs no torch.
"""

from metier.data.dataset import Dataset, load_dataset, write_dataset
from metier.data.layout import parse_columns
from metier.data.messages import Conversation, ImagePart, Message, Part, Role, TextPart, message
from metier.data.registration import DatasetInfo, list_datasets, register_dataset, remove_dataset
from metier.data.rows import Note

__all__ = [
    "Conversation",
    "Dataset",
    "DatasetInfo",
    "ImagePart",
    "Message",
    "Note",
    "Part",
    "Role",
    "TextPart",
    "list_datasets",
    "load_dataset",
    "message",
    "parse_columns",
    "register_dataset",
    "remove_dataset",
    "write_dataset",
]
