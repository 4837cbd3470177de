"""Documents and passages for tests."""

from __future__ import annotations

from metier.knowledge.document import Document, Page
from metier.knowledge.passage import Passage
from metier.knowledge.passages import split

LAW = """茶馆管理条例

2010年3月1日 茶馆协会通过

第一章 总则

第一条 为了让茶馆安静，制定本条例。

第二条 茶馆应当备有热水。
茶馆不得出售隔夜的茶。

第二章 客人

第三条 客人有下列情形之一的，茶馆可以请其离开：
（一）大声喧哗；
（二）自带茶叶，违反
第二条规定的。

第三条之一 客人可以要求退还未泡开的茶叶。

第四条 本条例自2010年6月1日起施行。
"""


def document(text: str, name: str = "notes.txt", **more: object) -> Document:
    return Document(name, "text", "0" * 64, text, (Page(1, 0, len(text)),), **more)  # type: ignore[arg-type]


def law(name: str = "茶馆管理条例", text: str = LAW) -> list[Passage]:
    return split(document(text.replace("茶馆管理条例", name, 1), f"{name}.txt"), name)
