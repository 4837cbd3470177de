"""From sign-up to report in a real browser, at desktop and phone width, in Chinese and English, with a kill in between.

Pictures of every station go to the folder that `METIER_PICTURES` names, or to the test's own.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tools.screenshot import Browser

from tests.faults.children import give_model
from tests.support.server import Server
from tests.web.walk import Walk, odd_table

PARTS = ("头痛", "咳嗽", "发热", "腹痛", "乏力", "皮疹", "胸闷", "失眠", "耳鸣", "关节痛")
SPANS = ("两天", "三天", "一周", "半个月", "一个月")


@pytest.mark.parametrize(
    ("width", "language"),
    [
        pytest.param(1440, "zh", marks=pytest.mark.slow),
        pytest.param(390, "en", marks=pytest.mark.long),
        pytest.param(1440, "en", marks=pytest.mark.long),
        pytest.param(390, "zh", marks=pytest.mark.long),
    ],
)
def test_the_way_through(tmp_path: Path, tiny_model: Path, tab: Browser, width: int, language: str) -> None:
    give_model(tiny_model)
    rows = [(f"{part}{span}，怎么办？", f"建议先休息，{part}超过{span}请就医。") for part in PARTS for span in SPANS]
    table = odd_table(tmp_path / "咨询 记录.xlsx", rows)
    pictures = Path(os.environ.get("METIER_PICTURES") or tmp_path / "pictures")
    walk = Walk(Server(tmp_path / "bench"), tab, width, language, pictures)
    try:
        walk.sign_up()
        walk.bring(table, "cases")
        walk.see("cases", "tiny")
        run = walk.fine_tune(
            "/fine-tune?kind=recipe&dataset=cases&model=tiny",
            {
                "data.test_rows": "6",
                "data.guard": "",
                "cutoff_len": "256",
                "train.num_train_epochs": "4",
                "train.per_device_train_batch_size": "2",
                "train.gradient_accumulation_steps": "1",
                "train.logging_steps": "1",
                "train.save_steps": "10",
                "predict.max_new_tokens": "8",
            },
        )
        walk.train(run, kill_at=15, seconds=240)
        answer = walk.chat(run, "头痛三天，怎么办？ A. 休息 B. 就医", 120)
        assert answer
        walk.unload()
        walk.evaluate(run, "cases", {"max_samples": "6", "max_new_tokens": "8"}, 240)
        walk.report(run)
        walk.look_around("/", "/runs", f"/runs/{run}", f"/compare?runs={run}", "/models", "/reports")
        assert walk.wide == []
        assert tab.messages == []
        outside = [one for one in tab.requests if not one.startswith((walk.server.address, "data:", "blob:"))]
        assert outside == []
    finally:
        walk.server.kill()
