"""Copies of a law do not crowd out what else was found; what is another source stays."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from metier.knowledge.base import KnowledgeBase
from metier.knowledge.copies import fold
from metier.knowledge.library import Library
from metier.knowledge.passage import Hit, Passage
from metier.specialists.finding import Query, find
from metier.specialists.spec import Retrieval
from tests.knowledge.support import LAW, law


@pytest.fixture
def base(tmp_path: Path) -> KnowledgeBase:
    base = Library(tmp_path / "library").create("anna", "rules")
    copies = [LAW, LAW.replace("第二条 ", "第二条\u3000"), LAW + "\n", f"\n{LAW}", LAW + "\n\n"]
    rules = "客栈须知\n\n客栈应当备有热水。"
    base.add(
        [*((f"copy{number}.txt", text.encode()) for number, text in enumerate(copies)), ("须知.txt", rules.encode())]
    )
    return base


def test_copies_of_a_law_are_one_hit_that_names_them(base: KnowledgeBase) -> None:
    assert len(base.documents()) == 6
    first, second = base.search("备有热水 不得出售隔夜的茶", limit=2)
    assert first.passage.article == "第二条"
    assert sorted([first.passage.file, *(copy.file for copy in first.copies)]) == [f"copy{n}.txt" for n in range(5)]
    assert (second.passage.file, second.copies) == ("须知.txt", ())


def test_however_many_copies_there_are_others_are_found(base: KnowledgeBase) -> None:
    base.add([(f"more{number}.txt", (LAW + "\n" * (3 + number)).encode()) for number in range(8)])
    assert [hit.passage.file for hit in base.search("备有热水 不得出售隔夜的茶", limit=2)][1] == "须知.txt"


def test_a_removed_copy_leaves_the_others(base: KnowledgeBase) -> None:
    best = base.search("备有热水 不得出售隔夜的茶", limit=1)[0].passage
    base.remove([best.document])
    again = base.search("备有热水 不得出售隔夜的茶", limit=1)[0]
    assert again.passage.text.split() == best.text.split()
    assert len(again.copies) == 3


def folded(one: Passage, other: Passage) -> bool:
    return len(fold([Hit(one, 2.0), Hit(other, 1.0)])) == 1


def test_other_laws_articles_versions_and_headings_stay_apart() -> None:
    one = law()[1]
    assert folded(one, replace(one, id="x", title=f"《中华人民共和国{one.title}》（2018修正）"))
    assert not folded(one, replace(one, id="x", title="酒馆管理条例"))
    assert not folded(one, replace(one, id="x", article="第三条"))
    assert not folded(one, replace(one, id="x", effective=date(2020, 1, 1)))
    plain = replace(one, article="", path=("2023", "热水"))
    assert folded(plain, replace(plain, id="x"))
    assert not folded(plain, replace(plain, id="x", path=("2024", "热水")))
    assert not folded(replace(one, text="——"), replace(one, id="x", text="※"))


def test_the_same_law_in_two_bases_is_found_once_with_all_its_copies(base: KnowledgeBase, tmp_path: Path) -> None:
    other = Library(tmp_path / "library").create("anna", "more")
    other.add([("again.txt", LAW.encode())])
    asked = [Query("备有热水 不得出售隔夜的茶")]
    found = asyncio.run(find(asked, {"rules": base, "more": other}, Retrieval(limit=2)))
    assert found.hits[0].passage.article == "第二条"
    assert len(found.hits[0].copies) == 5
    assert "须知.txt" in {hit.passage.file for hit in found.hits}
