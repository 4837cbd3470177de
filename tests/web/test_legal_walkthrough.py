"""The legal way in a real browser: documents, the question of the walk-through, its follow-up, every citation, curl."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tools.legal_walkthrough import documents
from tools.screenshot import Browser

from tests.faults.children import give_model
from tests.support.server import Server
from tests.web.legal_walk import FOLLOW_UP, QUESTION, LegalWalk


@pytest.mark.parametrize(
    ("width", "language"),
    [pytest.param(1440, "zh", marks=pytest.mark.slow), pytest.param(390, "en", marks=pytest.mark.long)],
)
def test_the_legal_way_through(tmp_path: Path, tiny_model: Path, tab: Browser, width: int, language: str) -> None:
    give_model(tiny_model)
    pictures = Path(os.environ.get("METIER_PICTURES") or tmp_path / "pictures")
    server = Server(tmp_path / "bench", METIER_OFFLINE="1")  # the specialist's own model is not here: it quotes
    walk = LegalWalk(server, tab, width, language, pictures)
    try:
        walk.sign_up()
        walk.documents("labour-law", documents(None), 120)
        assert walk.look_up("labour-law", "加班费 计算基数 劳动合同 约定工资")
        walk.converse("legal")
        (answer,) = walk.ask(QUESTION, 60)
        assert "8000 ÷ 174" in answer
        assert "43.10" in answer  # 8000 and 3000, an hour of a weekday; no hours were said, so there is no sum
        assert len(walk.details()["steps"]) >= 4
        cited = walk.open_citations()
        assert cited
        assert all(words.strip() for _, words in cited)
        (after,) = walk.ask(FOLLOW_UP, 60)
        assert "20 h × 12" in after  # the year was said before, the hours now
        assert "审批" in after
        walk.station("follow-up")
        message = walk.curl("legal", QUESTION)["choices"][0]["message"]
        assert "8000 ÷ 174" in message["content"]
        assert message["annotations"]
        assert walk.wide == []
        assert tab.messages == []
    finally:
        walk.server.close()
