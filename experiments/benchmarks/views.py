"""Seconds and memory to open a record of 200,000 trials and see its front and progress, and what it costs a writer."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from autoglyph.experiments.experiment import define, describe, describe_columns
from autoglyph.experiments.search import Search
from autoglyph.experiments.store import Store, TrialRecord

TRIALS = 200_000
_CHUNK, _CHUNKS = 200, 150

_READER = """
import json, resource, sys, time
started, cpu = time.perf_counter(), time.process_time()
from autoglyph.experiments.run import Run
from autoglyph.experiments.views.figures.front import front_figure
from autoglyph.experiments.views.figures.progress import best_figure, hypervolume_figure
from autoglyph.experiments.views.points import points
from autoglyph.experiments.views.progress import progress
imported, imported_cpu = time.perf_counter(), time.process_time()
run = Run.open("big", sys.argv[1])
seen = points(run)
opened, opened_cpu = time.perf_counter(), time.process_time()
made = progress(run)
figures = [front_figure(seen), hypervolume_figure(made), best_figure(made)]
drawn, drawn_cpu = time.perf_counter(), time.process_time()
low, high = (float(v) for v in sorted(seen.axes[1].values)[:: len(run) // 2][:2])
points(run, window=[(-1e9, 1e9), (low, high)])
zoomed = time.process_time()
print(json.dumps({
    "import_s": imported - started, "open_s": opened - imported, "figures_s": drawn - opened,
    "open_cpu_s": opened_cpu - imported_cpu, "figures_cpu_s": drawn_cpu - opened_cpu, "zoom_cpu_s": zoomed - drawn_cpu,
    "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    "trials": len(run), "front": len(seen.front), "points_drawn": len(seen.cloud),
}))
"""


def run(*, quick: bool = False) -> dict[str, Any]:
    """Searches `efficientnet` on `tpu_v3` with NSGA-II, then opens the record in a process of its own.

    Args:
        quick: 5,000 trials, to see that it runs.

    Returns:
        "figures": seconds to import, to open and find the front, and to draw three figures; seconds to reduce a part
        that is zoomed into; peak memory of the reading process.
        "ratios": the writer's time for the same batches while a process reads the record again and again, by its
        time while the process reads a copy, so that the ratio is that of waiting and not of a busy machine.
    """
    trials = 5_000 if quick else TRIALS
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "record.db"
        _search(path, trials)
        done = subprocess.run([sys.executable, "-c", _READER, str(path)], capture_output=True, text=True, check=True)
        figures = json.loads(done.stdout)
        chunks = _CHUNKS // 10 if quick else _CHUNKS
        slowdown = _writer_slowdown(path, chunks)
    return {
        "bench": "views",
        "ratios": {"writer_while_read_vs_while_a_copy_is_read": slowdown},
        "figures": {"open_and_draw_cpu_s": figures["open_cpu_s"] + figures["figures_cpu_s"], **figures},
    }


def _search(path: Path, trials: int) -> None:
    experiment, domain = define("efficientnet", device="tpu_v3", trials=trials)
    with Store(path, create=True) as store:
        record = store.create_run("big", "big", describe(experiment, domain), describe_columns(domain))
        Search(experiment, domain).run(store, record)


def _writer_slowdown(path: Path, chunks: int) -> float:
    """Batches appended by turns while the record or a copy of it is opened and read again and again."""
    copy = path.with_name("copy.db")
    shutil.copy(path, copy)
    with Store(path) as store:
        (record,) = store.runs()
        sample = store.trials(record.run)[:_CHUNK]
        spent = {False: 0.0, True: 0.0}
        written = store.create_run("written", "written", record.experiment, record.columns)
        first = 0
        for turn in range(6):
            is_read = turn % 2 == 1
            process = _reading(path if is_read else copy)
            assert process.stdout is not None
            process.stdout.readline()
            for _ in range(chunks // 3):
                batch = [TrialRecord(first + i, *trial[1:]) for i, trial in enumerate(sample)]
                started = time.perf_counter()
                store.append_trials(written.run, batch)
                spent[is_read] += time.perf_counter() - started
                first += len(sample)
            process.kill()
            process.communicate()
    return spent[True] / spent[False]


def _reading(path: Path) -> subprocess.Popen[str]:
    loop = (
        "import sys\nfrom autoglyph.experiments.run import Run\n"
        "while True:\n run = Run.open('big', sys.argv[1]); run.metrics; print(len(run), flush=True)\n"
    )
    return subprocess.Popen([sys.executable, "-c", loop, str(path)], stdout=subprocess.PIPE, text=True)
