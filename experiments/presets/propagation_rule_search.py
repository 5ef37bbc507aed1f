"""A search for a back-propagation rule that learns digits best in one epoch, re-tested on fresh seeds.

`python -m autoglyph.experiments.presets.propagation_rule_search --store propagation.db` evolves rules of one unit; a
score is the mean accuracy from three seeds after the 22 steps of one epoch, at the learning rate 0.05. The ten best and
back-propagation are then trained from five seeds that the search has not seen: at that rate, and each at its best of 13
rates, chosen on three other seeds, so that a rule which is no more than a larger step does not win by it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import typer

from autoglyph.child_programs.datasets import DEFAULT_VALIDATION_SHARE, load_dataset
from autoglyph.child_programs.expressions.repeated_training import RepeatedTraining
from autoglyph.experiments.commands._common import print_json
from autoglyph.experiments.domain import Domain
from autoglyph.experiments.objectives import maximize
from autoglyph.experiments.presets._fresh_seeds import RATES, Retest, Task, at_rate, tuned
from autoglyph.experiments.presets._options import PictureOption, SeedOption, SmokeOption, StoreOption, WorkersOption
from autoglyph.experiments.presets._recorded_search import best_programs, counted, evolved_rules
from autoglyph.search_spaces.expressions.fingerprint import fingerprint
from autoglyph.search_spaces.expressions.text import to_text
from autoglyph.search_spaces.spaces.backprop_rule import SPACE

RUN = "propagation-rules"
EPOCH = 22
RATE = 0.05
DOMAIN = Domain(
    space=SPACE,
    objectives=[maximize("accuracy")],
    program=RepeatedTraining(learning_rate=RATE, steps=EPOCH, seeds=[0, 1, 2]),
    fingerprint=fingerprint,
    sources={"trained": "mean validation accuracy of a small network from three seeds after one epoch"},
)
KNOWN = ("backprop", "feedback-alignment", "direct-feedback-alignment")
TRIALS = {False: 1500, True: 20}
_FINALISTS = 10
_SMOKE_RATES = RATES[5:9]


def main(
    store: StoreOption = Path("propagation_rules.db"),
    workers: WorkersOption = 2,
    seed: SeedOption = 0,
    png: PictureOption = None,
    smoke: SmokeOption = False,
) -> None:
    """Search, re-test the best rules and the known ones, print all of it as JSON."""
    run = evolved_rules(
        f"{RUN}-{seed}",
        store,
        f"{Path(__file__).resolve()}:DOMAIN",
        trials=TRIALS[smoke],
        workers=workers,
        seed=seed,
        smoke_steps=5 if smoke else None,
    )
    digits = load_dataset("digits", seed=0, validation_share=DEFAULT_VALIDATION_SHARE)
    task = Task("digits, one epoch", digits, 64, 5 if smoke else EPOCH, 64)
    finals = best_programs(run, SPACE, 2 if smoke else _FINALISTS)
    rules = {to_text(program): program for program, _ in finals} | {name: SPACE.individual(name) for name in KNOWN}
    searched = {to_text(program): float(run.fitness[trial, 0]) for program, trial in finals}
    same = {name: at_rate(rule, task, RATE) for name, rule in rules.items()}
    best = {name: tuned(rule, task, _SMOKE_RATES if smoke else RATES) for name, rule in rules.items()}
    result: dict[str, Any] = dict(counted(run))
    result["rules"] = {
        name: {
            "search_accuracy": searched.get(name),
            "same_rate": same[name].described(),
            "best_rate": best[name].described(),
        }
        for name in rules
    }
    reference = {"same_rate": same["backprop"], "best_rate": best["backprop"]}
    for kind, retests in (("same_rate", same), ("best_rate", best)):
        result[f"finalists_at_least_as_good_at_{kind}"] = sum(
            bool(retests[name].accuracies.mean() >= reference[kind].accuracies.mean()) for name in searched
        )
    print_json(result)
    if png is not None:
        _draw(same, best, png)


def _draw(same: dict[str, Retest], best: dict[str, Retest], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.5, 4), layout="constrained")
    titles = (f"all at rate {RATE}", "each at its best rate")
    for axes, rules, title in zip(figure.subplots(1, 2, sharey=True), (same, best), titles, strict=True):
        for i, (name, each) in enumerate(rules.items()):
            colour = "tab:blue" if name in KNOWN else "tab:red"
            axes.plot(each.accuracies, np.full(len(each.accuracies), -i), "o", color=colour, alpha=0.5)
            axes.plot([each.accuracies.mean()], [-i], "|", color="black", markersize=14)
        axes.set_yticks([-i for i in range(len(rules))], list(rules), fontsize=8)
        axes.axvline(rules["backprop"].accuracies.mean(), color="0.7", linewidth=1)
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("validation accuracy, %, five fresh seeds")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    typer.run(main)
