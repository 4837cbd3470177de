"""Real public sets beside the project load as they are."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from metier.core.errors import DataError
from metier.data import list_datasets, load_dataset, parse_columns

DEMOS = {"alpaca_en_demo": 999, "alpaca_zh_demo": 1000, "identity": 91, "mllm_demo": 6, "glaive_toolcall_zh_demo": 300}


def test_published_registry_loads_unchanged_with_each_demo_set(shared_data: Path) -> None:
    ready = [
        info.name
        for info in list_datasets(shared_data / "formats")
        if info.origin == "folder" and info.status == "ready"
    ]
    assert sorted(ready) == sorted(DEMOS)
    for name, rows in DEMOS.items():
        assert len(load_dataset(name, dataset_dir=shared_data / "formats")) == rows


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("dpo_zh_demo", "DPO"),
        ("kto_en_demo", "KTO"),
        ("glaive_toolcall_en_demo", r"missing: .*glaive_toolcall_en_demo\.json"),
        ("alpaca_zh", "Hugging Face: llamafactory/alpaca_zh"),
    ],
)
def test_what_cannot_be_loaded_says_why(shared_data: Path, name: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        load_dataset(name, dataset_dir=shared_data / "formats")


def test_thousands_of_real_rows_load_fast(shared_data: Path) -> None:
    start = time.perf_counter()
    assert len(load_dataset(str(shared_data / "medical" / "qa_zh.jsonl"))) == 8658
    assert time.perf_counter() - start < 2


def test_exam_loads_but_for_one_named_row(shared_data: Path) -> None:
    path = str(shared_data / "medical" / "exam_dev.jsonl")
    with pytest.raises(DataError, match="row 486"):
        load_dataset(path)
    loaded = load_dataset(path, skip_bad_rows=True)
    assert (len(loaded), [problem.fields["row"] for problem in loaded.skipped]) == (4810, [486])


def test_law_texts_decode_alike_in_every_encoding(shared_data: Path) -> None:
    files = sorted((shared_data / "law" / "encodings").glob("*.txt"))
    loaded = [load_dataset(str(file), allow_text=True) for file in files]
    assert {one.encoding for one in loaded} == {"utf-8-sig", "utf-16", "gb18030"}
    assert len({tuple(talk.label for talk in one.conversations) for one in loaded}) == 1


def test_chart_questions_load_by_mapping(shared_data: Path) -> None:
    columns = parse_columns("prompt=question,response=answer,reasoning=reasoning,images=image")
    loaded = load_dataset(str(shared_data / "finance" / "charts" / "train.jsonl"), columns=columns)
    assert len(loaded) == 400
    assert all(len(talk.messages[0].images) == 1 for talk in loaded.conversations)
