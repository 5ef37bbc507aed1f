"""Progressive dynamic hurdles as a scheduler of Ray Tune, with any of its searchers."""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping, Sequence
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.utils import flatten_dict

from autoglyph.algorithms.hurdles import Finished, NewHurdle
from autoglyph.algorithms.hurdles import progressive_dynamic_hurdles as rules
from autoglyph.algorithms.hurdles.base import Gate, passes_gate
from autoglyph.experiments.ray_tune.driven_search import Told
from autoglyph.experiments.ray_tune.searcher import AutoglyphSearcher

_KEY = "frozen_hurdles"


class ProgressiveDynamicHurdles(FIFOScheduler):
    """Stops trials that do not exceed their hurdles (So, Liang and Le 2019, "The Evolved Transformer").

    The rule is that of `autoglyph search --hurdles pdh`. A trial's hurdles are those in force when it was added; they
    are kept in its config as "frozen_hurdles". It is stopped after a rung whose hurdle it does not exceed or that has
    none yet, and after the last one. With an `AutoglyphSearcher` a hurdle is the mean over the living population of its
    algorithm, judged by its first objective; with another searcher it is the mean over all finished trials.

    Args:
        rungs: when trials are judged, rising, in units of `time_attr`.
        children_per_hurdle: finished trials between two hurdles, the initial population not counted.
        metric: what is judged with another searcher; None to take it from `tune.TuneConfig`.
        mode: "max" or "min"; goes with the metric.
        time_attr: what a result calls its time.
        initial: trials of an initial population, which an `AutoglyphSearcher` knows by itself.

    Attributes:
        hurdles: that came into force, or were postponed, so far.

    Raises:
        ValueError: if a setting is out of range.
    """

    def __init__(
        self,
        rungs: Sequence[float],
        children_per_hurdle: int,
        *,
        metric: str | None = None,
        mode: str | None = None,
        time_attr: str = "training_iteration",
        initial: int = 0,
    ) -> None:
        super().__init__()
        if not rungs or any(b <= a for a, b in zip([0, *rungs], rungs, strict=False)):
            raise ValueError(f"Expected rising rungs above 0, such as [1, 3, 9], received {list(rungs)}.")
        if mode not in (None, "max", "min"):
            raise ValueError(f'Expected the mode "max" or "min", received {mode!r}.')
        if (metric is None) != (mode is None):
            raise ValueError("A metric goes with a mode: give both, or leave both to tune.TuneConfig.")
        self._rungs = list(rungs)
        self._rule = rules.ProgressiveDynamicHurdles(children_per_hurdle=children_per_hurdle)
        self._rule.setup(len(self._rungs), initial)
        self._initial, self._time_attr = initial, time_attr
        self._metric, self._mode = metric, mode
        self._searcher: AutoglyphSearcher | None = None
        self._is_connected = False
        self._trials: dict[str, Trial] = {}
        self._failed: list[str] = []
        self._finished = 0
        self.hurdles: list[NewHurdle] = []

    def set_search_properties(self, metric: str | None, mode: str | None, **spec: Any) -> bool:
        """Takes metric and mode from Tune where they were left out; False if they are given twice."""
        if self._mode is not None and metric:
            return False
        if metric:
            self._metric, self._mode = metric, mode
        return True

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        """Freezes the hurdles of a new trial; one that is restored keeps its own."""
        self._trials[trial.trial_id] = trial
        if trial.trial_id in self._failed:
            self._failed.remove(trial.trial_id)
        if _KEY not in trial.config and trial.status == Trial.PENDING:
            self._connect(tune_controller)
            trial.set_config({**trial.config, _KEY: list(self._rule.gate())})

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: Mapping[str, Any]) -> str:
        """Whether a trial goes on, judged at every rung that it has reached with this result."""
        if self._time_attr not in result:
            raise ValueError(f"Trials report no {self._time_attr!r}, by which hurdles tell time: give time_attr.")
        self._connect(tune_controller)
        gate: Gate = tuple(trial.config.get(_KEY, ()))
        value = self._fitness(result)
        last = trial.last_result or {}
        is_further = result[self._time_attr] > last.get(self._time_attr, 0)
        judged = self._rungs_until(last) if is_further else 0  # not further: it was started again
        for rung in range(judged, self._rungs_until(result)):
            if not passes_gate(gate, rung, value):
                return str(TrialScheduler.STOP)
        return str(TrialScheduler.CONTINUE)

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: Mapping[str, Any]) -> None:
        """Counts a trial; an `AutoglyphSearcher` reports it once its algorithm was told."""
        self._connect(tune_controller)
        if self._searcher is None:
            self._count(trial.trial_id, self._fitness(result))

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        """Remembers a failure, which counts unless Tune starts the trial again."""
        self._connect(tune_controller)
        if self._searcher is None:
            self._failed.append(trial.trial_id)

    def debug_string(self) -> str:
        """The hurdles in force."""
        values = ", ".join(f"{value:.4g}" for value in self._rule.gate())
        return f"Progressive dynamic hurdles after {self._time_attr} {self._rungs}: {values or 'none yet'}"

    def _connect(self, tune_controller: Any) -> None:
        """Finds the searcher, once, and catches up on the trials of a restored run; settles failures."""
        failed, self._failed = self._failed, []
        for trial_id in failed:
            self._count(trial_id, -math.inf)
        if self._is_connected:
            return
        self._is_connected = True
        searcher: Any = tune_controller.search_alg
        while hasattr(searcher, "searcher"):
            searcher = searcher.searcher
        if isinstance(searcher, AutoglyphSearcher):
            self._searcher = searcher
            self._rule.setup(len(self._rungs), searcher.initial_population)
            searcher.follow(self._hear)
            return
        self._rule.setup(len(self._rungs), self._initial)
        over = [trial for trial in self._trials.values() if trial.status in (Trial.TERMINATED, Trial.ERROR)]
        for trial in sorted(over, key=lambda t: float(t.run_metadata.last_result_time)):
            failed_then = trial.status == Trial.ERROR
            self._count(
                trial.trial_id, -math.inf if failed_then else self._fitness(flatten_dict(trial.last_result or {}))
            )

    def _hear(self, told: Told) -> None:
        self.hurdles += self._rule.tell(Finished(told.number, told.fitness, self._reached(told.name)), told.members)

    def _count(self, trial_id: str, fitness: float) -> None:
        self.hurdles += self._rule.tell(Finished(self._finished, fitness, self._reached(trial_id)), None)
        self._finished += 1

    def _fitness(self, result: Mapping[str, Any]) -> float:
        """What hurdles judge: -inf where it is no number."""
        if self._searcher is not None:
            return float(self._searcher.fitness(result)[0])
        if self._metric is None or self._mode is None:
            raise ValueError("The hurdles have nothing to judge by: give metric and mode, here or in tune.TuneConfig.")
        value = result.get(self._metric)
        if value is None or not math.isfinite(value):
            return -math.inf
        return float(value) if self._mode == "max" else -float(value)

    def _reached(self, trial_id: str) -> int:
        trial = self._trials.get(trial_id)
        return 0 if trial is None else self._rungs_until(trial.last_result or {})

    def _rungs_until(self, result: Mapping[str, Any]) -> int:
        return bisect.bisect_right(self._rungs, result.get(self._time_attr, 0))
