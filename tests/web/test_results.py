"""Evaluations and reports in a real browser: hostile answers are inert, definitions one click away, links shared."""

from __future__ import annotations

import pytest
from tools.screenshot import Browser

from metier.workbench.accounts import Person
from metier.workbench.workbench import Workbench
from tests.support.bench import PASSWORD
from tests.support.finished import add_job, answers, recipe_job

HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=1</script>**x**'


def sign_in(tab: Browser, served: str, width: int = 1440) -> None:
    tab.open(served + "/sign-in", width=width)
    tab.fill("[name=name]", "li")
    tab.fill("[name=password]", PASSWORD)
    tab.submit(".fields button")


@pytest.mark.slow
def test_scores_rows_and_report_are_read_and_shared(
    served: str, workbench: Workbench, owner: Person, tab: Browser
) -> None:
    job = recipe_job(workbench, owner, tuned=answers(12, 10, said={3: HOSTILE}), title=HOSTILE)
    sign_in(tab, served)
    tab.open(f"{served}/evaluate/{job.id}", width=390)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.click("[popovertarget=definition-choice_accuracy]")
    assert "letters read from the answer" in tab.evaluate(
        "document.querySelector('#definition-choice_accuracy:popover-open').textContent"
    )
    first = tab.evaluate("[...document.querySelectorAll('.answer-row')].map(one => one.textContent).join()")
    assert HOSTILE in first and tab.evaluate("document.querySelectorAll('img, .answer-row script').length") == 0
    tab.submit(".pills a:nth-child(2)")
    assert tab.evaluate("document.querySelectorAll('.beside').length") == 0
    tab.open(f"{served}/reports/{job.id}", width=1440)
    tab.wait_for("document.getElementById('report').clientHeight > 1500")
    assert tab.evaluate("document.getElementById('report').contentDocument.querySelectorAll('script').length") == 0
    tab.evaluate("document.getElementById('report').contentWindow.print = () => { window.printed = true }")
    tab.click("#print")
    assert tab.evaluate("window.printed") is True
    tab.click("[popovertarget=share]")
    tab.click("#share-form button")
    link = tab.wait_for("document.getElementById('share-link').textContent")
    tab.evaluate("window.confirm = () => true")
    assert workbench.shares.list(owner, job.id)
    tab.click("#share-list li button")
    tab.wait_for("document.querySelectorAll('#share-list li').length === 0")
    assert workbench.shares.list(owner, job.id) == []
    assert tab.messages == []
    assert [one for one in tab.requests if not one.startswith((served, "data:"))] == []
    tab.open(link)
    assert tab.evaluate("document.title") != "1" and "404" in tab.evaluate("document.body.textContent")


@pytest.mark.slow
def test_a_wrong_parameter_is_marked_and_a_right_form_starts(
    served: str, workbench: Workbench, owner: Person, tab: Browser
) -> None:
    job = recipe_job(workbench, owner)
    (workbench.jobs.folder_of(job) / "run/steps/train/adapter").mkdir(parents=True)
    remembers = add_job(workbench, owner, "train", title="Other", dataset="medical_demo_en_test")
    seen = "document.getElementById('evaluate-seen')"
    sign_in(tab, served)
    tab.open(f"{served}/evaluate?model=run:{remembers.id}", width=1440)
    assert tab.evaluate(f"{seen}.innerText") == ""
    tab.fill("#evaluate-set", "medical_demo_en_test")
    assert "how much it remembers" in tab.evaluate(f"{seen}.innerText")
    tab.open(f"{served}/evaluate?model=run:{job.id}", width=1440)
    assert "smollm2-135m" in tab.evaluate("document.querySelector('#evaluate-against').textContent")
    tab.fill("[name='predict.top_p']", "1.5")
    assert "1" in tab.evaluate("document.getElementById('predict-top_p-wrong').textContent")
    tab.fill("#evaluate-set", "medical_demo_en_test")
    tab.click("#evaluate-form [type=submit]")
    assert tab.evaluate("document.activeElement.name") == "predict.top_p"
    tab.fill("[name='predict.top_p']", "0.8")
    assert tab.evaluate(f"{seen}.classList.contains('hidden')")
    tab.submit("#evaluate-form [type=submit]")
    tab.wait_for("location.pathname.startsWith('/evaluate/') && document.readyState === 'complete'")
    made = workbench.jobs.page(owner, kinds=("score",)).jobs[0]
    assert made.title == "Evaluate · Medical · medical_demo_en_test"
    assert made.spec["asked"]["predict"]["top_p"] == 0.8
    assert made.spec["asked"]["base_model_name_or_path"] == "smollm2-135m"
    tab.open(f"{served}/evaluate?run={made.id}", width=390)
    assert tab.evaluate("document.getElementById('predict-top_p').value") == "0.8"
    assert tab.evaluate("document.getElementById('evaluate-model').value") == f"run:{job.id}"
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert tab.messages == []
