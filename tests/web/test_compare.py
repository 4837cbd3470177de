"""Compare and blind review in a real browser: choosing, reading, judging by keys; hostile answers stay inert."""

from __future__ import annotations

import re

import pytest
from tools.screenshot import Browser

from metier.workbench.accounts import Person
from metier.workbench.workbench import Workbench
from tests.support.bench import PASSWORD
from tests.support.ended import recipe_run

HOSTILE = "<img src=x onerror=console.error('ran')><script>console.error('ran')</script>"


def sign_in(tab: Browser, served: str, address: str = "/") -> None:
    tab.open(f"{served}/sign-in?next={address}", width=1440)
    tab.fill("[name=name]", "li")
    tab.fill("[name=password]", PASSWORD)
    tab.submit(".fields button")


@pytest.mark.slow
def test_a_recipe_run_is_chosen_compared_and_judged_blind(
    owner: Person, workbench: Workbench, served: str, tab: Browser
) -> None:
    job = recipe_run(workbench, owner, HOSTILE, base_words=f"BASE {HOSTILE}", tuned_words=f"TUNED {HOSTILE}")
    recipe_run(workbench, owner, "Other", changes={"train.learning_rate": 2e-4})
    sign_in(tab, served, "/compare")
    tab.click(f"#run-{job.id}")
    tab.submit("main .btn-primary")
    assert tab.evaluate("location.search") == f"?runs={job.id}"
    assert "83.3 %" in tab.evaluate("document.querySelector('.compare-scores').innerText")
    tab.wait_for("!!document.querySelector('#curves canvas')")
    tab.wait_for("!!document.querySelector('.compare-row')", 60)
    assert tab.evaluate("document.querySelector('.compare-row mark').textContent") == "BASE"
    tab.click(".compare-views a:nth-child(4)")
    tab.wait_for("document.querySelector('.compare-views [aria-current]').textContent.includes('14')")
    assert tab.evaluate("document.querySelector('.compare-row h3').textContent") == "Row 7"

    tab.click(".compare-review summary")
    tab.fill(".compare-review [name=rows]", "3")
    tab.submit(".compare-review .btn-primary")
    link = tab.evaluate("document.getElementById('review-link').textContent")
    tab.submit("main .btn-primary")
    for row in (1, 2, 3):
        html = tab.evaluate("document.documentElement.outerHTML")
        assert job.id not in html and not re.search(r"tuned|\bbase\b(?!-|_)", html, flags=0)
        key = "ArrowLeft" if "TUNED" in tab.evaluate("document.querySelector('.compare-side').innerText") else "2"
        tab.evaluate(f"document.dispatchEvent(new KeyboardEvent('keydown', {{key: '{key}', bubbles: true}}))")
        tab.wait_for("location.search.includes('saved=') " if row < 3 else "!!document.querySelector('.figures')")
        if row < 3:
            tab.wait_for(f"document.querySelector('.review-saved')?.textContent.includes('row {row} saved')")
    assert tab.evaluate("document.querySelector('.figures').innerText").split("\n")[5] == "3"
    tab.open(link, width=390)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert tab.messages == []
    assert [address for address in tab.requests if not address.startswith((served, "data:"))] == []


@pytest.mark.slow
def test_a_reviewer_judges_by_a_rubric_and_reads_each_dimension(
    owner: Person, workbench: Workbench, served: str, tab: Browser
) -> None:
    job = recipe_run(workbench, owner, base_words="BASE", tuned_words="TUNED")
    review, token = workbench.reviews.create(
        owner, f"{job.id}.base", f"{job.id}.tuned", title="By seven", rows=1, rubric="legal"
    )
    sign_in(tab, served, f"/reviews/{review.id}?token={token}")
    assert "Chain of evidence" in tab.evaluate("document.querySelector('main').innerText")
    tab.submit("main .btn-primary")
    tab.evaluate("document.dispatchEvent(new KeyboardEvent('keydown', {key: '1', bubbles: true}))")
    assert tab.evaluate("location.pathname").endswith("/judge")  # nothing is sent while a dimension waits
    side = "left" if "TUNED" in tab.evaluate("document.querySelector('.compare-side').innerText") else "right"
    tab.evaluate(f"document.querySelectorAll('.review-scale [value={side}]').forEach((one) => one.click())")
    tab.evaluate("document.activeElement.blur()")
    tab.evaluate(
        f"document.dispatchEvent(new KeyboardEvent('keydown', {{key: '{1 if side == 'left' else 2}', bubbles: true}}))"
    )
    tab.wait_for("!!document.querySelector('.figures')")
    tables = tab.evaluate("document.querySelector('main').innerText")
    assert "By dimension" in tables
    tab.open(f"{served}/reviews/{review.id}", width=390)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    assert tab.messages == []
