"""The recurrent controller, its tokens and gradients, and what each algorithm that trains it promises."""

import math

import numpy as np
import pyglove as pg
import pytest
from folds import SPACES, genome_of

from autoglyph.algorithms import Outcomes
from autoglyph.algorithms.controllers import Adam, Controller, DecisionSequence
from autoglyph.algorithms.controllers.policy_gradient import clipped_factors, reinforce_gradient, score_gradient
from autoglyph.algorithms.controllers.replay import ReplayMemory, Trial, n_step_targets
from autoglyph.algorithms.controllers.rewards import Rewards
from autoglyph.algorithms.controllers.stein import median_bandwidth, policy_stein_direction, stein_direction
from autoglyph.algorithms.controllers.told import Asked, Batches
from autoglyph.algorithms.ppo import PPO
from autoglyph.algorithms.q_learning import QLearning
from autoglyph.algorithms.random import Random
from autoglyph.algorithms.reinforce import Reinforce
from autoglyph.algorithms.svpg import SVPG
from autoglyph.experiments.benchmarks.replay_capacity import CHOICES, TOKENS, TokenProblem
from autoglyph.experiments.benchmarks.svpg import covers_both, independent_policies, svpg_policies
from autoglyph.search_spaces import Genome

LEARNERS = [Reinforce, PPO, SVPG, QLearning]
GROUPS = pg.Dict(
    a=pg.manyof(2, range(4), distinct=True, sorted=True),
    b=pg.manyof(2, range(3), distinct=False, sorted=True),
    c=pg.permutate([pg.oneof([1, 2]), 5, 6]),
)


def controller_of(genome: Genome, hidden: int = 3, seed: int = 0, scale: float = 1.0) -> tuple[Controller, np.ndarray]:
    controller = Controller(DecisionSequence(genome, 4), hidden)
    return controller, np.random.default_rng(seed).normal(0, scale, controller.size)


def log_probability(controller: Controller, weights: np.ndarray, rows: np.ndarray) -> np.ndarray:
    run = controller.forward(weights, *controller.sequence.of(rows))
    return run.chosen(run.log_probabilities).sum(axis=1)


def numerical_gradient(function, at: np.ndarray, step: float = 1e-5) -> np.ndarray:
    unit = np.eye(len(at)) * step
    return np.array([(function(at + each) - function(at - each)) / (2 * step) for each in unit])


@pytest.mark.parametrize("space", ["conditional", "groups", "floats"])
def test_gradients_agree_with_finite_differences(space: str) -> None:
    genome = genome_of(space)
    controller, weights = controller_of(genome, hidden=2)
    rows, advantages = genome.random(5, np.random.default_rng(1)), np.array([1.0, -2.0, 0.5, 3.0, -0.3])
    sequences = controller.sequence.of(rows)

    def objective(at: np.ndarray) -> float:
        run = controller.forward(at, *sequences)
        logs = run.log_probabilities
        entropy = -np.where(np.isfinite(logs), np.exp(logs) * np.where(np.isfinite(logs), logs, 0), 0).sum(axis=2)
        bonus = np.where(run.made, entropy, 0).sum(axis=1)
        return float((advantages * run.chosen(logs).sum(axis=1) + 0.7 * bonus).mean())

    exact = reinforce_gradient(controller, weights, sequences, advantages, 0.7)
    np.testing.assert_allclose(exact, numerical_gradient(objective, weights), atol=1e-8)


@pytest.mark.parametrize(
    "space", [SPACES["conditional"](), SPACES["groups"](), GROUPS], ids=["nested", "sets", "mixed"]
)
def test_probabilities_of_all_points_sum_to_one(space: object) -> None:
    genome = Genome(space)
    controller, weights = controller_of(genome)
    rows = genome.rows_at(0, genome.size)
    assert math.isclose(np.exp(log_probability(controller, weights, rows)).sum(), 1.0, rel_tol=1e-12)


def test_samples_have_the_probabilities_of_the_policy() -> None:
    genome = Genome(GROUPS)
    controller, weights = controller_of(genome, scale=0.6)
    rows = genome.rows_at(0, genome.size)
    sampled = controller.sample(weights, 20_000, np.random.default_rng(2))
    drawn = controller.sequence.rows(sampled.tokens, np.random.default_rng(3))
    genome.validate(drawn)
    keys, counts = np.unique(np.array(genome.keys(drawn)), return_counts=True)
    found = dict(zip(keys.tolist(), counts / len(drawn), strict=True))
    measured = np.array([found.get(key, 0.0) for key in np.array(genome.keys(rows)).tolist()])
    assert np.abs(measured - np.exp(log_probability(controller, weights, rows))).sum() < 0.1
    np.testing.assert_array_equal(controller.sequence.of(drawn)[0], sampled.tokens)


def test_masks_leave_what_the_earlier_choices_allow() -> None:
    sequence = DecisionSequence(Genome(GROUPS), 4)
    tokens = np.zeros((1, sequence.length), np.int64)
    tokens[0, 0], tokens[0, 2] = 1, 2
    allowed = [np.flatnonzero(sequence.legal(at, tokens)[0]).tolist() for at in range(4)]
    assert allowed == [[0, 1, 2], [2, 3], [0, 1, 2], [2]]


def test_skipped_decisions_change_nothing_that_follows() -> None:
    genome = genome_of("conditional")
    controller, weights = controller_of(genome)
    last = genome.length - 1
    tokens, made = np.zeros((2, genome.length), np.int64), np.zeros((2, genome.length), bool)
    tokens[:, 0], tokens[1, 1] = 1, 2  # the second candidate has no sub-space
    made[:, [0, last]] = True
    scores = controller.forward(weights, tokens, made).scores[:, last]
    np.testing.assert_array_equal(scores[0], scores[1])


def test_floats_are_written_within_their_bins() -> None:
    genome = Genome(pg.Dict(rate=pg.floatv(-1.0, 3.0)))
    sequence = DecisionSequence(genome, 4)
    rows = sequence.rows(np.array([[0], [1], [2], [3]]), np.random.default_rng(0))
    assert np.floor(rows[:, 0]).tolist() == [-1, 0, 1, 2]
    assert sequence.of(np.array([[-1.0], [0.0], [3.0]]))[0].ravel().tolist() == [0, 1, 3]


def test_custom_decisions_are_refused() -> None:
    class Word(pg.hyper.CustomHyper):
        def custom_decode(self, dna):
            return dna.value

        def custom_encode(self, value):
            return pg.DNA(value)

    with pytest.raises(ValueError, match="custom decision 'word': choose another algorithm"):
        Reinforce().setup(Genome(pg.Dict(word=Word())), 1, 0)


def test_the_expected_reinforce_gradient_of_a_bandit_is_the_closed_form() -> None:
    genome = genome_of("single choice")
    controller, weights = controller_of(genome)
    rows, pay = genome.rows_at(0, 2), np.array([0.3, 1.1])
    chance = np.exp(log_probability(controller, weights, rows))
    sequences = controller.sequence.of(rows)
    each = [
        reinforce_gradient(controller, weights, (sequences[0][[arm]], sequences[1][[arm]]), pay[[arm]], 0.0)
        for arm in (0, 1)
    ]
    bias = controller.views(chance @ np.array(each)).head_bias[0]
    slope = chance[0] * chance[1] * (pay[1] - pay[0])  # d/dz of the expected pay of a softmax of two
    np.testing.assert_allclose(bias, [-slope, slope], rtol=1e-12)


def test_clipped_ratios_count_while_they_may_still_move() -> None:
    ratios = np.array([[1.0, 1.1, 1.3, 0.7], [1.0, 0.9, 0.7, 1.3]])
    factors = clipped_factors(np.log(ratios), np.array([2.0, -3.0]), 0.2)
    np.testing.assert_allclose(factors, [[2.0, 2.2, 0.0, 1.4], [-3.0, -2.7, 0.0, -3.9]])


def test_ppo_of_one_epoch_on_its_own_policy_is_reinforce() -> None:
    rows = []
    for algorithm in (Reinforce(batch=6, learning_rate=0.01), PPO(batch=6, learning_rate=0.01, epochs=1)):
        algorithm.setup(genome_of("conditional"), 1, 4)
        for _ in range(6):
            proposed = algorithm.ask(6).rows
            fitness = proposed.sum(axis=1, keepdims=True).astype(float)
            algorithm.tell(Outcomes(np.arange(6), proposed, fitness))
        rows.append(algorithm.ask(40).rows)
    np.testing.assert_array_equal(rows[0], rows[1])


def test_ppo_weighs_a_trial_by_the_policy_that_proposed_it() -> None:
    algorithm = PPO(batch=8, epochs=1, clip=0.05, learning_rate=0.05)
    algorithm.setup(genome_of("flat"), 1, 0)
    early, late = algorithm.ask(8).rows, algorithm.ask(8).rows
    run = algorithm._controller.forward(algorithm._weights, *algorithm._controller.sequence.of(late))
    when_asked = run.chosen(run.log_probabilities)
    algorithm.tell(Outcomes(np.arange(8), early, early.sum(axis=1, keepdims=True).astype(float)))
    run = algorithm._controller.forward(algorithm._weights, *algorithm._controller.sequence.of(late))
    assert np.abs(run.chosen(run.log_probabilities) - when_asked).max() > 0.01
    np.testing.assert_allclose(algorithm._log_probabilities_when_asked(late), when_asked, rtol=1e-12)


def test_stein_direction_of_two_particles_by_hand() -> None:
    particles, gradients = np.array([[0.0], [2.0]]), np.array([[1.0], [-3.0]])
    near = math.exp(-4 / 8)
    expected = [(1 - 3 * near - 2 * 2 / 8 * near) / 2, (near - 3 + 2 * 2 / 8 * near) / 2]
    np.testing.assert_allclose(stein_direction(particles, gradients, 8.0).ravel(), expected, rtol=1e-12)


def test_stein_direction_is_the_sum_of_the_paper() -> None:
    rng = np.random.default_rng(0)
    particles, gradients, h = rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), 2.5
    expected = np.zeros((3, 4))
    for i in range(3):
        for j in range(3):
            difference = particles[j] - particles[i]
            kernel = math.exp(-(difference @ difference) / h)
            expected[i] += (gradients[j] * kernel - 2 * difference / h * kernel) / 3
    np.testing.assert_allclose(stein_direction(particles, gradients, h), expected, rtol=1e-12)
    distances = sorted(np.linalg.norm(particles[i] - particles[j]) for i, j in [(0, 1), (0, 2), (1, 2)])
    assert math.isclose(median_bandwidth(particles), distances[1] ** 2 / math.log(4))
    assert median_bandwidth(particles[:1]) == median_bandwidth(particles[[0, 0]]) == 1.0


def test_stein_particles_match_a_gaussian() -> None:
    mean, covariance = np.array([1.0, -2.0]), np.array([[1.0, 0.6], [0.6, 2.0]])
    precision = np.linalg.inv(covariance)
    particles = np.random.default_rng(0).normal(size=(60, 2))
    for _ in range(800):
        gradients = (mean - particles) @ precision
        particles = particles + 0.3 * stein_direction(particles, gradients, median_bandwidth(particles))
    np.testing.assert_allclose(particles.mean(axis=0), mean, atol=0.05)
    np.testing.assert_allclose(np.cov(particles.T), covariance, atol=0.25)


def test_svpg_with_a_narrow_kernel_is_separate_reinforce() -> None:
    genome = genome_of("flat")
    settings = {"kernel": "weights", "bandwidth": 1e-9, "temperature": 0.5, "entropy": 0.0, "learning_rate": 0.01}
    algorithm = SVPG(controllers=2, batch=8, **settings)
    algorithm.setup(genome, 1, 0)
    controller, weights = algorithm._controller, algorithm._weights.copy()
    adams = [Adam(controller.size, 0.01) for _ in range(2)]
    rewards = Rewards(0.8)
    for _ in range(3):
        proposed = algorithm.ask(8).rows
        fitness = proposed.sum(axis=1).astype(float)
        algorithm.tell(Outcomes(np.arange(8), proposed, fitness[:, None]))
        advantages = rewards.advantages(fitness)
        for owner, adam in enumerate(adams):
            sequences = controller.sequence.of(proposed[owner::2])
            gradient = reinforce_gradient(controller, weights[owner], sequences, advantages[owner::2], 0.0)
            weights[owner] += adam.ascent(gradient / 0.5 / 2)
    np.testing.assert_allclose(algorithm._weights, weights, rtol=0, atol=1e-12)


def test_the_kernel_between_policies_is_that_of_their_hellinger_distances() -> None:
    genome = Genome(GROUPS)
    controller = Controller(DecisionSequence(genome, 4), 3)
    rng = np.random.default_rng(5)
    particles = rng.normal(size=(3, controller.size))
    sequences = controller.sequence.of(genome.random(6, rng))
    bandwidth = 0.7

    def kernel(weights: np.ndarray, j: int) -> float:
        roots = []
        for each in (weights, particles[j]):
            run = controller.forward(each, *sequences)
            roots.append(np.sqrt(np.exp(run.log_probabilities[run.made])))
        return math.exp(-((roots[0] - roots[1]) ** 2).sum() / run.made.sum() / bandwidth)

    gradients = rng.normal(size=particles.shape)
    directions = policy_stein_direction(controller, particles, gradients, sequences, bandwidth)
    shared = np.array([[kernel(weights, j) for j in range(3)] for weights in particles]) @ gradients
    probe = rng.normal(size=controller.size)
    for i in range(3):
        ahead, behind = (sum(kernel(particles[i] + h * probe, j) for j in range(3)) for h in (1e-5, -1e-5))
        driven = 3 * directions[i] - shared[i]
        assert math.isclose(driven @ probe, -(ahead - behind) / 2e-5, rel_tol=1e-5, abs_tol=1e-9)


def test_controllers_driven_apart_cover_two_modes_and_independent_ones_do_not() -> None:
    seeds = range(3)
    together = [covers_both(svpg_policies("unequal", 4, seed)) for seed in seeds]
    alone = [covers_both(independent_policies("unequal", 4, seed)) for seed in seeds]
    assert sum(together) == 3 and sum(alone) <= 1


def test_returns_look_n_made_decisions_ahead() -> None:
    best = np.array([[1.0, 2.0, 3.0, 4.0, 5.0]] * 2)
    made = np.array([[True] * 5, [True, False, True, False, True]])
    rewards = np.array([9.0, -1.0])
    one, two = (n_step_targets(best, made, rewards, n) for n in (1, 2))
    assert one[0].tolist() == [2, 3, 4, 5, 9] and one[1, [0, 2, 4]].tolist() == [3, 5, -1]
    assert two[0].tolist() == [3, 4, 5, 9, 9] and two[1, [0, 2, 4]].tolist() == [5, -1, -1]
    assert (n_step_targets(best, made, rewards, 5) == rewards[:, None]).all()


def test_the_token_problem_pays_what_its_table_says() -> None:
    problem = TokenProblem(4)
    rows = np.indices((CHOICES,) * TOKENS).reshape(TOKENS, -1).T
    np.testing.assert_allclose(problem.pay(rows), problem.values)
    assert math.isclose(problem.values.mean(), 0, abs_tol=1e-9) and math.isclose(problem.values.std(), 1)


def test_the_memory_keeps_its_capacity_and_its_replay_ratio() -> None:
    memory, rng = ReplayMemory(capacity=3, replay_ratio=0.5), np.random.default_rng(0)
    for trial in range(9):
        memory.add(Trial(np.array([trial]), float(trial), policy=memory.updates))
        while memory.owes_update():
            rows, _ = memory.draw(50, rng)
            assert set(rows.ravel().tolist()) <= {trial - 2, trial - 1, trial}
    assert (len(memory), memory.updates, memory.oldest_policy_age) == (3, 4, 1)


def test_q_learning_makes_the_updates_that_its_trials_earn() -> None:
    algorithm = QLearning(capacity=25, replay_ratio=0.3, minibatch=4)
    algorithm.setup(genome_of("flat"), 1, 0)
    for _ in range(10):
        rows = algorithm.ask(10).rows
        algorithm.tell(Outcomes(np.arange(10), rows, rows.sum(axis=1, keepdims=True).astype(float)))
    memory = algorithm._memory
    assert (len(memory), memory.updates) == (25, 30)
    assert memory.oldest_policy_age == 30 - 21  # proposed by the eighth ask, before which 70 trials were told


def test_advantages_ignore_the_unit_of_the_fitness_and_failures_are_the_worst() -> None:
    fitness = np.random.default_rng(0).normal(size=(4, 6))
    plain, scaled = Rewards(0.8), Rewards(0.8)
    for batch in fitness:
        np.testing.assert_allclose(plain.advantages(batch), scaled.advantages(1e4 * batch - 7), rtol=1e-6)
    rewards = Rewards(0.5)
    assert np.isnan(rewards.of(np.array([-np.inf]))).all()
    assert rewards.of(np.array([3.0, -np.inf, 2.0])).tolist() == [3.0, 2.0, 2.0]
    assert rewards.of(np.array([-np.inf, 5.0])).tolist() == [2.0, 5.0]
    np.testing.assert_allclose(rewards.advantages(np.array([np.nan, 4.0])), [-1.0, 1.0])
    assert Rewards(0.5).advantages(np.array([np.nan, np.nan])).tolist() == [0.0, 0.0]
    assert Rewards(0.5).advantages(np.full(3, 0.1)).tolist() == [0.0, 0.0, 0.0]


def test_the_baseline_is_a_moving_average() -> None:
    rewards = Rewards(0.5)
    assert rewards.advantages(np.array([1.0, 3.0])).tolist() == [-1.0, 1.0]  # baseline 2, deviation 1
    second = rewards.advantages(np.array([4.0, 4.0]))  # still against 2; mean square 0.5 * 1 + 0.5 * 4
    np.testing.assert_allclose(second, 2 / math.sqrt(2.5))


def test_batches_are_cut_in_order_and_rows_asked_twice_are_remembered_twice() -> None:
    batches = Batches(4)
    assert batches.add(np.arange(3)[:, None], np.arange(3.0)) == []
    cut = batches.add(np.arange(3, 10)[:, None], np.arange(3.0, 10.0))
    assert [rewards.tolist() for _, rewards in cut] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    asked: Asked[int] = Asked(capacity=2)
    for key, memory in [(b"a", 1), (b"a", 2), (b"b", 3), (b"c", 4)]:
        asked.remember(key, memory)
    assert [asked.recall(key) for key in (b"a", b"b", b"b", b"c")] == [None, 3, None, 4]


def test_adam_first_steps_have_the_size_of_the_learning_rate() -> None:
    np.testing.assert_allclose(Adam(2, 0.1).ascent(np.array([5.0, -0.01])), [0.1, -0.1], rtol=1e-5)


def test_the_first_policy_is_uniform_over_legal_candidates() -> None:
    controller = Controller(DecisionSequence(Genome(GROUPS), 4), 3)
    run = controller.sample(controller.initial(np.random.default_rng(0)), 4, np.random.default_rng(1))
    policy = np.exp(run.log_probabilities)[run.made]
    legal = np.isfinite(run.scores)[run.made]
    np.testing.assert_allclose(policy, legal / legal.sum(axis=1, keepdims=True))
    assert score_gradient(run, np.zeros(run.made.shape), 1.0) == pytest.approx(0.0, abs=1e-15)


def best_of(algorithm: object, seed: int) -> float:
    """Best of 300 trials where a row is worth its run of decisions equal to the one before."""
    genome = Genome(pg.Dict({f"x{i}": pg.oneof(range(4)) for i in range(10)}))
    algorithm.setup(genome, 1, seed)
    best = -math.inf
    for _ in range(30):
        rows = algorithm.ask(10).rows
        fitness = (rows[:, 1:] == (rows[:, :-1] + 1) % 4).sum(axis=1, keepdims=True).astype(float)
        best = max(best, float(fitness.max()))
        algorithm.tell(Outcomes(np.arange(10), rows, fitness))
    return best


@pytest.mark.parametrize("learner", LEARNERS)
def test_learners_beat_random_search_on_a_chain(learner: type) -> None:
    learned, chance = ([best_of(each(), seed) for seed in range(5)] for each in (learner, Random))
    assert np.mean(learned) > np.mean(chance)
