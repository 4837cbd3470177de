"""The frame of the pages: sign-up to home in a real browser, two languages, and nothing from elsewhere."""

from __future__ import annotations

import pytest
from tools.screenshot import Browser

from tests.support.bench import PASSWORD


@pytest.mark.slow
def test_the_first_visitor_signs_up_and_changes_the_language(served: str, tab: Browser) -> None:
    tab.open(served + "/", width=390)
    assert tab.evaluate("location.pathname") == "/sign-up"
    tab.fill("[name=name]", "<b>李</b>")
    tab.fill("[name=password]", PASSWORD)
    tab.submit(".fields button")
    assert tab.evaluate("document.querySelector('h1').textContent") in ("Home", "首页")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.open(served + "/", width=1440)
    tab.submit(".wide button[value=zh]")
    assert tab.evaluate("document.querySelector('h1').textContent") == "首页"
    assert tab.evaluate("document.documentElement.lang") == "zh-CN"
    assert "<b>李</b>" in tab.evaluate("document.querySelector('.wide').textContent")
    tab.submit(".wide button[value=dark]")
    assert tab.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    assert tab.messages == []
    assert [address for address in tab.requests if not address.startswith(served)] == []


@pytest.mark.slow
def test_every_entry_of_the_menu_leads_to_a_page(served: str, tab: Browser) -> None:
    tab.open(served + "/", width=1440)
    tab.fill("[name=name]", "li")
    tab.fill("[name=password]", PASSWORD)
    tab.submit(".fields button")
    entries = tab.evaluate("[...document.querySelectorAll('.wide a.entry')].map(a => a.getAttribute('href'))")
    for address in entries:
        tab.open(served + address, width=1440)
        assert tab.evaluate("document.querySelector('.wide .here')?.getAttribute('href')") == address
    assert tab.messages == []
