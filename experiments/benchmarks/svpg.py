"""What the Stein kernel of SVPG does: particles that match a Gaussian, controllers that cover both modes of a bandit.

The bandit has ten arms, of which two pay 1 and 1, or 1 and 0.9, and the others nothing. A population covers both modes
if each is the most probable arm of a controller. SVPG with a kernel between policies, with one between weights as in
the paper, and as many independent REINFORCE controllers have the same trials in all, and the same batch a controller.
The kernel between weights has the temperature at which it covers most, 10; that between policies the default.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyglove as pg

from autoglyph.algorithms.base import Algorithm, FloatArray, Outcomes
from autoglyph.algorithms.controllers import Controller
from autoglyph.algorithms.controllers.stein import median_bandwidth, stein_direction
from autoglyph.algorithms.reinforce import Reinforce
from autoglyph.algorithms.svpg import SVPG
from autoglyph.search_spaces import Genome

ARMS, MODES = 10, (2, 7)
BATCH = 5
"""Trials of an update of each controller."""
TRIALS = 800
POPULATIONS = (2, 4)
WEIGHTS: dict[str, Any] = {"kernel": "weights", "temperature": 10.0}
PAYS = {"equal": (1.0, 1.0), "unequal": (1.0, 0.9)}
MEAN, COVARIANCE = np.array([1.0, -2.0]), np.array([[1.0, 0.6], [0.6, 2.0]])


def run(*, quick: bool = False) -> dict[str, Any]:
    """Measures both.

    Args:
        quick: fewer seeds.

    Returns:
        "ratios": shares of seeds in which the populations cover both modes; "figures": the mean probability that
        their controllers give to the two modes together, and the errors of the Gaussian.
    """
    seeds = range(3 if quick else 20)
    ratios: dict[str, float] = {}
    figures = gaussian_errors()
    for pays in PAYS:
        for controllers in POPULATIONS:
            found = {
                "svpg_policies": [svpg_policies(pays, controllers, seed) for seed in seeds],
                "svpg_weights": [svpg_policies(pays, controllers, seed, **WEIGHTS) for seed in seeds],
                "independent": [independent_policies(pays, controllers, seed) for seed in seeds],
            }
            for name, populations in found.items():
                case = f"{name}_{controllers}_controllers_{pays}_modes"
                ratios[f"share_covering_both_{case}"] = float(np.mean([covers_both(each) for each in populations]))
                figures[f"probability_of_modes_{case}"] = float(np.mean([each[:, MODES].sum() for each in populations]))
                figures[f"probability_of_modes_{case}"] /= controllers
    figures["seeds"] = float(len(seeds))
    return {"bench": "svpg", "ratios": ratios, "figures": figures}


def gaussian_errors(particles: int = 60, steps: int = 800) -> dict[str, float]:
    """Largest errors of mean and covariance of particles that Stein directions move to a Gaussian in the plane."""
    precision = np.linalg.inv(COVARIANCE)
    points: FloatArray = np.random.default_rng(0).normal(size=(particles, 2))
    for _ in range(steps):
        points = points + 0.3 * stein_direction(points, (MEAN - points) @ precision, median_bandwidth(points))
    return {
        "gaussian_largest_error_of_mean": float(np.abs(points.mean(axis=0) - MEAN).max()),
        "gaussian_largest_error_of_covariance": float(np.abs(np.cov(points.T) - COVARIANCE).max()),
    }


def svpg_policies(
    pays: str, controllers: int, seed: int, *, kernel: str = "policies", temperature: float = 0.1
) -> FloatArray:
    """(controllers, arms) probabilities that the controllers of one SVPG end with.

    Args:
        pays: "equal" or "unequal".
        controllers: how many.
        seed: of the search.
        kernel: of SVPG.
        temperature: of SVPG.
    """
    algorithm = SVPG(controllers=controllers, batch=BATCH * controllers, kernel=kernel, temperature=temperature)
    _play(algorithm, pays, TRIALS, seed)
    return np.stack([_probabilities(algorithm._controller, weights) for weights in algorithm._weights])


def independent_policies(pays: str, controllers: int, seed: int) -> FloatArray:
    """(controllers, arms) probabilities that controllers end with that know nothing of each other."""
    settings = SVPG()
    found = []
    for number in range(controllers):
        algorithm = Reinforce(batch=BATCH, learning_rate=settings.learning_rate, entropy=settings.entropy)
        _play(algorithm, pays, TRIALS // controllers, 1000 * (seed + 1) + number)
        found.append(_probabilities(algorithm._controller, algorithm._weights))
    return np.stack(found)


def covers_both(policies: FloatArray) -> bool:
    """Whether each mode is the most probable arm of a controller."""
    return set(MODES) <= set(policies.argmax(axis=1).tolist())


def _play(algorithm: Algorithm, pays: str, trials: int, seed: int) -> None:
    genome = Genome(pg.Dict(arm=pg.oneof(range(ARMS))))
    pay = np.zeros(ARMS)
    pay[list(MODES)] = PAYS[pays]
    algorithm.setup(genome, 1, seed)
    for start in range(0, trials, algorithm.batch_size):
        rows = algorithm.ask(algorithm.batch_size).rows
        fitness = pay[rows[:, 0].astype(int)]
        algorithm.tell(Outcomes(np.arange(start, start + len(rows)), rows, fitness[:, None]))


def _probabilities(controller: Controller, weights: FloatArray) -> FloatArray:
    """(arms,) probabilities of the one decision."""
    tokens, made = np.zeros((1, 1), np.int64), np.ones((1, 1), bool)
    policy: FloatArray = np.exp(controller.forward(weights, tokens, made).log_probabilities[0, 0])
    return policy
