"""Every file type gives the same rows, all characters, and right row numbers."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import openpyxl
import pyarrow
import pyarrow.parquet
import pytest

from metier.core.errors import DataError
from metier.data import load_dataset
from tests.data.writing import QA, jsonl, raw

ODD = 'quote " comma , line\nbreak\u2028\u0085 tab\t 𠮷😀 \u200b end'
ROW = {"instruction": ODD, "input": "", "output": "答\r\n复"}


def _write(path: Path) -> None:
    if path.suffix == ".json":
        path.write_text(json.dumps([ROW], ensure_ascii=False), encoding="utf-8")
    elif path.suffix == ".csv":
        lines = ["instruction,input,output", '"' + ODD.replace('"', '""') + '",,"答\r\n复"']
        path.write_bytes("\r\n".join([*lines, ""]).encode("utf-8-sig"))
    elif path.suffix == ".parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist([ROW]), path)
    elif path.suffix == ".gz":
        path.write_bytes(gzip.compress(json.dumps(ROW).encode()))
    else:
        jsonl(path, [ROW])


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.jsonl.gz", "a.csv", "a.parquet"])
def test_no_character_is_lost(tmp_path: Path, name: str) -> None:
    _write(tmp_path / name)
    loaded = load_dataset(str(tmp_path / name)).conversations[0]
    assert (loaded.messages[0].text, loaded.label) == (ODD, "答\r\n复")


def test_xlsx_reads_the_first_sheet_and_says_so(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for cells in (["instruction", "output"], ["两加二？\n请答", 4], [None, None], ["b", 2.5]):
        sheet.append(cells)
    book.create_sheet("other").append(["x"])
    book.save(tmp_path / "a.xlsx")
    loaded = load_dataset(str(tmp_path / "a.xlsx"))
    assert [(t.row, t.messages[0].text, t.label) for t in loaded.conversations] == [
        (1, "两加二？\n请答", "4"),
        (2, "b", "2.5"),
    ]
    assert "not read: other" in loaded.notes[0].text()


def test_xlsx_error_names_the_row_as_excel_counts(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for cells in (["instruction", "output"], ["a", "b"], ["c", None]):
        book.active.append(cells)
    book.save(tmp_path / "a.xlsx")
    with pytest.raises(DataError, match=r"a\.xlsx:3, row 2, message 2: the answer is empty"):
        load_dataset(str(tmp_path / "a.xlsx"))


def test_damaged_xlsx_and_parquet_are_named(tmp_path: Path) -> None:
    for name in ("a.xlsx", "a.parquet", "a.jsonl.gz"):
        with pytest.raises(DataError, match="damaged") as caught:
            load_dataset(raw(tmp_path / name, b"not that"))
        assert name in str(caught.value)


def test_csv_rows_are_records_and_places_are_lines(tmp_path: Path) -> None:
    path = raw(tmp_path / "a.csv", 'prompt,response\n"one\ntwo\nthree",x\n\n"four\nfive",\n')
    with pytest.raises(DataError, match=r"a\.csv:6, row 2, message 2: the answer is empty"):
        load_dataset(path)


def test_csv_with_a_field_too_many_or_an_open_quote_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"a\.csv:3, row 2: has 3 fields, the header has 2"):
        load_dataset(raw(tmp_path / "a.csv", "prompt,response\na,b\nc,d,e\n"))
    with pytest.raises(DataError, match=r"b\.csv:2, row 1: malformed CSV"):
        load_dataset(raw(tmp_path / "b.csv", 'prompt,response\na,"b\nc,d\n'))


@pytest.mark.parametrize(("header", "said"), [("prompt,prompt", "twice"), ("prompt,", "column 2 has no name")])
def test_csv_header_must_name_each_column_once(tmp_path: Path, header: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        load_dataset(raw(tmp_path / "a.csv", f"{header}\na,b\n"))


def test_json_list_error_names_line_column_and_row(tmp_path: Path) -> None:
    text = '[\n {"instruction": "a", "output": "b"},\n {"instruction": "c" "output": "d"}\n]'
    with pytest.raises(DataError, match=r"a\.json:3, row 2, column 22: malformed JSON"):
        load_dataset(raw(tmp_path / "a.json", text))


@pytest.mark.parametrize("ending", ["", "{}", '{"instruction": 1', "] x"])
def test_json_list_that_breaks_off_or_goes_on_is_refused(tmp_path: Path, ending: str) -> None:
    with pytest.raises(DataError, match="malformed JSON"):
        load_dataset(raw(tmp_path / "a.json", f"[{json.dumps(QA)}{ending}"))


def test_blank_lines_do_not_count_as_rows(tmp_path: Path) -> None:
    path = raw(tmp_path / "a.jsonl", f"{json.dumps(QA)}\r\n\r\n{json.dumps(QA)}\r\nnonsense\r\n")
    with pytest.raises(DataError, match=r"a\.jsonl:4, row 3, column 1: malformed JSON"):
        load_dataset(path)


def test_json_of_one_object_is_named_as_such(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"is one JSON object \(with data\)"):
        load_dataset(raw(tmp_path / "a.json", json.dumps({"data": [QA]}, indent=1)))
