"""The live page over a record of 200,000 trials: the first view, memory, and the writer with and without a reader.

The server is `autoglyph serve` in a process of its own, asked over HTTP what a browser asks: wall time, and CPU time
of the server for the first view. Where Selenium and Debian's Chromium are installed, a browser also opens the page
and drags the front. The writer appends batches to another run of the same record, in turns with somebody looking at
that run and with nobody.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from autoglyph.experiments.experiment import define, describe, describe_columns
from autoglyph.experiments.search import Search
from autoglyph.experiments.store import RunRecord, Store, TrialRecord

TRIALS, QUICK_TRIALS = 200_000, 5_000
VIEWS = ("", "?view=progress", "?view=decisions", "?view=training", "?view=lineage", "?view=failures")
ROUNDS, ROUND_S, BATCH = 4, 2.0, 100
LIMIT_S, LIMIT_MB = 3.0, 1000.0


def run(*, quick: bool = False) -> dict[str, Any]:
    """Measures the server and the writer.

    Args:
        quick: a small record and short turns, to show that it works.

    Returns:
        "ratios": the limits (3 s, 1 GB) by what was measured, and the writer's speed with a reader by that without;
        "figures": seconds, megabytes (1e6 bytes) and trials per second.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "record.db"
        trials = _record(path, QUICK_TRIALS if quick else TRIALS)
        figures: dict[str, Any] = {"trials": len(trials), "record_mb": path.stat().st_size / 1e6}
        with _server(path) as (url, pid):
            before = _cpu_s(pid)
            first = figures["first_view_s"] = _seconds(url, "/run/big", "")
            figures["first_view_cpu_s"] = _cpu_s(pid) - before
            figures["views_again_s"] = {view or "front": _seconds(url, "/run/big", view) for view in VIEWS}
            figures["individual_s"] = _seconds(url, "/run/big", "?trial=100")
            figures["list_s"] = _seconds(url, "/", "")
            if importlib.util.find_spec("selenium") is not None and shutil.which("chromedriver"):
                figures["browser"] = _in_browser(url)
            figures["peak_memory_mb"] = _peak_mb(pid)
            alone, watched, waits = _writer(path, url, trials, 2 if quick else ROUNDS, 0.5 if quick else ROUND_S)
            figures["peak_memory_after_growth_mb"] = _peak_mb(pid)
            figures["trials_after_growth"] = _trials(path)
    figures |= {"writer_trials_per_s": alone, "writer_with_a_reader_trials_per_s": watched, "longest_append_ms": waits}
    return {
        "bench": "serve",
        "ratios": {
            "3 s / first view": LIMIT_S / first,
            "1 GB / peak memory": LIMIT_MB / figures["peak_memory_mb"],
            "writer with a reader / without": watched / alone,
        },
        "figures": figures,
    }


def _record(path: Path, trials: int) -> list[TrialRecord]:
    """A record with a run "big" of a real search, and one that is being written, "growing"."""
    experiment, domain = define("efficientnet", trials=trials, algorithm="random")
    with Store(path, create=True) as store:
        described, columns = describe(experiment, domain), describe_columns(domain)
        big = store.create_run("big", "", described, columns)
        Search(experiment, domain).run(store, big)
        growing = store.create_run("growing", "", described, columns)
        store.append_event(growing.run, "started", {"budget": trials})
        return store.trials(big.run)


def _trials(path: Path) -> int:
    with Store(path) as store:
        return sum(store.trial_counts().values())


@contextlib.contextmanager
def _server(path: Path) -> Iterator[tuple[str, int]]:
    command = [
        sys.executable,
        "-m",
        "autoglyph.experiments.cli",
        "serve",
        "--store",
        str(path),
        "--port",
        "0",
        "--json",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            printed = ""
            while not printed.endswith("}\n"):
                line = process.stdout.readline()
                if not line:
                    raise ValueError("The server did not start: try `autoglyph serve` by hand.")
                printed += line
            yield json.loads(printed)["url"], process.pid
        finally:
            process.terminate()


def _seconds(url: str, path: str, search: str) -> float:
    """How long the server takes to answer what a browser asks when it opens a view."""
    started = time.perf_counter()
    view(url, path, search)
    return time.perf_counter() - started


def view(url: str, path: str, search: str) -> bytes:
    """What the page holds at an address, as the browser gets it."""
    outputs = ["page.children", '{"part":["ALL"]}.children', '{"plot":["ALL"]}.figure', "seen.data"]
    inputs = [("url", "pathname", path), ("url", "search", search), ("news", "data", None)]
    asked = {
        "output": ".." + "...".join(outputs) + "..",
        "outputs": [{"id": "page", "property": "children"}, [], [], {"id": "seen", "property": "data"}],
        "inputs": [{"id": i, "property": p, "value": v} for i, p, v in inputs],
        "changedPropIds": ["url.pathname"],
        "state": [{"id": "seen", "property": "data", "value": None}],
    }
    request = urllib.request.Request(
        url + "_dash-update-component", json.dumps(asked).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        content: bytes = answer.read()
    if b"cannot be shown" in content:
        raise ValueError(f"The server cannot show {path}{search}.")
    return content


def _cpu_s(pid: int) -> float:
    """CPU seconds that a process has spent, which a busy machine does not stretch."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_mb(pid: int) -> float:
    """Most memory that a process has held, in 1e6 bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(kilobytes) * 1024 / 1e6


def _writer(
    path: Path, url: str, trials: Sequence[TrialRecord], rounds: int, seconds: float
) -> tuple[float, float, dict[str, float]]:
    """Trials per second without and with a reader, and the longest wait for a batch in milliseconds."""
    speeds: dict[bool, list[float]] = {False: [], True: []}
    longest = {False: 0.0, True: 0.0}
    with Store(path) as store:
        growing = store.run("growing")
        written = 0
        for turn in range(2 * rounds):
            looking = turn % 2 == 1
            with _reader(url) if looking else contextlib.nullcontext():
                count, wait = _append(store, growing, trials, written, seconds)
            written += count
            speeds[looking].append(count / seconds)
            longest[looking] = max(longest[looking], wait)
    waits = {"without": 1e3 * longest[False], "with": 1e3 * longest[True]}
    return statistics.median(speeds[False]), statistics.median(speeds[True]), waits


def _append(
    store: Store, growing: RunRecord, trials: Sequence[TrialRecord], written: int, seconds: float
) -> tuple[int, float]:
    """Appends batches for a while; trials and the longest wait in seconds."""
    longest, first, end = 0.0, written, time.perf_counter() + seconds
    while time.perf_counter() < end:
        batch = [trials[(written + i) % len(trials)]._replace(trial=written + i) for i in range(BATCH)]
        started = time.perf_counter()
        store.append_trials(growing.run, batch)
        longest = max(longest, time.perf_counter() - started)
        written += BATCH
    return written - first, longest


@contextlib.contextmanager
def _reader(url: str) -> Iterator[None]:
    """Somebody who looks at the growing run, whose page asks every second."""
    stop = threading.Event()

    def look() -> None:
        while not stop.wait(1.0):
            view(url, "/run/growing", "")

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _in_browser(url: str) -> dict[str, float]:
    """Seconds until the front is drawn in Chromium, and milliseconds between frames while it is dragged."""
    from selenium import webdriver
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
    from selenium.webdriver.support.ui import WebDriverWait

    with tempfile.TemporaryDirectory() as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium") or "chromium"
        for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader",
                     "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
                     "--disable-component-update", "--disable-sync", f"--user-data-dir={profile}"):  # fmt: skip
            options.add_argument(flag)
        service = webdriver.ChromeService(shutil.which("chromedriver"))
        with webdriver.Chrome(service=service, options=options) as browser:
            started = time.perf_counter()
            browser.get(f"{url}run/big")
            drawn = "#front-graph .scatterlayer .trace .point"
            WebDriverWait(browser, 300, 0.02).until(lambda b: b.find_elements(By.CSS_SELECTOR, drawn))
            opened = time.perf_counter() - started
            browser.execute_script(
                "window.frames_ms = []; let last = performance.now(); (function next(now) {"
                " if (last < now) window.frames_ms.push(now - last); last = now; requestAnimationFrame(next); })(last);"
            )
            plane = browser.find_element(By.CSS_SELECTOR, "#front-graph .nsewdrag")
            drag = ActionChains(browser, duration=20).move_to_element(plane).click_and_hold()
            for step in range(40):
                drag.move_by_offset(-4 if step < 20 else 4, 1)
            drag.release().perform()
            frames = sorted(browser.execute_script("return window.frames_ms"))
    return {
        "front_drawn_s": opened,
        "frame_median_ms": statistics.median(frames),
        "frame_95th_percentile_ms": frames[int(0.95 * (len(frames) - 1))],
    }
