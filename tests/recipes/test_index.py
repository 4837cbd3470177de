"""The step that brings a specialist's documents into its knowledge base."""

from __future__ import annotations

from pathlib import Path

import pytest

from metier.core.errors import ConfigError, DataError
from metier.core.events import EventLog
from metier.core.files import read_json
from metier.knowledge.library import LOCAL, Library
from metier.recipes import load_recipe
from metier.specialists.indexing import INDEX, IndexSpec, is_whole, run_index
from metier.workbench.work import check_work
from tests.specialists.legal.talk import QUESTION, by_rule, talk

SPEC = IndexSpec(knowledge="labour-law-samples")


@pytest.mark.slow
def test_the_sample_documents_are_found_after_the_step_and_taken_in_once(tmp_path: Path) -> None:
    library = Library(tmp_path / "knowledge")
    assert not is_whole(SPEC, library)
    summary = run_index(SPEC, tmp_path, EventLog(None), library=library)
    assert summary["failed"] == [] and summary["states"] == {"added": summary["documents"]}
    assert len(read_json(tmp_path / INDEX)["files"]) == summary["documents"] >= 20
    found = library.open(LOCAL, "labour-law-samples").search("按基本工资为基数算加班费 合同月薪")
    assert any("基数" in hit.passage.text for hit in found[:3])
    [(_, result)] = by_rule("precedents", talk(QUESTION, base=library.open(LOCAL, "labour-law-samples")))
    assert result and result.data["precedents"][0]["title"] == "【示例】加班费按合同月薪还是按基本工资计算"
    [(_, result)] = by_rule("overtime_pay", talk(QUESTION, base=library.open(LOCAL, "labour-law-samples")))
    assert result and all("第十三条" in hit.passage.text or "第四十四条" in hit.passage.text for hit in result.hits[:1])
    assert is_whole(SPEC, library)
    assert run_index(SPEC, tmp_path, EventLog(None), library=library)["states"] == {"same": summary["documents"]}


def test_own_documents_are_named_by_file_or_folder(tmp_path: Path) -> None:
    folder = tmp_path / "law"
    folder.mkdir()
    (folder / "house rules.txt").write_text("Overtime is approved by the head of the shift.", encoding="utf-8")
    spec = IndexSpec(knowledge="own", documents=str(folder))  # type: ignore[arg-type]
    assert run_index(spec, tmp_path, EventLog(None), library=Library(tmp_path / "k"))["documents"] == 1
    with pytest.raises(DataError, match="neither a file nor a folder"):
        run_index(
            IndexSpec(knowledge="own", documents=(tmp_path / "no",)),
            tmp_path,
            EventLog(None),
            library=Library(tmp_path / "k"),
        )


def test_a_recipe_of_the_workbench_reads_no_files_of_the_server() -> None:
    recipe = load_recipe("legal").to_dict()
    check_work("recipe", recipe)
    for values in ({"documents": ["/etc"]}, {"embedder": "https://example.org/v1"}):
        with pytest.raises(ConfigError, match="sample documents only"):
            check_work("recipe", {**recipe, "index": {**recipe["index"], **values}})
