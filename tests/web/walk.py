"""The way through the workbench as a person goes it, from sign-up to report, in a real browser.

Used by the test on a tiny random model and by `tools/walkthrough.py` on a real one. At each station pictures are taken
at both widths and in both languages, if a folder for them is given.
"""

from __future__ import annotations

import contextlib
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from tools.screenshot import Browser

from metier.core.files import read_json
from metier.workbench import layout
from tests.support.bench import PASSWORD
from tests.support.server import Server

WIDTHS = {1440: 1000, 390: 844}
LANGUAGES = {"en": "Home", "zh": "首页"}


@dataclass
class Walk:
    """One visitor. width, language: what they have; pictures: where pictures go; passed: the stations so far."""

    server: Server
    tab: Browser
    width: int
    language: str
    pictures: Path | None = None
    passed: list[str] = field(default_factory=list)
    wide: list[str] = field(default_factory=list)

    def open(self, path: str) -> None:
        """Goes to a page."""
        self.tab.open(self.server.address + path, width=self.width, height=WIDTHS[self.width])

    @property
    def path(self) -> str:
        """Where the browser is."""
        return str(self.tab.evaluate("location.pathname"))

    def station(self, name: str) -> None:
        """Makes sure that this is no error page, notes what is wider than the screen, and takes the picture."""
        status = self.tab.evaluate("performance.getEntriesByType('navigation')[0].responseStatus")
        assert status == 200, f"{name}: {status} at {self.path}"
        self.passed.append(name)
        over = self.tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if over > 0:
            self.wide.append(f"{name}: {over} pixels too wide at {self.width}")
        if self.pictures is None:
            return
        self.pictures.mkdir(parents=True, exist_ok=True)
        mode = f"{len(self.passed):02}-{name}-{self.width}-{self.language}.png"
        height = self.tab.evaluate("document.documentElement.scrollHeight")
        self.tab.resize(
            self.width, max(height, WIDTHS[self.width])
        )  # what sticks to the window would stand in its midst
        (self.pictures / mode).write_bytes(self.tab.picture())
        self.tab.resize(self.width, WIDTHS[self.width])

    def sign_up(self) -> None:
        """The first account; then the language is chosen."""
        self.open("/")
        assert self.path == "/sign-up"
        self.tab.submit(f".reading button[value={self.language}]")
        self.station("sign-up")
        self.tab.fill("[name=name]", "李医生")
        self.tab.fill("[name=password]", PASSWORD)
        self.tab.submit(".fields button")
        assert self.tab.evaluate("document.querySelector('h1').textContent") == LANGUAGES[self.language]
        self.station("home-empty")

    def bring(self, file: Path, name: str) -> None:
        """Drops a file in, looks at its columns, and registers it."""
        self.open("/datasets")
        self.station("datasets")
        self.tab.choose_files("#file", file)
        self.tab.wait_for("location.pathname === '/datasets/new' && !!document.querySelector('#register')", 30)
        self.tab.wait_for("document.querySelector('#look-problem').classList.contains('hidden')", 30)
        self.tab.fill("#name", name)
        self.station("columns")
        self.tab.click("#register")
        self.tab.wait_for(f"location.pathname === '/datasets/{name}'", 60)
        self.tab.wait_for("document.readyState === 'complete'")
        self.station("dataset")

    def see(self, name: str, model: str) -> None:
        """A row as the model will see it."""
        self.open(f"/datasets/{name}?row=1&model={model}")
        self.tab.wait_for("document.querySelectorAll('.tok').length > 5", 60)
        self.station("row")

    def fine_tune(self, address: str, values: dict[str, str]) -> str:
        """Fills the form, reads what it will need, starts; returns the run's id."""
        self.open(address)
        for key, value in values.items():
            self.tab.fill(f"[data-at='{key}']", value)
        self.tab.wait_for("document.querySelector('#tune-plan').getAttribute('aria-busy') === 'false'", 120)
        self.tab.wait_for("document.querySelector('#tune-command').textContent.includes('metier')")
        assert self.tab.evaluate("document.querySelectorAll('#tune [aria-invalid=true]').length") == 0
        self.station("fine-tune")
        self.tab.submit("#tune-start")
        self.tab.wait_for("location.pathname.startsWith('/runs/')")
        return self.path.rpartition("/")[2]

    def train(self, run: str, *, kill_at: int, seconds: float) -> None:
        """Follows the curve; kills the server (and once the training too) in its midst, and sees it go on."""
        points = "metierRun.charts.points.steps"
        self.tab.wait_for(f"window.metierRun && {points}.length >= {kill_at}", seconds)
        self.station("run")
        folder = self.server.folder
        port = int(self.server.address.rpartition(":")[2])
        self.server.kill()
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(read_json(folder / "jobs" / run / layout.CHILD)["pid"]), signal.SIGKILL)
        self.tab.wait_for("!document.getElementById('lost').classList.contains('hidden')", 30)
        self.station("server-away")
        self.server = Server(folder, port=port)
        self.tab.wait_for("document.getElementById('lost').classList.contains('hidden')", 60)
        away = "Failed to load resource: net::ERR_"  # what Chromium says of a server that is not there
        self.tab.messages[:] = [one for one in self.tab.messages if not one.startswith(away)]
        self.tab.wait_for("!!document.querySelector('#ending.ending-done')", seconds)
        steps = self.tab.evaluate(points)
        assert steps == list(range(1, steps[-1] + 1)), "the curve has every step once"
        self.station("finished")

    def chat(self, run: str, question: str, seconds: float) -> str:
        """Asks the checkpoint; returns its answer."""
        self.open(f"/chat?model=run:{run}")
        self.tab.wait_for("!!document.querySelector('#chat-send')")
        self.tab.fill("#chat-ask textarea", question)
        self.tab.click("#chat-send")
        whole = "#chat-turns .answer[data-state=whole]"
        self.tab.wait_for(f"!!document.querySelector('{whole}')", seconds)
        self.station("chat")
        return str(self.tab.evaluate(f"document.querySelector('{whole} .answer-text').innerText")).strip()

    def unload(self) -> None:
        """Gives the device back, as the chat offers."""
        self.tab.click("#chat-load[data-act=unload]")
        self.tab.wait_for("document.querySelector('#chat-load').dataset.act === 'load'", 30)

    def evaluate(self, run: str, dataset: str, values: dict[str, str], seconds: float) -> None:
        """Predicts and scores with the base beside it, and reads the scores."""
        self.open(f"/evaluate?model=run:{run}&dataset={dataset}")
        self.tab.wait_for("!!document.querySelector('#evaluate-form')")
        for name, value in values.items():
            self.tab.fill(f"#evaluate-form [name='predict.{name}']", value)
        self.station("evaluate")
        self.tab.submit("#evaluate-form [type=submit]")
        self.tab.wait_for("location.pathname.startsWith('/evaluate/')", 30)
        self.tab.wait_for("document.querySelectorAll('.score-value').length > 0", seconds)
        self.station("scores")

    def report(self, run: str) -> None:
        """Opens the report of a recipe's run."""
        self.open(f"/reports/{run}")
        self.tab.wait_for("document.getElementById('report').contentDocument?.readyState === 'complete'", 30)
        self.tab.wait_for("document.getElementById('report').contentDocument.body.innerText.length > 500", 30)
        self.station("report")

    def look_around(self, *paths: str) -> None:
        """The other pages."""
        for path in paths:
            self.open(path)
            self.station(path.strip("/").split("?")[0].replace("/", "-") or "home")


def odd_table(path: Path, rows: list[tuple[str, str]]) -> Path:
    """An Excel file of questions and answers whose columns are called as people call them."""
    book = Workbook()
    sheet: Any = book.active
    sheet.append(["序号", "咨询内容（患者）", "医生 答复"])
    for number, (question, answer) in enumerate(rows, 1):
        sheet.append([number, question, answer])
    book.save(path)
    return path
