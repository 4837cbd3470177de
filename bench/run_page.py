"""What a browser waits for: the run page with a curve of 100,000 points, and every page with 1,000 runs in the account.

    python bench/run_page.py [--points 100000] [--runs 1000] [--quick]

A server process on a data folder that this script fills, and a real headless Chromium, signed in. Prints for each page
the milliseconds until its first contentful paint (median of five loads), for the run page also until the curve is drawn
and until all its points are there, how long the page stands still when the curve is zoomed (the longest gap between
two frames over twenty zooms, and the median milliseconds of drawing one), and the milliseconds from the writing of a
log line until it stands on the page (a hundred lines, ten a second).
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.event_streams import fill as followed
from bench.event_streams import write
from tests.support.server import started
from tools.screenshot import Browser, browser, find_chromium

from metier.workbench import layout
from metier.workbench.settings import WorkbenchSettings
from metier.workbench.store.tables import Job, now
from metier.workbench.workbench import Workbench

PAINT_BAR, STALL_BAR, LINE_BAR = 500, 200, 500  # milliseconds
PASSWORD = "a good long password"  # noqa: S105 - of an account that lives as long as this script
PAGES = ("/", "/datasets", "/models", "/fine-tune", "/runs", "/chat", "/evaluate", "/compare", "/reports", "/settings")


def fill(folder: Path, runs: int, points: int) -> str:
    """An account with so many finished runs, the newest with a long curve. Returns that one's id."""
    workbench = Workbench(WorkbenchSettings(folder=folder, devices=("cpu",)))
    owner = workbench.accounts.sign_up("li", PASSWORD)
    work = {"model_name_or_path": "smollm2-135m", "dataset": "medical_demo_en"}
    with workbench.database.write() as session:
        for number in range(runs):
            ended = now() - timedelta(minutes=number)
            job = Job(
                owner_id=owner.id, kind="train", title=f"Training {number}", spec={"asked": work, "work": work},
                state="done", place=float(number), created=ended, started=ended, ended=ended,
                summary={"final_loss": 0.5, "steps": points},
            )  # fmt: skip
            session.add(job)
            session.flush()
            if number == 0:
                newest = job.id
    path = workbench.jobs.folder_of(workbench.jobs.get(owner, newest))
    path.mkdir(parents=True)
    with (path / layout.EVENTS).open("w") as events:
        for step in range(1, points + 1):
            loss = 3 * math.exp(-step / points * 4) + 0.2 * math.sin(step * 12.9898) ** 2
            event = {"time": now().isoformat(), "event": "progress", "of": "train", "step": step, "total": points,
                     "loss": round(loss, 5), "learning_rate": 1e-4 * (1 - step / points),
                     "tokens_per_second": 1000 + step % 50, "memory_bytes": 10**9 + step}  # fmt: skip
            if step % 1000 == 0:
                event["eval_loss"] = round(loss + 0.1, 5)
            events.write(json.dumps(event) + "\n")
    (path / layout.LOG).write_text("".join(f"line {number} of the log\n" for number in range(60_000)))
    workbench.close()
    return newest


def paint(tab: Browser, address: str) -> float:
    """Milliseconds until something is seen, the median of five loads."""
    found = []
    for _ in range(5):
        tab.open(address, width=1440)
        found.append(tab.wait_for("performance.getEntriesByName('first-contentful-paint')[0]?.startTime"))
    return statistics.median(found)


_ZOOMS = """(async () => {
  const charts = metierRun.charts, end = charts.points.end, drawn = [];
  let last = performance.now(), longest = 0, going = true;
  const watch = (at) => { longest = Math.max(longest, at - last); last = at; if (going) requestAnimationFrame(watch); };
  requestAnimationFrame(watch);
  for (let n = 0; n < 20; n += 1) {
    const half = end / 2 ** (1 + n % 10), middle = half + (end - 2 * half) * ((n * 7) % 10) / 10;
    const began = performance.now();
    charts.main.dispatchAction({ type: "dataZoom", startValue: middle - half, endValue: middle + half });
    drawn.push(performance.now() - began);
    await new Promise((done) => setTimeout(done, 60));
  }
  going = false;
  drawn.sort((a, b) => a - b);
  return [longest, drawn[10]];
})()"""


_LINES = """(() => {
  window.delays = new Map();
  const look = () => {
    for (const [, number, at] of document.getElementById("log").textContent.matchAll(/written (\\d+) at ([\\d.]+)/g)) {
      if (!delays.has(number)) delays.set(number, Date.now() - 1000 * at);
    }
  };
  new MutationObserver(look).observe(document.getElementById("log"), { childList: true, subtree: true });
})()"""


def line_delays(folder: Path, tab: Browser) -> list[float]:
    """Milliseconds from the writing of a line of the log until it is on the page."""
    job, place, _ = followed(folder)
    with started(folder) as server:
        sign_in(tab, server.address)
        tab.open(f"{server.address}/runs/{job}", width=1440)
        tab.wait_for("metierRun.source?.readyState === 1")
        tab.evaluate(_LINES)
        write(place, 100)
        tab.wait_for("delays.size === 100", 30)
        return sorted(tab.evaluate("[...delays.values()]"))


def sign_in(tab: Browser, address: str) -> None:
    """Signs in, or up where there is no account."""
    tab.open(address + "/")
    tab.fill("[name=name]", "li")
    tab.fill("[name=password]", PASSWORD)
    tab.submit(".fields button")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--quick", action="store_true", help="10,000 points, 100 runs")
    given = parser.parse_args()
    points, runs = (10_000, 100) if given.quick else (given.points, given.runs)
    chromium = find_chromium()
    if chromium is None:
        sys.exit("no Chromium on this machine: tools/system_packages.sh installs it")
    good = True
    with tempfile.TemporaryDirectory() as name:
        newest = fill(Path(name) / "bench", runs, points)
        with (
            started(Path(name) / "bench", METIER_HOME=str(Path(name) / "home")) as server,
            browser(chromium) as tab,
        ):
            sign_in(tab, server.address)
            began = time.monotonic()
            tab.open(f"{server.address}/runs/{newest}", width=1440)
            tab.wait_for("window.metierRun?.charts?.points.steps.length > 0", 60)
            drawn = time.monotonic() - began
            tab.wait_for(f"metierRun.charts.points.steps.length === {points}", 60)
            whole = time.monotonic() - began
            stall, one = tab.evaluate(_ZOOMS)
            print(
                f"run page with {points} points: curve after {1000 * drawn:.0f} ms, all points after "
                f"{1000 * whole:.0f} ms; zoom: {one:.0f} ms each, the page stood still for at most {stall:.0f} ms "
                f"(bar {STALL_BAR} ms)"
            )
            good &= stall <= STALL_BAR
            for page in (f"/runs/{newest}", *PAGES):
                first = paint(tab, server.address + page)
                good &= first <= PAINT_BAR
                print(f"first paint of {page} with {runs} runs: {first:.0f} ms (bar {PAINT_BAR} ms)")
        with browser(chromium) as tab:
            delays = line_delays(Path(name) / "followed", tab)
        good &= delays[-1] <= LINE_BAR
        middle = statistics.median(delays)
        print(f"a log line to the page: {middle:.0f} ms, at most {delays[-1]:.0f} ms (bar {LINE_BAR} ms)")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
