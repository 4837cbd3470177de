"""The pages Models in a real browser: what fits, and a model on its way."""

from __future__ import annotations

from pathlib import Path

import pytest
from tools.screenshot import Browser

from metier.core.files import append_jsonl
from metier.workbench import layout
from metier.workbench.workbench import Workbench
from tests.faults.children import give_model
from tests.support.bench import PASSWORD
from tests.web.axe import serious

pytestmark = pytest.mark.slow


def test_models_are_found_fetched_with_progress_and_called_back(
    served: str, tab: Browser, workbench: Workbench, tiny_model: Path
) -> None:
    give_model(tiny_model)
    tab.open(f"{served}/sign-up", width=390)
    tab.fill("[name=name]", "li")
    tab.fill("[name=password]", PASSWORD)
    tab.submit(".fields button")
    tab.open(f"{served}/models?search=qwen3+8b", width=390)
    assert tab.evaluate("document.querySelectorAll('.models-table tbody tr').length") == 2
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert serious(tab) == []
    workbench.scheduler.stop()  # nothing is fetched in tests: the job waits, and tells what is written here
    tab.open(f"{served}/models/smollm2-135m", width=1440)
    assert serious(tab) == []
    tab.submit(".head-acts form button")
    (job,) = workbench.jobs.queue()
    event = {"event": "progress", "step": 46_000_000, "total": 92_000_000, "unit": "bytes", "eta_seconds": 4}
    append_jsonl(workbench.jobs.folder_of(job) / layout.EVENTS, [{"of": "fetch", **event}])
    tab.wait_for("document.querySelector('[data-words]').textContent.startsWith('46.0 MB / 92.0 MB · 50 %')")
    assert tab.evaluate("document.querySelector('.fetching progress').position") == 0.5
    tab.submit(".fetching form button")
    tab.wait_for("!document.querySelector('.fetching') && !!document.querySelector('.head-acts form button')")
    assert workbench.jobs.queue() == []
    tab.open(f"{served}/models/tiny", width=1440)
    assert tab.evaluate("!!document.querySelector('a[href=\"/fine-tune?model=tiny\"]')")
    assert tab.messages == []
