"""Children between two rungs on disk, so that a driver that was killed goes on with them."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autoglyph.experiments.executors.base import Task

_UNREADABLE = (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile)


class Saved(NamedTuple):
    """A child between two rungs.

    Attributes:
        rungs: metrics after each rung so far.
        seconds: time it took.
        state: what its program needs to go on from there; None where it has to begin again.
    """

    rungs: tuple[Mapping[str, float], ...] = ()
    seconds: float = 0.0
    state: bytes | None = None


class Checkpoints:
    """A folder with one file for each child that is under way; one run never reads the files of another.

    The files are .npz without pickles: opening them runs nobody's code. One that is damaged or belongs to another
    child counts as absent.

    Args:
        folder: above the folders of the runs; None to keep nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._root = folder
        self._folder: Path | None = None
        self._ended: list[int] = []

    def begin(self, run: str) -> None:
        """Chooses the run, by a text that no other run has."""
        if self._root is not None:
            self._folder = self._root / hashlib.sha256(run.encode()).hexdigest()[:16]

    def save(self, task: Task, saved: Saved) -> None:
        """Keeps a child; one without a state is not worth a file."""
        if self._folder is None or saved.state is None:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        about = json.dumps({**_identity(task), "rungs": saved.rungs, "seconds": saved.seconds})
        path = self._path(task.trial)
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.savez(
                file,
                about=np.frombuffer(about.encode(), np.uint8),
                state=np.frombuffer(saved.state, np.uint8),
            )
        os.replace(part, path)

    def load(self, task: Task) -> Saved:
        """What was kept of a child."""
        if self._folder is None or not self._path(task.trial).exists():
            return Saved()
        try:
            with np.load(io.BytesIO(self._path(task.trial).read_bytes()), allow_pickle=False) as file:
                about = json.loads(file["about"].tobytes())
                state = file["state"].tobytes()
            if any(about[name] != value for name, value in _identity(task).items()):
                return Saved()
            return Saved(tuple(about["rungs"]), float(about["seconds"]), state)
        except _UNREADABLE:
            return Saved()

    def end(self, trial: int) -> None:
        """Marks a child as over; its file goes with the next `sweep`, when its result has been recorded."""
        self._ended.append(trial)

    def sweep(self) -> None:
        """Removes the files of children that are over, and the folder with the last of them."""
        ended, self._ended = self._ended, []
        if self._folder is None or self._root is None:
            return
        for trial in ended:
            with contextlib.suppress(FileNotFoundError):
                self._path(trial).unlink()

    def close(self) -> None:
        """Removes what is over, and folders that are empty."""
        self.sweep()
        for folder in (self._folder, self._root):
            if folder is not None:
                with contextlib.suppress(OSError):
                    folder.rmdir()

    def _path(self, trial: int) -> Path:
        assert self._folder is not None
        return self._folder / f"{trial}.npz"


def _identity(task: Task) -> dict[str, Any]:
    return {"trial": task.trial, "seed": task.seed, "row": np.asarray(task.row).tolist()}
