"""All 6,250 activation functions of one unit on digits, and PPO on their table.

`python -m autoglyph.experiments.presets.activation_search exhaustive --store activations.db` trains every function
from three seeds, equivalent ones once, and tells where Swish stands. `... ppo --store activations.db` lets PPO search
that table, and counts the functions it looks at until it has seen one of the best hundredth.

The learning rate 0.2 is higher than that of the domain: with small steps the best functions of this shallow network are
symmetrical ones, such as |x| - sinc(x), which do not survive large ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray

from autoglyph.algorithms import Algorithm, Outcomes, catalog
from autoglyph.child_programs.expressions.repeated_training import RepeatedTraining
from autoglyph.experiments.commands._common import print_json
from autoglyph.experiments.domain import Domain
from autoglyph.experiments.objectives import maximize
from autoglyph.experiments.presets._options import PictureOption, SmokeOption, WorkersOption
from autoglyph.experiments.presets._recorded_search import best_programs, recorded, search_seconds
from autoglyph.experiments.run import Run
from autoglyph.experiments.search import MAX_IDLE_ASKS
from autoglyph.search_spaces.expressions.fingerprint import fingerprint
from autoglyph.search_spaces.expressions.text import to_text
from autoglyph.search_spaces.spaces.activation import SPACE

Floats = NDArray[np.float64]
RUN = "activations"
DOMAIN = Domain(
    space=SPACE,
    objectives=[maximize("accuracy")],
    program=RepeatedTraining(learning_rate=0.2),
    fingerprint=fingerprint,
    sources={"trained": "mean validation accuracy of a small network from three seeds, 200 steps of rate 0.2"},
)
KNOWN = ("swish", "silu", "relu", "tanh", "softplus", "max-x-sigmoid", "cos-minus-x", "min-x-sin", "sinc-plus-x")
_SHARES = (0.01, 0.001)
_BATCH = 50
app = typer.Typer(help="All activation functions of one unit, and PPO on their table.", no_args_is_help=True)

StoreOption = Annotated[Path, typer.Option(help="The record with the table.")]


@app.command()
def exhaustive(
    store: StoreOption = Path("activations.db"),
    workers: WorkersOption = 2,
    png: PictureOption = None,
    smoke: SmokeOption = False,
) -> None:
    """Train every function, print the table's head and where known functions stand as JSON."""
    run = table(store, workers=workers, smoke=smoke)
    print_json(report(run))
    if png is not None:
        _draw(run, png)


@app.command()
def ppo(
    store: StoreOption = Path("activations.db"),
    seeds: Annotated[int, typer.Option(min=1, help="Searches.")] = 5,
    png: PictureOption = None,
    smoke: SmokeOption = False,
) -> None:
    """Let PPO and random search find the best of the table, print what they needed as JSON."""
    run = table(store, workers=0, smoke=smoke)
    fitness = fitness_by_point(run)
    budget = 200 if smoke else 1000
    found = {name: [seen_by(name, fitness, seed, budget) for seed in range(seeds)] for name in ("ppo", "random")}
    print_json(_needed(fitness, found))
    if png is not None:
        _draw_searches(fitness, found, png)


def table(store: Path, *, workers: int, smoke: bool) -> Run:
    """The run with all functions, trained now unless the record has them."""
    settings = {"program.seeds": "[0]", "program.steps": "20"} if smoke else {}
    trials = 300 if smoke else SPACE.size
    reference = f"{Path(__file__).resolve()}:DOMAIN"
    return recorded(RUN, store, reference, trials=trials, workers=workers, algorithm="exhaustive", settings=settings)


def report(run: Run) -> dict[str, Any]:
    """Counts, ranks of known functions and the best functions of a table."""
    fitness = run.fitness[:, 0]
    own = np.array([t.copies is None for t in run.trials]) & np.isfinite(fitness)
    ranks = {}
    for name in KNOWN:
        at = _point(name)
        if at < len(run):
            value = float(fitness[at])
            better = int((fitness > value).sum())
            ranks[name] = {
                "accuracy": value,
                "better": better,
                "as_good": int((fitness == value).sum()),
                "share_better": better / len(run),
                "share_of_different_functions_better": float((fitness[own] > value).mean()),
            }
    head = [
        {"function": to_text(program), "accuracy": float(fitness[t])} for program, t in best_programs(run, SPACE, 10)
    ]
    return {
        "points": len(run),
        "trained": sum(t.rungs is not None for t in run.trials),
        "copied": run.num_copied,
        "infeasible": run.num_infeasible,
        "diverged": run.num_failed,
        "search_s": search_seconds(run),
        "training_s": float(run.seconds.sum()),
        "known": ranks,
        "best": head,
    }


def fitness_by_point(run: Run) -> Floats:
    """(n,) fitness of the points of the space in their order, -inf where one failed."""
    values: Floats = run.fitness[:, 0]
    return values


def seen_by(name: str, fitness: Floats, seed: int, budget: int) -> Floats:
    """Fitness of each different point that a search looks at, in order, until it proposes nothing new for long.

    Args:
        name: of the algorithm.
        fitness: (n,) of all points.
        seed: of the search.
        budget: points to look at.
    """
    algorithm: Algorithm = catalog.make(name)
    genome = SPACE.genome
    algorithm.setup(genome, 1, seed)
    numbers = {key: i for i, key in enumerate(genome.keys(genome.rows_at(0, len(fitness))))}
    trials: dict[int, int] = {}
    idle = 0
    while len(trials) < budget and idle < MAX_IDLE_ASKS:
        before = len(trials)
        rows = algorithm.ask(algorithm.batch_size).rows
        points = [numbers.get(key, -1) for key in genome.keys(rows)]
        told = [i for i, point in enumerate(points) if point >= 0]
        for i in told:
            trials.setdefault(points[i], len(trials))
        values = fitness[[points[i] for i in told]]
        if told:
            algorithm.tell(Outcomes(np.array([trials[points[i]] for i in told]), rows[told], values[:, None]))
        idle = 0 if len(trials) > before else idle + 1
    return fitness[list(trials)[:budget]]


def _needed(fitness: Floats, found: dict[str, list[Floats]]) -> dict[str, Any]:
    """Points looked at until one of the best is among them, by search and share."""
    result: dict[str, Any] = {"points": len(fitness)}
    ordered = np.sort(fitness)[::-1]
    for share in _SHARES:
        least = float(ordered[max(1, int(share * len(fitness))) - 1])
        result[f"best_{100 * share:g}_percent"] = {"accuracy_at_least": least, "points": int((fitness >= least).sum())}
        for name, searches in found.items():
            needed = [int(np.argmax(seen >= least)) + 1 if (seen >= least).any() else None for seen in searches]
            known = [len(fitness) if n is None else n for n in needed]
            result[f"best_{100 * share:g}_percent"][name] = {
                "looked_at": needed,
                "median": float(np.median(known)),
                "median_share": float(np.median(known)) / len(fitness),
            }
    for name, searches in found.items():
        late = [seen[-2 * _BATCH :] for seen in searches]
        result[f"{name}_points_in_all"] = [len(seen) for seen in searches]
        result[f"{name}_share_of_last_100_in_best_10_percent"] = float(
            np.mean([np.mean(part >= ordered[len(ordered) // 10]) for part in late])
        )
    return result


def _point(name: str) -> int:
    """Number of a known function among the points."""
    genome = SPACE.genome
    (key,) = genome.keys(genome.encode(SPACE.individual(name))[None])
    return {each: i for i, each in enumerate(genome.keys(genome.rows_at(0, genome.size)))}[key]


def _draw(run: Run, path: Path) -> None:
    from matplotlib.figure import Figure

    fitness = run.fitness[:, 0]
    ordered = np.sort(np.where(np.isfinite(fitness), fitness, np.nan))[::-1]
    ordered = np.concatenate([ordered[np.isfinite(ordered)], np.full(int(np.isnan(ordered).sum()), np.nan)])
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot(np.arange(1, len(ordered) + 1), ordered, color="tab:blue")
    axes.axvline(len(run) / 10, color="0.6", linestyle="--", linewidth=1)
    axes.annotate("best tenth", (len(run) / 10, 20), color="0.4", rotation=90, va="bottom", ha="right", fontsize=8)
    for i, name in enumerate(n for n in KNOWN if _point(n) < len(run) and np.isfinite(fitness[_point(n)])):
        value = fitness[_point(name)]
        rank = int((fitness > value).sum()) + 1
        axes.plot([rank], [value], "o", color="tab:red", markersize=4)
        place: dict[str, Any] = {"xytext": (30, -12 - 15 * i), "textcoords": "offset points", "fontsize": 8}
        axes.annotate(name, (rank, value), arrowprops={"arrowstyle": "-", "color": "0.6"}, **place).set_in_layout(False)
    axes.set_xlabel("rank among all points")
    axes.set_ylabel("validation accuracy, %, mean of three seeds")
    figure.savefig(path, dpi=120)


def _draw_searches(fitness: Floats, found: dict[str, list[Floats]], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for (name, searches), colour in zip(found.items(), ("tab:red", "tab:blue"), strict=True):
        length = min(map(len, searches))
        usable = np.stack([np.where(np.isfinite(seen[:length]), seen[:length], 0.0) for seen in searches])
        parts = usable[:, : usable.shape[1] // _BATCH * _BATCH].reshape(len(searches), -1, _BATCH)
        middle = np.median(parts, axis=2).mean(axis=0)
        axes.plot(_BATCH * np.arange(1, len(middle) + 1), middle, color=colour, label=name)
    axes.set_xlabel("functions looked at")
    axes.set_ylabel(f"median accuracy of {_BATCH} in a row, %")
    axes.legend()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    app()
