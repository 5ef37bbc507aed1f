"""A server of the live page in a thread, a browser to drive it, and records to show."""

import contextlib
import json
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.ui import WebDriverWait

from autoglyph.experiments.experiment import define, describe, describe_columns
from autoglyph.experiments.search import Search
from autoglyph.experiments.serving.server import PageServer
from autoglyph.experiments.store import RunRecord, Store, TrialRecord

PATIENCE_S = 90
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader", "--disable-dev-shm-usage",
    "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--host-resolver-rules=MAP other.example 127.0.0.1",
)  # fmt: skip


@contextlib.contextmanager
def serving(store: Path, host: str = "127.0.0.1") -> Iterator[PageServer]:
    server = PageServer(store, host, 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield server
    finally:
        server.close()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


@contextlib.contextmanager
def browsing(profile: Path, width: int = 1440, height: int = 1000) -> Iterator[WebDriver]:
    for program in ("chromium", "chromedriver"):
        assert shutil.which(program), f"{program} is missing: apt-get install chromium chromium-driver"
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (*FLAGS, f"--window-size={width},{height}", f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
    try:
        yield browser
    finally:
        browser.quit()


def wait_for(browser: WebDriver, condition: Any) -> Any:
    return WebDriverWait(browser, PATIENCE_S, poll_frequency=0.1).until(condition)


def search_run(
    path: Path,
    name: str,
    *,
    trials: int,
    seed: int,
    algorithm: str = "nsga2",
    space: str = "efficientnet",
    settings: Mapping[str, str] | None = None,
) -> list[TrialRecord]:
    """Trials of a small search, recorded as a run."""
    experiment, domain = define(space, trials=trials, seed=seed, algorithm=algorithm, settings=settings)
    with Store(path, create=True) as store:
        run = store.create_run(name, "", describe(experiment, domain), describe_columns(domain))
        Search(experiment, domain).run(store, run)
        return store.trials(run.run)


def unfinished_run(path: Path, name: str, trials: Sequence[TrialRecord]) -> RunRecord:
    """A run that has started and not ended, with some trials so far."""
    experiment, domain = define("efficientnet", trials=1000, seed=9)
    with Store(path, create=True) as store:
        run = store.create_run(name, "", describe(experiment, domain), describe_columns(domain))
        store.append_event(run.run, "started", {"budget": 1000})
        store.append_trials(run.run, trials)
    return run


def better(trial: TrialRecord, number: int, top1: float) -> TrialRecord:
    """A trial with another number and another accuracy."""
    return trial._replace(trial=number, metrics=json.dumps(json.loads(trial.metrics) | {"top1": top1}))
