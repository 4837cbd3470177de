"""Pictures in the chat as a reader brings them: chosen, dropped, pasted, taken back; and a model that takes none."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image
from tools.screenshot import Browser

from metier.models import add_model
from metier.workbench.accounts import Person
from metier.workbench.chatsetup import ChatSetup
from metier.workbench.workbench import Workbench
from tests.faults.children import give_model
from tests.support.tiny_vision import drawing, tiny_mllama
from tests.web.test_chat import press_enter, signed_in

pytestmark = pytest.mark.slow
# A file as the clipboard or a hand of the reader's brings it
BRING = """(async () => {{
  const canvas = Object.assign(document.createElement('canvas'), {{ width: 60, height: 40 }});
  canvas.getContext('2d').fillRect(5, 5, 30, 20);
  const blob = await new Promise(done => canvas.toBlob(done, 'image/png'));
  const carried = new DataTransfer();
  carried.items.add(new File([blob], '{name}', {{ type: 'image/png' }}));
  {event}
}})()"""
PASTE = (
    "document.querySelector('#chat-ask textarea')"
    ".dispatchEvent(new ClipboardEvent('paste', { clipboardData: carried, bubbles: true, cancelable: true }));"
)
DROP = "window.dispatchEvent(new DragEvent('drop', { dataTransfer: carried, bubbles: true, cancelable: true }));"
SENT = (
    "document.querySelectorAll('#chat-pictures img').length == {count}"
    " && !document.querySelector('#chat-pictures progress')"
)


def test_pictures_are_chosen_dropped_pasted_taken_back_and_asked_about(
    served: str, tab: Browser, workbench: Workbench, owner: Person, tmp_path: Path, talking_model: Path
) -> None:
    add_model(str(tiny_mllama(tmp_path / "vision")), name="charts")
    give_model(talking_model)
    signed_in(tab, served, workbench, owner)
    tab.open(served + "/chat?model=tiny", width=390)
    assert tab.evaluate("document.querySelector('#chat-attach').disabled")
    assert "tiny takes no pictures" in tab.evaluate("document.querySelector('#chat-attach-why').innerText")
    tab.open(served + "/chat?model=charts", width=1440)
    drawing(seed=1).save(tmp_path / "a.png")
    tab.choose_files("#chat-picture", tmp_path / "a.png")
    tab.wait_for(SENT.format(count=1))
    tab.evaluate(BRING.format(name="pasted.png", event=PASTE))
    tab.evaluate(BRING.format(name="dropped.png", event=DROP))
    tab.wait_for(SENT.format(count=3))
    tab.evaluate("document.querySelector('[aria-label=\"Remove pasted.png\"]').click()")
    tab.wait_for(SENT.format(count=2))
    folder = workbench.pictures.folder / owner.id
    tab.fill("[name=max_new_tokens]", "6")
    tab.fill("#chat-ask textarea", "Which is larger?")
    press_enter(tab)
    tab.wait_for("location.pathname.length > 6 && !!document.querySelector('.answer-whole')", 60)
    assert tab.evaluate("document.querySelectorAll('.question-pictures img').length") == 2
    tab.wait_for("[...document.querySelectorAll('.question-pictures img')].every(one => one.naturalWidth > 0)")
    assert {Image.open(path).size for path in folder.glob("*.png")} == {(64, 40), (60, 40)}
    assert tab.messages == []
    # What is no picture is refused in words.
    (tmp_path / "no.png").write_bytes(b"<svg onload=alert(1)>")
    tab.choose_files("#chat-picture", tmp_path / "no.png")
    tab.wait_for("document.querySelector('.toast-problem')")
    assert tab.evaluate("document.querySelectorAll('#chat-pictures li').length") == 0


def test_a_question_without_pictures_is_shown_as_ever(workbench: Workbench, owner: Person, client: TestClient) -> None:
    client.cookies.set("metier", workbench.accounts.sign_in_as(owner))
    chat = workbench.chats.create(owner, ChatSetup()).id
    workbench.chats.put_question(owner, chat, "Are <b>you</b> there?", {}, lambda asked: None)
    page = client.get(f"/chat/{chat}")
    assert page.status_code == 200
    assert "Are &lt;b&gt;you&lt;/b&gt; there?" in page.text
