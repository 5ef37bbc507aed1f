"""A domain whose children misbehave in every way there is, and write down what was really trained."""

from __future__ import annotations

import ctypes
import io
import math
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyglove as pg

from autoglyph.child_programs.base import Measurement, Rung
from autoglyph.experiments import Domain, maximize
from autoglyph.search_spaces import SearchSpace

SPACE = SearchSpace(
    "ray_children",
    pg.Dict(
        number=pg.oneof(list(range(64))),
        does=pg.oneof(["train", "raise", "nan", "hang", "hang_in_c", "die", "die_once", "eat", "eat_and_catch"]),
    ),
)


class Counting(pg.Object):
    """Adds up random numbers of its seed, one a rung; goes on from a checkpoint to the same sums."""

    folder: str = ""
    num_rungs: int = 4
    seconds: float = 0.0
    bad_rung: int = -1
    always: str = ""

    @property
    def rungs(self) -> list[Rung]:
        return [Rung(f"{n + 1}", "numbers", n + 1) for n in range(self.num_rungs)]

    def run(self, candidate: Any, *, seed: int, data: Any, checkpoint: bytes | None = None) -> Iterator[Measurement]:
        first, total = 0, 0.0
        if checkpoint is not None:
            with np.load(io.BytesIO(checkpoint), allow_pickle=False) as file:
                first, total = int(file["rung"]) + 1, float(file["total"])
        for rung in range(first, self.num_rungs):
            self._write(candidate, seed, rung)
            time.sleep(self.seconds)
            if rung == self.bad_rung:
                self._misbehave(self.always or candidate.does, seed)
            total += candidate.number + float(np.random.default_rng([seed, rung]).random())
            value = math.nan if rung == self.bad_rung and candidate.does == "nan" else total

            def state(rung: int = rung, total: float = total) -> bytes:
                file = io.BytesIO()
                np.savez(file, rung=rung, total=total)
                return file.getvalue()

            yield Measurement(rung, {"quality": value}, 0.0, state)

    def _write(self, candidate: Any, seed: int, rung: int) -> None:
        if self.folder:
            with Path(self.folder, f"{seed}.log").open("a") as file:
                file.write(f"{rung} {os.getpid()}\n")

    def _misbehave(self, does: str, seed: int) -> None:
        if does == "raise":
            raise RuntimeError("no such layer")
        if does == "interrupt":
            raise KeyboardInterrupt
        if does == "hang":
            time.sleep(1000)
        if does == "hang_in_c":
            ctypes.PyDLL(None).sleep(1000)  # holds the lock of the interpreter
        if does == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if does == "die_once":
            mark = Path(self.folder, f"{seed}.died")
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        if does in ("eat", "eat_and_catch"):
            hoard = []
            while True:
                try:
                    hoard.append(np.ones(1_000_000))
                    time.sleep(0.001)
                except MemoryError:
                    if does == "eat":
                        raise


class Forgetful(pg.Object):
    """Adds up likewise, and cannot go on from a checkpoint."""

    folder: str = ""
    num_rungs: int = 4
    seconds: float = 0.0

    @property
    def rungs(self) -> list[Rung]:
        return [Rung(f"{n + 1}", "numbers", n + 1) for n in range(self.num_rungs)]

    def run(self, candidate: Any, *, seed: int, data: Any) -> Iterator[dict[str, float]]:
        counting = Counting(folder=self.folder, num_rungs=self.num_rungs, seconds=self.seconds, bad_rung=-1)
        for measurement in counting.run(candidate, seed=seed, data=data):
            yield dict(measurement.values)


def _domain(program: Any) -> Domain:
    return Domain(space=SPACE, program=program, objectives=[maximize("quality")], load=lambda name, seed, program: None)


DOMAIN = _domain(Counting())
FORGETFUL = _domain(Forgetful())
REFERENCE = str(Path(__file__).resolve())
