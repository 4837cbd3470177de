"""The legal way through the workbench, as a person with documents and a question goes it, in a real browser.

Used by the test on the product's own sample documents and by `tools/legal_walkthrough.py` on real statutes.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.web.walk import Walk

# The question of walk-through 2, word for word, and one that only makes sense after it.
QUESTION = (
    "我有考勤记录截图和与领导沟通加班的微信记录。劳动合同写的是月薪8000元，但公司一直按基本工资3000元为基数算加班费。"
    "我主张最近一年的。"
)
FOLLOW_UP = "那如果公司说这些加班没有经过审批，该怎么回应？另外我每月大约平时加班20小时、周末加班16小时，都没有补休。"
SIGN = {"zh": "✅ 文档已加载并索引！", "en": "✅ Documents loaded and indexed!"}
ANSWER = "#assistant-turns .exchange:last-child .answer"


class LegalWalk(Walk):
    """One visitor with documents."""

    def documents(self, base: str, files: Sequence[Path], seconds: float) -> None:
        """Makes a knowledge base, drops all files at once, and waits for the sign."""
        self.open("/knowledge")
        self.station("knowledge-empty")
        self.tab.fill("[name=name]", base)
        self.tab.submit("form[action='/knowledge'] [type=submit]")
        self.tab.choose_files("#file", *files)
        self.tab.wait_for(f"document.body.innerText.includes('{SIGN[self.language]}')", seconds)
        count = f"document.querySelectorAll('#documents table tbody tr').length === {len(files)}"
        self.tab.wait_for(count, 30)
        self.station("knowledge-read")

    def look_up(self, base: str, words: str) -> str:
        """Searches in the playground; the best passage's source."""
        self.open(f"/knowledge/{base}?tab=search&q={words}")
        self.tab.wait_for("!!document.querySelector('.knowledge-found a')")
        self.tab.evaluate("document.querySelector('.knowledge-found details').open = true")
        self.station("knowledge-search")
        return str(self.tab.evaluate("document.querySelector('.knowledge-found h2 a').textContent"))

    def converse(self, specialist: str, *, bare: bool = False) -> None:
        """Begins a conversation with a specialist."""
        self.open(f"/assistant?specialist={specialist}")
        self.tab.wait_for("!!document.querySelector('#assistant-send')")
        if bare:
            self.tab.click("[name=bare]")
        self.station("assistant-empty")

    def load_model(self, seconds: float) -> None:
        """Loads what writes the answers."""
        self.tab.wait_for("!document.querySelector('#assistant-load').classList.contains('hidden')", 15)
        self.tab.click("#assistant-load")
        self.tab.wait_for("document.getElementById('assistant-state').dataset.state === 'ready'", seconds)

    def ask(self, question: str, seconds: float, *, answers: int = 1) -> list[str]:
        """Asks; the texts of the whole answers."""
        before = self.tab.evaluate("document.querySelectorAll('#assistant-turns .exchange').length")
        self.tab.fill("#assistant-ask textarea", question)
        self.tab.click("#assistant-send")
        exchanges = f"document.querySelectorAll('#assistant-turns .exchange').length > {before}"
        whole = f'document.querySelectorAll("{ANSWER}[data-state=whole]").length === {answers}'
        self.tab.wait_for(f"{exchanges} && {whole}", seconds)
        self.tab.wait_for(f"document.querySelectorAll('{ANSWER} .answer-low').length >= {answers}")
        texts = f"[...document.querySelectorAll('{ANSWER} .answer-text')].map((one) => one.innerText.trim())"
        return list(self.tab.evaluate(texts))

    def details(self) -> dict[str, Any]:
        """What stands around the last answer: mode, tool steps, notices, marks, sources."""
        for step in range(self.tab.evaluate(f"document.querySelectorAll('{ANSWER} .tool-step details').length")):
            self.tab.evaluate(f"document.querySelectorAll('{ANSWER} .tool-step details')[{step}].open = true")
        found: str = self.tab.evaluate(
            f"""(() => {{
              const texts = (selector) =>
                [...document.querySelectorAll("{ANSWER} " + selector)].map((one) => one.innerText.trim());
              return JSON.stringify({{ steps: texts(".tool-step summary b"), figures: texts(".tool-step .tool-line"),
                notices: texts(".notice, .answer-why"), marks: texts(".prose .cite"), sources: texts(".sources li"),
                thinking: texts(".thinking:not(.hidden) .thinking-text") }});
            }})()"""
        )
        return dict(json.loads(found))

    def open_thinking(self) -> str:
        """Unfolds “Details”; the thinking, empty where the model shows none."""
        shown = f"{ANSWER} .thinking:not(.hidden)"
        if not self.tab.evaluate(f"!!document.querySelector('{shown}')"):
            return ""
        self.tab.evaluate(f"document.querySelector('{shown}').open = true")
        return str(self.tab.evaluate(f"document.querySelector('{shown} .thinking-text').innerText"))

    def open_citations(self) -> list[tuple[str, str]]:
        """Opens every source of the last answer: (its title, the words that are marked) of each; where it is a
        passage, also on the page of its document, where the same words must be marked."""
        opened = []
        sources = json.loads(
            self.tab.evaluate(
                f"""JSON.stringify([...document.querySelectorAll('{ANSWER} .sources a.source')].map((one) =>
                ({{ number: one.dataset.number, turn: one.dataset.turn, address: one.getAttribute('href') }})))"""
            )
        )
        conversation = self.path
        for one in sources:
            self.tab.click(f"{ANSWER} .sources a[data-number='{one['number']}']")
            shown = "document.querySelector('#evidence:not(.hidden)')"
            number = f"document.querySelector('#evidence .cite')?.textContent.trim() === '{one['number']}'"
            self.tab.wait_for(f"!!{shown} && {number}")
            title = str(self.tab.evaluate("document.querySelector('#evidence h2').textContent")).strip()
            marked = str(self.tab.evaluate("document.querySelector('#evidence mark')?.textContent ?? ''"))
            opened.append((title, marked))
        self.station("citations")
        pages = [one["address"] for one in sources if one["address"].startswith("/knowledge/")]
        for address in pages[:3]:
            self.open(address)
            self.tab.wait_for("!!document.querySelector('.knowledge-words mark')", 30)
            self.station("citation-in-its-document")
        self.open(conversation)
        self.tab.wait_for(f"!!document.querySelector('{ANSWER} .answer-low')")
        return opened

    def key(self) -> str:
        """A key for programs, as the page would make it."""
        made = self.tab.evaluate(
            """fetch("/api/v1/me/keys", { method: "POST", headers: { "Content-Type": "application/json" },
               body: JSON.stringify({ name: "curl" }) }).then((one) => one.text())"""
        )
        return str(json.loads(made)["key"])

    def curl(self, model: str, content: str) -> dict[str, Any]:
        """The same specialist by curl, over the OpenAI protocol."""
        body = {"model": model, "messages": [{"role": "user", "content": content}], "max_tokens": 1000}
        command = [
            "curl", "-sS", f"{self.server.address}/v1/chat/completions",
            "-H", f"Authorization: Bearer {self.key()}",
            "-H", "Content-Type: application/json",
            "-d", json.dumps(body, ensure_ascii=False),
        ]  # fmt: skip
        return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
