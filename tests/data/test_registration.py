from __future__ import annotations

import json
from pathlib import Path

import pytest

from metier.core.errors import DataError
from metier.data import entries as entries_module
from metier.data import list_datasets, load_dataset, register_dataset, remove_dataset
from tests.data.writing import PNG, QA, jsonl, raw, turns


def _registry(own_home: Path) -> Path:
    return own_home / "datasets" / "dataset_info.json"


def test_registered_set_loads_by_name_like_its_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    jsonl(path, [{**turns(("user", "q"), ("assistant", "a")), "meta": {"answer": "a"}}])
    registered = register_dataset("mine", path)
    by_name = load_dataset("mine")
    assert by_name.conversations == registered.conversations == load_dataset(str(path)).conversations
    assert by_name.sha256 == registered.sha256


def test_registration_keeps_the_mapping(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    jsonl(path, [{"问": "q", "答": "a"}])
    register_dataset("我的", path, columns={"prompt": "问", "label": "答"})
    assert load_dataset("我的").conversations[0].label == "a"


def test_relative_pictures_of_a_registered_set_are_found(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(PNG)
    jsonl(tmp_path / "a.jsonl", [{**turns(("user", "<image>"), ("assistant", "a")), "images": ["1.png"]}])
    register_dataset("seen", tmp_path / "a.jsonl")
    assert load_dataset("seen").conversations[0].messages[0].images[0].path == str(tmp_path / "1.png")


def test_bad_file_is_not_registered(tmp_path: Path, own_home: Path) -> None:
    with pytest.raises(DataError):
        register_dataset("mine", Path(raw(tmp_path / "a.jsonl", "nonsense")))
    assert not _registry(own_home).exists()


@pytest.mark.parametrize("name", ["", "../x", "a b", "-a", "x" * 80])
def test_bad_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match="cannot be a dataset's name"):
        register_dataset(name, Path(jsonl(tmp_path / "a.jsonl", [QA])))


def test_taken_name_is_refused_unless_replaced(tmp_path: Path) -> None:
    path = Path(jsonl(tmp_path / "a.jsonl", [QA]))
    register_dataset("mine", path)
    with pytest.raises(DataError, match="registered already"):
        register_dataset("mine", path)
    assert len(register_dataset("mine", path, replace=True)) == 1


def test_removing_takes_the_name_and_leaves_the_file(tmp_path: Path) -> None:
    path = Path(jsonl(tmp_path / "a.jsonl", [QA]))
    register_dataset("mine", path)
    remove_dataset("mine")
    assert path.exists()
    assert "mine" not in [info.name for info in list_datasets()]
    with pytest.raises(DataError, match="not among your datasets"):
        remove_dataset("mine")


def test_shipped_sets_can_neither_be_taken_nor_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entries_module, "SAMPLES", tmp_path)
    (tmp_path / "index.yaml").write_text(
        "sample: {file: s.jsonl.gz, title: {en: A sample, zh: 样例}}\n", encoding="utf-8"
    )
    with pytest.raises(DataError, match="comes with Métier"):
        register_dataset("sample", Path(jsonl(tmp_path / "a.jsonl", [QA])))
    with pytest.raises(DataError, match="stays"):
        remove_dataset("sample")
    with pytest.raises(DataError, match=r"missing from this installation: .*s\.jsonl\.gz"):
        load_dataset("sample")


def test_folder_registry_states_what_each_entry_is(tmp_path: Path) -> None:
    jsonl(tmp_path / "here.jsonl", [QA])
    values = {
        "here": {"file_name": "here.jsonl"},
        "gone": {"file_name": "gone.json"},
        "far": {"hf_hub_url": "a/b"},
        "pairs": {"file_name": "here.jsonl", "ranking": True},
        "votes": {"file_name": "here.jsonl", "columns": {"kto_tag": "label"}},
        "film": {"file_name": "here.jsonl", "columns": {"videos": "videos"}},
        "prose": {"file_name": "here.jsonl", "columns": {"prompt": "text"}},
        "code": {"script_url": "x.py"},
    }
    (tmp_path / "dataset_info.json").write_text(json.dumps(values), encoding="utf-8")
    listed = {info.name: info for info in list_datasets(tmp_path) if info.origin == "folder"}
    assert {name: info.status for name, info in listed.items()} == {
        "here": "ready",
        "gone": "missing",
        "far": "hub",
        **dict.fromkeys(("pairs", "votes", "film", "prose", "code"), "unsupported"),
    }
    assert "gone.json" in listed["gone"].detail()
    assert listed["votes"].status_text("zh") == "暂不能训练"
    for name in values.keys() - {"here"}:
        with pytest.raises(DataError, match=name):
            load_dataset(name, dataset_dir=tmp_path)


def test_tags_columns_and_sample_limit_of_a_registry_are_obeyed(tmp_path: Path) -> None:
    talk = {"talk": [{"who": "U", "says": "q"}, {"who": "B", "says": "a"}]}
    jsonl(tmp_path / "t.jsonl", [talk, talk])
    tags = {"role_tag": "who", "content_tag": "says", "user_tag": "U", "assistant_tag": "B"}
    entry = {"file_name": "t.jsonl", "formatting": "sharegpt", "columns": {"messages": "talk"}, "tags": tags}
    (tmp_path / "dataset_info.json").write_text(json.dumps({"t": {**entry, "num_samples": 1}}), encoding="utf-8")
    loaded = load_dataset("t", dataset_dir=tmp_path)
    assert [turn.role for turn in loaded.conversations[0].messages] == ["user", "assistant"]
    assert len(loaded) == 1
    assert "first 1 rows" in loaded.notes[0].text()


@pytest.mark.parametrize(
    ("text", "said"), [("{", "is not a registry"), ("[]", "is not a registry"), ('{"a": {"columns": 3}}', "“columns”")]
)
def test_broken_registry_is_named(tmp_path: Path, text: str, said: str) -> None:
    raw(tmp_path / "dataset_info.json", text)
    with pytest.raises(DataError, match=said):
        load_dataset("a", dataset_dir=tmp_path)
