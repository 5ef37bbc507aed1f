"""A search killed with SIGKILL at a random moment and resumed becomes the search that was left alone."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import heed_interrupts

from autoglyph.experiments.run import Run
from autoglyph.experiments.store import Store, StoreError

MOMENTS = 20
TRIALS = {"toy.py": 4000, "toy.py:TRAINED": 400}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "autoglyph.experiments.cli", *arguments]


def recorded(store: Path) -> int:
    try:
        with Store(store) as opened:
            return sum(opened.trial_counts().values())
    except StoreError:
        return 0


def search(domain: str, store: Path) -> list[str]:
    trials = str(TRIALS[domain])
    return command("search", domain, "--trials", trials, "--seed", "3", "--run", "r", "--store", str(store), "--json")


@pytest.fixture
def left_alone(toy: Path) -> dict[str, str]:
    digests = {}
    for domain in TRIALS:
        store = toy.parent / f"alone-{domain.partition(':')[2]}.db"
        subprocess.run(search(domain, store), check=True, capture_output=True)
        digests[domain] = Run.open("r", store).digest()
    return digests


@pytest.mark.slow
def test_sigkill_at_random_moments_loses_nothing(toy: Path, left_alone: dict[str, str]) -> None:
    moments = random.Random(0)
    cut_short = 0
    for number in range(MOMENTS):
        domain = list(TRIALS)[number % 2]
        store = toy.parent / f"killed-{number}.db"
        process = subprocess.Popen(search(domain, store), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wanted = moments.randrange(TRIALS[domain])
        while process.poll() is None and recorded(store) < wanted:
            time.sleep(0.002)
        time.sleep(moments.random() * 0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        before = recorded(store)
        cut_short += before < TRIALS[domain]
        kept = Run.open("r", store) if before else None
        again = command("resume", "r", "--store", str(store), "--json") if has_run(store) else search(domain, store)
        subprocess.run(again, check=True, capture_output=True)
        run = Run.open("r", store)
        assert len(run) == TRIALS[domain]
        assert kept is None or run.trials[: len(kept)] == kept.trials, "what was finished is as it was"
        assert run.digest() == left_alone[domain], f"moment {number}: {domain} killed after {before} trials"
    assert cut_short >= MOMENTS // 2, "most searches must have been killed before their end"


def has_run(store: Path) -> bool:
    try:
        with Store(store) as opened:
            return bool(opened.runs())
    except StoreError:
        return False


@pytest.mark.slow
def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(toy: Path) -> None:
    store = toy.parent / "interrupted.db"
    process = subprocess.Popen(
        command("search", "toy.py:TRAINED", "--trials", "1000000", "--run", "r", "--store", str(store)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    while process.poll() is None and recorded(store) < 50:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "autoglyph resume r --store" in err and "Traceback" not in err
    assert "best so far" in out
    with Store(store) as opened:
        assert opened.events(1)[-1][1] == "interrupted"
        done = len(opened.trials(1))
    subprocess.run(
        command("resume", "r", "--trials", str(done + 20), "--store", str(store), "--json"),
        check=True,
        capture_output=True,
    )
    assert len(Run.open("r", store)) == done + 20
