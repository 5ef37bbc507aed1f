"""Search of feature pyramids: evolution and PPO against random search, and the found cells against the plain pyramid.

Every child is a small RetinaNet on ResNet-10, trained from scratch on digits_canvas with one seed; its fitness is AP
on the validation canvases. All searches train the same number of different children; random search and evolution of
one seed begin with the same ones, which are trained once. The best child of all searches is then trained anew with
other seeds beside the published NAS-FPN cells and the plain pyramid (FPN), whose width is chosen so that it makes the
same multiply-adds, and AP is measured on the test canvases. `--table children.csv` keeps what was trained, so that a
run that was cut short goes on, and the best child as an individual beside it, `children.best.json`.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autoglyph.algorithms import catalog
from autoglyph.algorithms.hurdles.no_hurdles import NoHurdles
from autoglyph.experiments.benchmarks.simulated_training import Floats, simulate
from autoglyph.experiments.individual_file import write_individual
from autoglyph.search_spaces import Rows
from autoglyph.search_spaces.architectures.retinanet import RetinaNet
from autoglyph.search_spaces.blocks.feature_pyramid import Fpn
from autoglyph.search_spaces.spaces.nas_fpn import SPACE

if TYPE_CHECKING:
    from autoglyph.child_programs.detection.examples import DetectionDataset
    from autoglyph.child_programs.detection.object_detection import ObjectDetection

ALGORITHMS = ("random", "regularized_evolution", "ppo")
SEEDS = 3


class Size(NamedTuple):
    """How much is searched and trained.

    Attributes:
        algorithms: which of them.
        trials: different children of a search.
        population: members of evolution; PPO updates after as many trials.
        epochs: of a child.
        repeats: trainings of each network in the comparison.
    """

    algorithms: tuple[str, ...]
    trials: int
    population: int
    epochs: int
    repeats: int


FULL = Size(ALGORITHMS, trials=32, population=8, epochs=4, repeats=3)
QUICK = Size(ALGORITHMS[:2], trials=4, population=2, epochs=2, repeats=2)
WIDTH = 0.125
HEAD_DEPTH = 1
_COLUMNS = ("settings", "genes", "ap")
_FILTERS = range(8, 128)


def run(*, quick: bool = False, table: Path | None = None) -> dict[str, Any]:
    """Searches, then compares what was found.

    Args:
        quick: fewer trials of random search and evolution alone, shorter trainings.
        table: CSV file of children that are trained already; those trained now are added.

    Returns:
        "ratios": mean best validation AP of each algorithm by that of random search, and test AP of the found cells by
        those of the others; "figures": what they follow from, with the best AP of every seed.
    """
    from autoglyph.child_programs.detection.object_detection import ObjectDetection
    from autoglyph.child_programs.tensorflow_process import prepare_process

    prepare_process(None)
    size = QUICK if quick else FULL
    program = ObjectDetection(epochs=[size.epochs], width=WIDTH)
    children = _Children(program, program.load("digits_canvas", 0), table)
    best: dict[str, list[float]] = {name: [] for name in size.algorithms}
    mean: dict[str, list[float]] = {name: [] for name in size.algorithms}
    for seed in range(SEEDS):
        for name in size.algorithms:
            algorithm = catalog.maker(name)(**_settings(name, size))
            _say(f"{name}, seed {seed}")
            found = simulate(SPACE.genome, algorithm, NoHurdles(), children, [1.0], float(size.trials), seed)
            best[name].append(float(found.fitness.max()))
            mean[name].append(float(found.fitness.mean()))
    if table is not None:
        children.keep_best(table.with_suffix(".best.json"))
    compared = _compare(children, size.repeats)
    pairs = {f"{name}_by_random_best_ap": (best[name], best["random"]) for name in size.algorithms if name != "random"}
    for name in ("fpn", "published"):
        pairs[f"found_by_{name}_test_ap"] = ([compared["found_test_ap"]], [compared[f"{name}_test_ap"]])
    ratios = {name: float(np.mean(ours) / np.mean(others)) for name, (ours, others) in pairs.items() if np.any(others)}
    figures = {f"{name}_best_ap": float(np.mean(values)) for name, values in best.items()}
    figures |= {f"{name}_mean_ap_of_children": float(np.mean(values)) for name, values in mean.items()}
    for name, values in best.items():
        figures |= {f"{name}_best_ap_seed_{seed}": value for seed, value in enumerate(values)}
        if name != "random":
            figures[f"seeds_{name}_beats_random"] = float(np.sum(np.array(values) > np.array(best["random"])))
    figures |= {"trials_of_a_search": float(size.trials), "children_trained": float(len(children.known)), **compared}
    return {"bench": "detection", "ratios": ratios, "figures": figures}


def _settings(name: str, size: Size) -> dict[str, Any]:
    if name == "regularized_evolution":
        return {"population_size": size.population, "tournament_size": max(2, size.population // 2)}
    return {"batch": size.population, "learning_rate": 0.02} if name == "ppo" else {}


class _Children:
    """Validation AP of individuals, trained where they are not known; rows (n, L) -> (n, 1) percent."""

    def __init__(self, program: ObjectDetection, data: DetectionDataset, table: Path | None) -> None:
        self.program, self.data, self._table = program, data, table
        self._settings = json.dumps([program.to_json(), data.source, HEAD_DEPTH], sort_keys=True)
        self.known: dict[str, float] = {}
        if table is not None and table.is_file():
            with table.open(encoding="utf-8", newline="") as file:
                reader = csv.DictReader(file)
                if tuple(reader.fieldnames or ()) != _COLUMNS:
                    raise ValueError(
                        f"{str(table)!r} has no columns {', '.join(_COLUMNS)}: name a file that is not there."
                    )
                self.known = {line["genes"]: float(line["ap"]) for line in reader if line["settings"] == self._settings}

    def __call__(self, rows: Rows) -> Floats:
        return np.array([[self._ap(row)] for row in rows])

    def best(self) -> RetinaNet:
        """The individual of the greatest validation AP."""
        return _shallow(SPACE.genome.decode(SPACE.genome.from_json(json.loads(self._best_genes))))

    def keep_best(self, path: Path) -> None:
        """Writes the same as an individual file."""
        base = {"space": SPACE.name, "genes": json.loads(self._best_genes)}
        write_individual(path, base, {}, {"validation_ap": self.known[self._best_genes]})

    @property
    def _best_genes(self) -> str:
        return max(self.known, key=lambda text: self.known[text])

    def _ap(self, row: Rows) -> float:
        genes = json.dumps(SPACE.genome.to_json(row))
        if genes not in self.known:
            candidate = _shallow(SPACE.genome.decode(row))
            (measurement,) = self.program.run(candidate, seed=0, data=self.data)
            self.known[genes] = measurement.values["ap"]
            self._keep(genes)
            _say(f"child {len(self.known)}: AP {self.known[genes]:.2f} %")
        return self.known[genes]

    def _keep(self, genes: str) -> None:
        if self._table is None:
            return
        is_new = not self._table.is_file()
        with self._table.open("a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            if is_new:
                writer.writerow(_COLUMNS)
            writer.writerow([self._settings, genes, repr(self.known[genes])])


def _shallow(individual: RetinaNet) -> RetinaNet:
    changed: RetinaNet = individual.clone(deep=True)
    changed.rebind(head_depth=HEAD_DEPTH)
    return changed


def _compare(children: _Children, repeats: int) -> dict[str, float]:
    """Test AP, its spread over seeds of the training and million multiply-adds of the found and the known pyramids."""
    program = children.program
    found = program.sized(children.best(), children.data)
    networks = {
        "found": found,
        "published": program.sized(_shallow(SPACE.individual("r50-nas-fpn-7-256")), children.data),
        "fpn": _plain_of_equal_cost(found),
    }
    own_size = program.clone(deep=True)
    own_size.rebind(width=None, stacks=None)
    figures: dict[str, float] = {}
    for name, network in networks.items():
        aps = []
        for seed in range(1, repeats + 1):
            aps.append(_test_ap(own_size, network, children.data, seed))
            _say(f"{name}, training seed {seed}: test AP {aps[-1]:.2f} %")
        figures[f"{name}_test_ap"] = float(np.mean(aps))
        figures |= {f"{name}_test_ap_seed_{seed}": ap for seed, ap in enumerate(aps, start=1)}
        figures[f"{name}_million_madds"] = _madds(network) / 1e6
    return figures


def _plain_of_equal_cost(network: RetinaNet) -> RetinaNet:
    """The same detector with a plain pyramid, as wide as makes its multiply-adds nearest."""
    wanted = _madds(network)
    plain = []
    for filters in _FILTERS:
        candidate: RetinaNet = network.clone(deep=True)
        candidate.rebind(pyramid=Fpn(filters=filters))
        plain.append((abs(_madds(candidate) - wanted), filters, candidate))
    return min(plain, key=lambda each: each[:2])[2]


def _madds(network: RetinaNet) -> int:
    from autoglyph.hardware_models import record

    return record(network).madds


def _test_ap(program: ObjectDetection, network: RetinaNet, data: DetectionDataset, seed: int) -> float:
    import keras

    begun = program.begin(network, seed=seed, data=data)
    begun.training.train_until(program.epochs[-1])
    ap = begun.detector.measure(data.test)["ap"]
    keras.utils.clear_session()
    return ap


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
