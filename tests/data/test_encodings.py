from __future__ import annotations

import json
from pathlib import Path

import pytest

from metier.core.errors import DataError
from metier.data import load_dataset
from tests.data.writing import raw

LINE = (
    json.dumps(
        {"instruction": "一名患者头痛发热三天，应该怎么办？", "output": "建议多休息，必要时就医。"}, ensure_ascii=False
    )
    + "\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030"])
def test_encoding_is_decided_and_reported(tmp_path: Path, encoding: str) -> None:
    loaded = load_dataset(raw(tmp_path / "a.jsonl", LINE.encode(encoding)))
    assert loaded.encoding == encoding
    assert loaded.conversations[0].label == "建议多休息，必要时就医。"
    assert [note.text() for note in loaded.notes] == (
        [] if encoding == "utf-8" else [f"The file is read as {encoding.upper()}."]
    )


def test_mixed_encodings_are_refused_with_both_lines(tmp_path: Path) -> None:
    for number, content in enumerate(
        ((LINE * 2).encode() + LINE.encode("gb18030"), LINE.encode("gb18030") * 9 + LINE.encode())
    ):
        with pytest.raises(DataError, match="mixes encodings") as caught:
            load_dataset(raw(tmp_path / f"{number}.jsonl", content))
        assert (caught.value.fields["utf8_line"], caught.value.fields["line"]) == ((1, 3), (10, 1))[number]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_western_encodings_are_refused_by_place(tmp_path: Path, encoding: str) -> None:
    content = '{"instruction": "é à la carte", "output": "naïve façade déjà vu"}\n'.encode(encoding)
    with pytest.raises(DataError, match=r"a\.jsonl:2: byte 20 is neither UTF-8 nor Chinese GB18030"):
        load_dataset(raw(tmp_path / "a.jsonl", b"{}\n" + content))


def test_broken_utf8_chinese_is_not_taken_for_gb18030(tmp_path: Path) -> None:
    content = LINE.encode()
    with pytest.raises(DataError):
        load_dataset(raw(tmp_path / "a.jsonl", content[:60] + content[61:]))


def test_utf16_without_a_mark_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="UTF-16 without a byte-order mark"):
        load_dataset(raw(tmp_path / "a.jsonl", ('{"instruction": "abc", "output": "d"}\n' * 3).encode("utf-16-le")))


def test_half_a_character_behind_a_mark_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not UTF-8-SIG"):
        load_dataset(raw(tmp_path / "a.jsonl", b"\xef\xbb\xbf" + LINE.encode("gb18030")))


FOREIGN = {
    "euc-kr": "환자는 사흘 동안 두통과 발열이 있었습니다. 어떻게 치료해야 합니까? 충분한 휴식을 취하십시오.",
    "euc-jp": "患者は三日間頭痛と発熱がありました。どのように治療すればよいですか。",
    "shift-jis": "患者は三日間頭痛と発熱がありました。どのように治療すればよいですか。",
    "big5": "一名患者頭痛發熱三天，應該怎麼辦？建議多休息，必要時就醫。",
    "koi8-r": "Пациент жалуется на головную боль и температуру три дня.",
}


@pytest.mark.parametrize("encoding", FOREIGN)
def test_other_asian_encodings_are_not_taken_for_gb18030(tmp_path: Path, encoding: str) -> None:
    line = json.dumps({"instruction": FOREIGN[encoding], "output": "OK"}, ensure_ascii=False)
    with pytest.raises(DataError, match="neither UTF-8 nor Chinese GB18030"):
        load_dataset(raw(tmp_path / "a.jsonl", line.encode(encoding)))
