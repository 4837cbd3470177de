"""The pages Datasets in a real browser: from a file with odd columns to its rows as the model sees them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import openpyxl
import pytest
from tools.screenshot import Browser

from tests.faults.children import give_model
from tests.support.bench import PASSWORD
from tests.support.tiny_vision import drawing
from tests.web.axe import serious

pytestmark = pytest.mark.slow
HOSTILE = "<img src=x onerror=document.title='owned'>"


def sign_in(tab: Browser, served: str, *, width: int = 1440) -> None:
    """Signs the first account in."""
    tab.open(f"{served}/sign-up", width=width)
    tab.fill("[name=name]", "li")
    tab.fill("[name=password]", PASSWORD)
    tab.submit(".fields button")


def arrived(tab: Browser, path: str) -> None:
    tab.wait_for(f"decodeURI(location.pathname) === {json.dumps(path)} && document.readyState === 'complete'")


def test_an_excel_file_is_dropped_mapped_registered_and_seen_by_the_model(
    served: str, tab: Browser, tmp_path: Path, tiny_model: Path
) -> None:
    give_model(tiny_model)
    book = openpyxl.Workbook()
    book.active.append(["编号", "咨询内容", "医生答复", "类别"])
    for row in ([1, f"头晕{HOSTILE}", "请先测量血压。", "内科"], [2, "咳嗽", "多喝水。", "内科"], [3, "空", "", "–"]):
        book.active.append(row)
    book.save(tmp_path / "问诊 2026.xlsx")
    sign_in(tab, served)
    tab.open(f"{served}/datasets", width=1440)
    assert serious(tab) == []
    tab.choose_files("#file", tmp_path / "问诊 2026.xlsx")
    arrived(tab, "/datasets/new")
    tab.open(tab.evaluate("location.href"), width=1440)  # an upload has an address
    assert serious(tab) == []
    selects = "[...document.querySelectorAll('select[data-column]')]"
    chosen = tab.evaluate(f"Object.fromEntries({selects}.map(one => [one.dataset.column, one.value]))")
    assert chosen == {"编号": "id", "咨询内容": "prompt", "医生答复": "response", "类别": ""}
    tab.fill("select[data-column=类别]", "meta")  # a text is a note, too
    tab.fill("select[data-column=医生答复]", "")
    tab.wait_for("!document.getElementById('look-needs').classList.contains('hidden')")
    tab.click("#register")
    assert tab.evaluate("document.activeElement.dataset.column") == "编号"
    assert "--" not in tab.evaluate("document.body.innerText")  # the page's own words
    tab.fill("select[data-column=医生答复]", "response")
    tab.wait_for("document.getElementById('look-needs').classList.contains('hidden')")
    tab.wait_for("document.getElementById('look-problem').innerText.includes('row 3')")
    assert tab.evaluate("document.getElementById('name').value") == "问诊-2026"
    tab.fill("#name", "问诊 2026")
    tab.click("#register")
    assert "Chinese" in tab.evaluate("document.getElementById('name-wrong').innerText")
    tab.fill("#name", "问诊-2026")
    assert tab.evaluate("document.getElementById('name-wrong').innerText") == ""
    tab.click("#register")
    tab.wait_for("document.getElementById('register-problem').innerText.includes('row 3')")
    tab.click("#skip")
    tab.wait_for("document.getElementById('look-good').innerText.includes('question–answer table')")
    tab.click("#register")
    arrived(tab, "/datasets/问诊-2026")
    assert tab.evaluate("document.querySelectorAll('.rows-table tbody tr').length") == 3
    words = tab.evaluate("document.querySelector('main').innerText")
    assert "2 of 3 rows (1 left out as you chose)" in words
    assert "Left out as you chose" in words
    assert not tab.evaluate("!!document.querySelector('main .wrong, main .problem')")
    tab.evaluate("history.back()")
    arrived(tab, "/datasets")  # and not the upload, which is no more
    tab.open(f"{served}/datasets/问诊-2026?row=1&model=tiny", width=390)
    tab.wait_for("!!document.querySelector('.tokens')", 60)
    learnt = tab.evaluate("[...document.querySelectorAll('.tok.learnt')].map(t => t.textContent).join('')")
    assert "请先测量血压。" in learnt and "头晕" not in learnt
    assert HOSTILE in tab.evaluate("document.querySelector('.tokens').textContent")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert serious(tab) == []
    assert tab.evaluate("document.title") != "owned"
    # The browser itself notes the one refused registration.
    assert [one for one in tab.messages if "422" not in one] == []
    assert [address for address in tab.requests if not address.startswith((served, "data:"))] == []


def test_findings_of_a_check_lead_to_their_rows(served: str, tab: Browser, tmp_path: Path, tiny_model: Path) -> None:
    give_model(tiny_model)
    words = ("a fever", "a cough", "a fever")
    rows = [{"instruction": f"What is {word}?", "input": "", "output": word} for word in words]
    (tmp_path / "signs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    sign_in(tab, served, width=390)
    tab.open(f"{served}/datasets", width=390)
    tab.choose_files("#file", tmp_path / "signs.jsonl")
    arrived(tab, "/datasets/new")
    tab.click("#register")
    arrived(tab, "/datasets/signs")
    tab.open(f"{served}/datasets/signs?tab=check&model=tiny", width=390)
    tab.submit(".inline-form button")
    tab.wait_for("!!document.querySelector('#duplicates a')", 90)
    assert serious(tab) == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.submit("#duplicates a")
    assert tab.evaluate("document.querySelector('[name=row]').value") == "3"
    tab.open(f"{served}/datasets", width=390)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.submit("#own form[data-ask] button")  # the tab says yes to what it is asked
    assert "signs" not in tab.evaluate("document.getElementById('own').innerText")
    assert tab.messages == []


def test_an_upload_is_refused_with_a_reason_and_can_be_called_back(served: str, tab: Browser, tmp_path: Path) -> None:
    (tmp_path / "notes.pdf").write_bytes(b"%PDF")
    (tmp_path / "large.jsonl").write_bytes(b" " * 30_000_000)
    sign_in(tab, served)
    tab.open(f"{served}/datasets", width=1440)
    tab.choose_files("#file", tmp_path / "notes.pdf")
    tab.wait_for("document.getElementById('drop-problem').innerText.includes('.jsonl')")
    # Slow enough that there is something to call back.
    tab.call(
        "Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=500_000
    )
    tab.choose_files("#file", tmp_path / "large.jsonl")
    tab.wait_for("document.getElementById('sending-bar').value > 0")
    tab.click("#sending-cancel")
    tab.wait_for("document.getElementById('drop-problem').innerText.includes('Cancelled')")
    tab.call("Network.emulateNetworkConditions", offline=False, latency=0, downloadThroughput=-1, uploadThroughput=-1)
    tab.open(f"{served}/datasets", width=1440)
    assert "large.jsonl" not in tab.evaluate("document.body.innerText")
    row = json.dumps({"instruction": "a", "input": "", "output": "b"})
    tab.evaluate(
        "(() => { const carried = new DataTransfer();"
        f" carried.items.add(new File([{json.dumps(row)}], 'dropped.jsonl'));"
        " const drop = new DragEvent('drop', {dataTransfer: carried, bubbles: true, cancelable: true});"
        " document.querySelector('.drop-zone').dispatchEvent(drop); })()"
    )
    arrived(tab, "/datasets/new")
    assert tab.evaluate("document.getElementById('name').value") == "dropped"


def test_a_zip_of_a_table_and_pictures_is_dropped_and_seen_beside_its_tokens(
    served: str, tab: Browser, tmp_path: Path
) -> None:
    for name, size in (("a.png", (64, 48)), ("b.png", (120, 60))):
        drawing(*size).save(tmp_path / name)
    row = {"图片": "图/a.png", "问题": "How high?", "答案": HOSTILE}
    with zipfile.ZipFile(tmp_path / "charts.zip", "w") as archive:
        archive.writestr("rows.jsonl", json.dumps(row) + "\n" + json.dumps({**row, "图片": ["图/a.png", "图/b.png"]}))
        for name in ("a.png", "b.png"):
            archive.write(tmp_path / name, f"图/{name}")
    sign_in(tab, served)
    tab.open(f"{served}/datasets", width=1440)
    tab.choose_files("#file", tmp_path / "charts.zip")
    arrived(tab, "/datasets/new")
    selects = "[...document.querySelectorAll('select[data-column]')]"
    chosen = tab.evaluate(f"Object.fromEntries({selects}.map(one => [one.dataset.column, one.value]))")
    assert chosen == {"图片": "images", "问题": "prompt", "答案": "response"}
    tab.click("#register")
    arrived(tab, "/datasets/charts")
    tab.wait_for("[...document.images].filter(one => one.complete && one.naturalWidth).length === 3")
    assert serious(tab) == []
    tab.open(f"{served}/datasets/charts?row=2", width=1440)
    tab.wait_for("document.querySelectorAll('.picture-tokens li').length === 2", 60)
    widths = "[...document.images].filter(one => one.naturalWidth).map(one => one.naturalWidth)"
    assert tab.evaluate(widths) == [64, 120]
    assert serious(tab) == []
    assert tab.evaluate("document.title") != "owned"
    tab.resize(390)
    assert tab.evaluate("document.documentElement.scrollWidth") == 390
