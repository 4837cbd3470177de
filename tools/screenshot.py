"""A picture of a page, made by Chromium: any width, either language, light or dark, or as a printed PDF.

    python tools/screenshot.py runs/…/report.html docs/report.png --width 1280 --height 1400 --language en

Chromium is spoken to through a pipe (`--remote-debugging-pipe`): real phone widths, no port, no driver to install.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
    "--remote-debugging-pipe",
)


def find_chromium() -> str | None:
    """The path of a Chromium or Chrome, or None."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """One tab of a headless Chromium.

    messages: errors and warnings that pages wrote to the console; requests: every address that was asked for.
    """

    def __init__(self, write_fd: int, read_fd: int) -> None:
        self._write, self._read, self._rest = write_fd, read_fd, b""
        self._last, self._session, self._loaded = 0, "", False
        self.messages: list[str] = []
        self.requests: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """One command of the DevTools protocol; raises RuntimeError with Chromium's message if it fails."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._last:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return dict(answer["result"])

    def open(self, page: Path | str, *, width: int = 1280, height: int = 1000, dark: bool = False) -> None:
        """Loads a file or address at a given width in CSS pixels, light or dark, and waits until it is there."""
        self.resize(width, height)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self._loaded = False
        self.call("Page.navigate", url=page if isinstance(page, str) else page.resolve().as_uri())
        while not self._loaded:
            self._receive()

    def resize(self, width: int, height: int = 1000) -> None:
        """Another width of the window, in CSS pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def wait_for(self, condition: str, seconds: float = 15.0) -> Any:
        """Waits until a JavaScript expression is true, over page loads too, and returns its value."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if found := self.evaluate(condition):
                    return found
            except RuntimeError:
                pass  # the page is just being replaced
            time.sleep(0.05)
        where = self.evaluate("location.href + ' | ' + document.body.innerText.slice(0, 1500)")
        raise TimeoutError(f"never true: {condition}\nat {where}")

    def fill(self, selector: str, value: str) -> None:
        """Types a value into a field, as far as the page can tell."""
        self.wait_for(f"!!document.querySelector({json.dumps(selector)})")
        self.evaluate(
            f"(() => {{ const field = document.querySelector({json.dumps(selector)}); field.focus();"
            f" field.value = {json.dumps(value)};"
            " field.dispatchEvent(new Event('input', {bubbles: true}));"
            " field.dispatchEvent(new Event('change', {bubbles: true})); })()"
        )

    def click(self, selector: str) -> None:
        """Clicks an element once it is there."""
        self.wait_for(f"!!document.querySelector({json.dumps(selector)})")
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    def submit(self, selector: str) -> None:
        """Clicks what sends a form and waits for the page that comes."""
        self.wait_for(f"!!document.querySelector({json.dumps(selector)})")
        self._loaded = False
        self.evaluate(f"setTimeout(() => document.querySelector({json.dumps(selector)}).click(), 0)")
        while not self._loaded:
            self._receive()

    def choose_files(self, selector: str, *paths: Path) -> None:
        """Puts files into a file field."""
        self.wait_for(f"!!document.querySelector({json.dumps(selector)})")
        document = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=document, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path) for path in paths])

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return answer["result"].get("value")

    def choose_language(self, language: str) -> None:
        """Switches a report to `en` or `zh` as a reader does."""
        self.evaluate(f"document.querySelector('label[for=language-{language}]').click()")
        self.evaluate("document.activeElement.blur()")

    def picture(self, height: int | None = None, top: int = 0) -> bytes:
        """PNG of the page from `top`, as high as it is or `height` pixels."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": top, "width": size["width"], "height": height or size["height"] - top, "scale": 1}
        shot = self.call("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    def pdf(self) -> bytes:
        """The page printed, on the paper that its style sheet names."""
        printed = self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        return base64.b64decode(printed["data"])

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            block = os.read(self._read, 1 << 20)
            if not block:
                raise RuntimeError("Chromium ended")
            self._rest += block
        raw, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(raw)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, method: str, params: dict[str, Any]) -> None:
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Page.javascriptDialogOpening":
            self.call("Page.handleJavaScriptDialog", accept=True)
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.messages.append(params["entry"]["text"])
        elif method == "Runtime.exceptionThrown":
            self.messages.append(params["exceptionDetails"]["text"])
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.messages.append(json.dumps(params["args"], ensure_ascii=False))


@contextmanager
def browser(chromium: str) -> Iterator[Browser]:
    """Starts a Chromium with a profile of its own and ends it again."""
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            # Chromium reads commands from descriptor 3 and writes answers to descriptor 4.
            [
                "bash",
                "-c",
                f'exec "$@" 3<&{to_read} 4>&{from_write}',
                "bash",
                chromium,
                *QUIET,
                f"--user-data-dir={profile}",
            ],
            pass_fds=(to_read, from_write),
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(from_write)
        try:
            yield Browser(to_write, from_read)
        finally:
            process.terminate()
            process.wait(timeout=20)
            os.close(to_write)
            os.close(from_read)


def main() -> int:
    """Takes the picture that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("page", type=Path, help="an HTML file")
    parser.add_argument("target", type=Path, help="a .png or .pdf file to write")
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--height", type=int, help="cut the picture after this many pixels; the whole page if left out")
    parser.add_argument("--top", type=int, default=0, help="leave out this many pixels at the top")
    parser.add_argument("--language", choices=("en", "zh"))
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--open", action="store_true", help="open everything that is folded")
    arguments = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        sys.stderr.write("Chromium is not installed: install the package `chromium`, or put a Chrome on PATH.\n")
        return 2
    with browser(chromium) as tab:
        tab.open(arguments.page, width=arguments.width, dark=arguments.dark)
        if arguments.language:
            tab.choose_language(arguments.language)
        if arguments.open:
            tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        is_pdf = arguments.target.suffix == ".pdf"
        content = tab.pdf() if is_pdf else tab.picture(arguments.height, arguments.top)
        arguments.target.parent.mkdir(parents=True, exist_ok=True)
        arguments.target.write_bytes(content)
        for message in tab.messages:
            sys.stderr.write(f"console: {message}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
