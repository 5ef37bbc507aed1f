"""Curves and hyperparameters of a search for TensorBoard, written from its record.

Every trained child is a run of TensorBoard: its metrics by rung as scalars, its decisions as hyperparameters. The
search itself is another one: best-so-far and hypervolume by trial.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autoglyph.experiments.run import Run, decisions
from autoglyph.experiments.store import RunRecord, Store, TrialRecord
from autoglyph.experiments.views.progress import progress
from autoglyph.experiments.views.safe_text import plain

_EVERY_SECONDS = 2.0


class TensorBoardLog:
    """Event files of one run under `folder`/`name of the run`; what an earlier process wrote is not written again.

    Args:
        folder: for `tensorboard --logdir`.
        store: the record.
        record: the run.

    Raises:
        ValueError: if the folder cannot be made.
    """

    def __init__(self, folder: Path, store: Path, record: RunRecord) -> None:
        self._store, self._record = store, record
        self._folder = folder / _file_name(record.name)
        self._trains = record.experiment["accuracy"] == "trained"
        self._next, self._updated = 0, 0.0
        self._written: set[int] = set()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(
                f"Cannot write to {str(folder)!r} ({error.strerror}): name another folder with --tensorboard."
            ) from error

    def update(self) -> None:
        """Writes the children that ended since the last time, at most every two seconds."""
        if self._trains and time.monotonic() - self._updated > _EVERY_SECONDS:
            self._updated = time.monotonic()
            self._write_children()

    def close(self) -> None:
        """Writes the rest, and the progress of the search."""
        if self._trains:
            self._write_children()
        self._write_search()

    def _write_children(self) -> None:
        with Store(self._store, read_only=True) as store:
            trials = store.trials(self._record.run, since=self._next)
        for trial in trials:
            folder = self._folder / f"trial-{trial.trial:06d}"
            if trial.trial not in self._written and trial.rungs is not None and not folder.exists():
                _write_child(folder, trial, decisions(self._record.columns, json.loads(trial.genes)))
            self._written.add(trial.trial)
        while self._next in self._written:
            self._written.discard(self._next)
            self._next += 1

    def _write_search(self) -> None:
        from tensorboardX.summary import scalar
        from tensorboardX.writer import FileWriter

        made = progress(Run.open(self._record.name, self._store))
        folder = self._folder / "search"
        for old in folder.glob("events.out.tfevents.*"):  # of this run when it was shorter
            old.unlink()
        writer = FileWriter(str(folder))
        for i, number in enumerate(made.trials.tolist()):
            writer.add_summary(scalar("search/hypervolume", float(made.hypervolume[i])), number)
            for objective, best in zip(made.run.objectives, made.best[i].tolist(), strict=True):
                if math.isfinite(best):
                    writer.add_summary(scalar(f"search/best {objective.name}", best), number)
        writer.close()


def _write_child(folder: Path, trial: TrialRecord, decided: Mapping[str, Any]) -> None:
    from tensorboardX.summary import hparams, scalar
    from tensorboardX.writer import FileWriter

    writer = FileWriter(str(folder))
    for step, rung in enumerate(json.loads(trial.rungs or "[]")):
        for name, value in _numbers(rung).items():
            writer.add_summary(scalar(f"rung/{name}", value), step)
    metrics = {f"final/{name}": value for name, value in _numbers(json.loads(trial.metrics)).items()}
    chosen = {plain(name): _hyperparameter(value) for name, value in decided.items()}
    for summary in hparams(chosen, metrics):
        writer.add_summary(summary)
    for name, value in metrics.items():
        writer.add_summary(scalar(name, value))
    writer.close()


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    return {plain(n): float(v) for n, v in values.items() if isinstance(v, int | float) and math.isfinite(v)}


def _hyperparameter(value: Any) -> bool | float | str:
    return value if isinstance(value, bool | int | float) else plain(value, 200)


def _file_name(name: str) -> str:
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in name)[:100]
    return kept.lstrip(".") or "run"
