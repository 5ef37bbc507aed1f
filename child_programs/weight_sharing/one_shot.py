"""One-shot searches: training along uniform or fair paths, ENAS and TuNAS by REINFORCE, DARTS by gradient.

Every function is a generator that yields its progress, so a caller shows it, or stops it by closing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autoglyph.child_programs.fused_optimizers import Adam
from autoglyph.child_programs.weight_sharing.fair_paths import fair_paths
from autoglyph.child_programs.weight_sharing.mixing_net import MixingNet, mixable_columns, sum_of, with_mixtures
from autoglyph.child_programs.weight_sharing.paths import Paths
from autoglyph.child_programs.weight_sharing.policy import PathPolicy
from autoglyph.child_programs.weight_sharing.supernet import Supernet, batches, cosine
from autoglyph.search_spaces.genome import Row
from autoglyph.search_spaces.space import SearchSpace

Cost = Callable[[Row], float]
BASELINE_DECAY = 0.95
WARMUP = 0.25
"""Share of the steps before a policy learns: its first rewards would be those of untrained weights."""


@dataclass(frozen=True)
class Progress:
    """How far a one-shot search is.

    Attributes:
        step: how many are done.
        loss: of the last step on weights, nats.
        confidence: mean probability of the likeliest candidate over decisions; None without a policy.
        found: the path that it would choose now; None without a policy.
    """

    step: int
    loss: float
    confidence: float | None = None
    found: Row | None = None


@dataclass(frozen=True)
class Schedule:
    """Sizes that all one-shot searches share.

    Attributes:
        steps: on the weights.
        batch_size: images a step.
        learning_rate: peak of the weights' cosine.
        seed: of all randomness.
    """

    steps: int
    batch_size: int = 64
    learning_rate: float = 0.1
    seed: int = 0


def train_uniformly(paths: Paths, space: SearchSpace, schedule: Schedule) -> Iterator[Progress]:
    """Trains shared weights along paths drawn uniformly (Guo et al. 2020, single path one-shot).

    Args:
        paths: the networks of the space.
        space: whose feasible points are drawn.
        schedule: sizes.

    Yields:
        After every step.
    """
    policy = PathPolicy(space)
    rng = np.random.default_rng([schedule.seed, 1])
    return _train_along((policy.draw(rng) for _ in itertools.count()), paths, schedule)


def train_fairly(paths: Paths, space: SearchSpace, schedule: Schedule) -> Iterator[Progress]:
    """Trains shared weights along paths in which every candidate comes equally often (Chu et al. 2021, FairNAS).

    Each path is a step of its own; FairNAS adds up the gradients of one deal.

    Args:
        paths: the networks of the space.
        space: whose feasible points are dealt, see `fair_paths`.
        schedule: sizes.

    Yields:
        After every step.
    """
    return _train_along(fair_paths(space, np.random.default_rng([schedule.seed, 1])), paths, schedule)


def _train_along(rows: Iterator[Row], paths: Paths, schedule: Schedule) -> Iterator[Progress]:
    examples = batches(len(paths.supernet.data.y_train), schedule.batch_size, schedule.seed)
    for step, row in zip(range(schedule.steps), rows, strict=False):
        rate = cosine(step, schedule.steps, schedule.learning_rate)
        yield Progress(step + 1, paths.train_step(row, next(examples), rate))


def search_by_policy(
    paths: Paths,
    space: SearchSpace,
    schedule: Schedule,
    *,
    cost: Cost | None = None,
    target: float = 1.0,
    beta: float = -0.07,
    learning_rate: float = 0.05,
) -> Iterator[Progress]:
    """Trains weights and a policy in turn: ENAS (Pham et al. 2018); with a cost, TuNAS (Bender et al. 2020).

    A step on the weights follows a path of the policy on training images; then the policy learns from another path's
    reward on validation images, its accuracy (as a share) plus beta |cost / target - 1|, TuNAS's absolute reward.

    Args:
        paths: the networks of the space.
        space: whose feasible points are drawn.
        schedule: sizes.
        cost: of a path, such as its latency; None rewards accuracy alone.
        target: cost that is aimed at.
        beta: weight of the distance from it, negative.
        learning_rate: of the policy's logits.

    Yields:
        After every step.

    Raises:
        ValueError: if the target is not positive or beta not negative.
    """
    if cost is not None and not (target > 0 > beta):
        raise ValueError(f"Expected a target above 0 and a beta below 0, received {target:g} and {beta:g}.")
    policy = PathPolicy(space, learning_rate=learning_rate)
    rng = np.random.default_rng([schedule.seed, 2])
    data = paths.supernet.data
    examples = batches(len(data.y_train), schedule.batch_size, schedule.seed)
    held_out = batches(len(data.y_valid), min(schedule.batch_size, len(data.y_valid)), schedule.seed + 1)
    baseline: float | None = None
    for step in range(schedule.steps):
        rate = cosine(step, schedule.steps, schedule.learning_rate)
        loss = paths.train_step(policy.draw(rng), next(examples), rate)
        if step >= WARMUP * schedule.steps:
            row = policy.draw(rng)
            reward = paths.measure(row, next(held_out))["top1"] / 100
            if cost is not None:
                reward += beta * abs(cost(row) / target - 1)
            baseline = reward if baseline is None else BASELINE_DECAY * baseline + (1 - BASELINE_DECAY) * reward
            policy.learn(row, reward - baseline)
        confidence = float(np.mean([p.max() for p in policy.probabilities]))
        is_last = step + 1 == schedule.steps
        yield Progress(step + 1, loss, confidence, policy.most_likely() if is_last else None)


def search_by_gradient(
    supernet: Supernet, space: SearchSpace, base: Row, schedule: Schedule, *, learning_rate: float = 0.02
) -> Iterator[Progress]:
    """DARTS of first order (Liu et al. 2019): every decision is a mixture, its shares learnt on validation images.

    Decisions that change the structure, such as depths, stay as they are in `base`.

    Args:
        supernet: weights and data; the memory is that of all candidates at once.
        space: that is searched; where the likeliest candidates make no feasible network, nothing is found.
        base: an individual.
        schedule: sizes.
        learning_rate: of the logits of the shares, for Adam.

    Yields:
        After every step.

    Raises:
        ValueError: if no decision of the space can be mixed.
    """
    import keras
    import tensorflow as tf

    genome = space.genome
    columns = mixable_columns(genome, supernet.fitted)
    if not columns:
        raise ValueError("No decision of this space can be a mixture: search it by policy instead.")
    names = [genome.columns[at].name for at in columns]
    mixed = supernet.fitted_mixture(with_mixtures(genome, base, columns))
    kept = [keras.Variable(np.zeros(len(genome.columns[at].candidates), np.float32)) for at in columns]
    logits, optimizer = [variable.value for variable in kept], Adam(kept, beta_1=0.5)

    def forward(images: Any) -> Any:
        shares = dict(zip(names, map(tf.nn.softmax, logits), strict=True))
        return supernet.logits(MixingNet(supernet.weights, images, sum_of(shares)), mixed)

    forward(supernet.images([0, 1]))  # makes the weights
    variables = supernet.weights.variables()
    for variable in variables:
        supernet.velocity(variable)

    def step(batch: Any, held_out: Any, rate: Any) -> Any:
        with tf.GradientTape() as tape:
            chosen = supernet.loss(forward(supernet.images(held_out, validation=True)), held_out, validation=True)
        optimizer.apply(tape.gradient(chosen, logits), tf.constant(learning_rate))
        with tf.GradientTape() as tape:
            loss = supernet.loss(forward(supernet.images(batch)), batch)
        supernet.descend(variables, tape.gradient(loss, variables), rate)
        return loss

    examples_of = tf.TensorSpec([None], tf.int64)
    compiled = tf.function(step, autograph=False, input_signature=[examples_of, examples_of, tf.TensorSpec([])])
    data = supernet.data
    examples = batches(len(data.y_train), schedule.batch_size, schedule.seed)
    held_out = batches(len(data.y_valid), min(schedule.batch_size, len(data.y_valid)), schedule.seed + 1)
    for at in range(schedule.steps):
        rate = np.float32(cosine(at, schedule.steps, schedule.learning_rate))
        loss = float(compiled(next(examples), next(held_out), rate))
        shares = [tf.nn.softmax(each).numpy() for each in logits]
        found = base.copy()
        found[columns] = [int(each.argmax()) for each in shares]
        found = genome.canonical(found[None])[0]
        is_found = at + 1 == schedule.steps and bool(space.feasible(found[None])[0])
        yield Progress(at + 1, loss, float(np.mean([each.max() for each in shares])), found if is_found else None)
