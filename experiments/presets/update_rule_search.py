"""A search for an update rule on digits, and its winner against tuned known rules on tasks that it has not seen.

`python -m autoglyph.experiments.presets.update_rule_search --store rules.db` evolves rules of one group; a score is the
mean accuracy from two seeds after 100 steps, at a rate that short trainings choose. The winner is the best of the ten
best on fresh seeds. It and the known rules then meet tasks that the search has not seen: the next character of a Python
source, breast cancer, and digits split anew in a larger network. Each has its best of 13 rates, chosen on three seeds,
and is measured on five others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import typer

from autoglyph.child_programs.datasets import DEFAULT_VALIDATION_SHARE, Dataset, load_dataset
from autoglyph.child_programs.expressions.repeated_training import RepeatedTraining
from autoglyph.experiments.commands._common import print_json
from autoglyph.experiments.domain import Domain
from autoglyph.experiments.objectives import maximize
from autoglyph.experiments.presets._fresh_seeds import RATES, Retest, Task, tuned
from autoglyph.experiments.presets._options import PictureOption, SeedOption, SmokeOption, StoreOption, WorkersOption
from autoglyph.experiments.presets._recorded_search import best_programs, counted, evolved_rules
from autoglyph.search_spaces.expressions.fingerprint import fingerprint
from autoglyph.search_spaces.expressions.text import to_text
from autoglyph.search_spaces.spaces.optimizer_rule import SPACE

RUN = "update-rules"
DOMAIN = Domain(
    space=SPACE,
    objectives=[maximize("accuracy")],
    program=RepeatedTraining(learning_rate=None, steps=100, seeds=[0, 1]),
    fingerprint=fingerprint,
    sources={"trained": "mean validation accuracy of a small network from two seeds, 100 steps"},
)
KNOWN = ("sgd", "momentum", "rmsprop", "adam")
TRIALS = {False: 500, True: 12}
_FINALISTS = 10
_CONTEXT = 8
_SMOKE_RATES = RATES[5:9]


def main(
    store: StoreOption = Path("update_rules.db"),
    workers: WorkersOption = 2,
    seed: SeedOption = 0,
    png: PictureOption = None,
    smoke: SmokeOption = False,
) -> None:
    """Search, choose a winner, compare it with known rules on held-out tasks, print all of it as JSON."""
    run = evolved_rules(
        f"{RUN}-{seed}",
        store,
        f"{Path(__file__).resolve()}:DOMAIN",
        trials=TRIALS[smoke],
        workers=workers,
        seed=seed,
        smoke_steps=10 if smoke else None,
    )
    rates = _SMOKE_RATES if smoke else RATES
    digits = load_dataset("digits", seed=0, validation_share=DEFAULT_VALIDATION_SHARE)
    finals = best_programs(run, SPACE, 2 if smoke else _FINALISTS)
    again = [tuned(program, Task("digits", digits, 64, 10 if smoke else 100, 64), rates) for program, _ in finals]
    order = sorted(range(len(finals)), key=lambda i: (-np.nan_to_num(again[i].accuracies.mean(), nan=-1.0), i))
    rules = {to_text(finals[order[0]][0]): finals[order[0]][0]} | {name: SPACE.individual(name) for name in KNOWN}
    tasks = held_out_tasks(smoke=smoke)
    found = {task.name: {name: tuned(rule, task, rates) for name, rule in rules.items()} for task in tasks}
    head = [
        {"rule": to_text(finals[i][0]), "search_accuracy": float(run.fitness[finals[i][1], 0]), **again[i].described()}
        for i in order
    ]
    result: dict[str, Any] = {**counted(run), "finalists": head}
    result["held_out"] = {task: {n: r.described() for n, r in each.items()} for task, each in found.items()}
    print_json(result)
    if png is not None:
        _draw(found, png)


def held_out_tasks(*, smoke: bool = False) -> list[Task]:
    """Tasks that the search has not seen: other data, another split, other networks."""
    steps = 10 if smoke else 100
    digits = load_dataset("digits", seed=7, validation_share=DEFAULT_VALIDATION_SHARE)
    return [
        Task("next character, 2 x 64 units", next_characters(seed=7), 64, steps, 64),
        Task("breast cancer, 2 x 32 units", breast_cancer(seed=7), 32, steps, 32),
        Task("digits split anew, 2 x 128 units", digits, 128, steps, 32),
    ]


def breast_cancer(seed: int) -> Dataset:
    """The breast cancer data of scikit-learn: 569 examples of 30 numbers, standardised, a fifth for validation."""
    from sklearn.datasets import load_breast_cancer

    numbers, labels = load_breast_cancer(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(labels))
    valid, train = np.split(order, [len(order) // 5])
    mean, deviation = numbers[train].mean(axis=0), numbers[train].std(axis=0)
    source = "scikit-learn (Wolberg et al. 1995, UCI)"
    return _dataset((numbers - mean) / deviation, labels, train, valid, "breast cancer", source)


def next_characters(seed: int, examples: int = 4000) -> Dataset:
    """Which of six kinds of character follows the eight before it, their bits, in the source of argparse.

    The kinds are lower case letters, other letters and digits, blanks, ends of lines, brackets and quotes, the rest.
    """
    import argparse
    import inspect

    text = np.frombuffer(inspect.getsource(argparse).encode("ascii", "replace"), np.uint8)
    kinds = np.array([_kind(chr(code)) for code in range(256)])
    rng = np.random.default_rng(seed)
    at = rng.choice(len(text) - _CONTEXT, examples, replace=False)
    context = text[at[:, None] + np.arange(_CONTEXT)]
    valid, train = np.split(np.arange(examples), [examples // 5])
    bits = np.unpackbits(context[:, :, None], axis=2).reshape(examples, -1)
    return _dataset(bits, kinds[text[at + _CONTEXT]], train, valid, "next character", "the library of this Python")


def _kind(character: str) -> int:
    tests = (str.islower, str.isalnum, " ".__contains__, "\n".__contains__, "()[]{}'\"".__contains__)
    return next((kind for kind, holds in enumerate(tests) if holds(character)), len(tests))


def _dataset(x: Any, y: Any, train: Any, valid: Any, name: str, source: str) -> Dataset:
    """(n, numbers) examples in two parts."""
    x, y = np.asarray(x, np.float32).reshape(len(y), 1, -1, 1), np.asarray(y, np.int32)
    return Dataset(
        x_train=x[train],
        y_train=y[train],
        x_valid=x[valid],
        y_valid=y[valid],
        classes=int(y.max()) + 1,
        name=name,
        source=source,
        validation="a fifth of the examples, drawn at random",
    )


def _draw(found: dict[str, dict[str, Retest]], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 3), layout="constrained")
    for axes, (task, rules) in zip(figure.subplots(1, len(found), sharey=True), found.items(), strict=True):
        for i, each in enumerate(rules.values()):
            colour = "tab:red" if i == 0 else "tab:blue"
            axes.plot(each.losses, np.full(len(each.losses), -i), "o", color=colour, alpha=0.5)
            axes.plot([each.losses.mean()], [-i], "|", color="black", markersize=16)
        axes.set_yticks([-i for i in range(len(rules))], list(rules))
        axes.set_title(task, fontsize=10)
        axes.set_xlabel("validation loss, five fresh seeds")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    typer.run(main)
