"""Weight sharing: one set of weights read as single networks, as one switched program and as mixtures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyglove as pg
import pytest

from autoglyph.child_programs.datasets import Dataset, load_dataset
from autoglyph.child_programs.image_classification import ImageClassification
from autoglyph.child_programs.keras_net import build_model
from autoglyph.child_programs.tensorflow_process import prepare_process
from autoglyph.child_programs.weight_sharing.inheritance import STATISTICS_IMAGES, inherit
from autoglyph.child_programs.weight_sharing.mixing_net import mixable_columns
from autoglyph.child_programs.weight_sharing.one_shot import Schedule, search_by_gradient, search_by_policy
from autoglyph.child_programs.weight_sharing.paths import CompiledPaths, EagerPaths, Paths, paths_of
from autoglyph.child_programs.weight_sharing.policy import PathPolicy
from autoglyph.child_programs.weight_sharing.shared_weights import SharedWeights
from autoglyph.child_programs.weight_sharing.supernet import Supernet
from autoglyph.search_spaces import Genome
from autoglyph.search_spaces.architecture import Architecture
from autoglyph.search_spaces.architectures.nasbench201 import NasBench201
from autoglyph.search_spaces.space import SearchSpace
from autoglyph.search_spaces.spaces.efficientnet import SPACE as STAGES
from autoglyph.search_spaces.spaces.nasbench201 import SPACE as CELLS

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def digits() -> Dataset:
    prepare_process(None)
    return load_dataset("digits", seed=0, validation_share=0.2)


@pytest.fixture(scope="module")
def compiled(digits: Dataset) -> Paths:
    return paths_of(Supernet(SharedWeights(0), digits, width=0.25), CELLS.genome)


def test_one_program_computes_every_path_as_it_is_computed_alone(compiled: Paths) -> None:
    assert isinstance(compiled, CompiledPaths)
    eager = EagerPaths(compiled.supernet, CELLS.genome)
    rng = np.random.default_rng(0)
    batch = np.arange(20)
    for _ in range(4):
        row = PathPolicy(CELLS).draw(rng)
        together, alone = compiled._logits(row, batch).numpy(), eager._logits(row, batch).numpy()
        np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-4)


def test_a_step_moves_the_weights_of_its_path_alone(compiled: Paths) -> None:
    convolutions = CELLS.genome.encode(CELLS.individual("resnet"))  # 3x3 on two edges, skips on two
    before = compiled.supernet.weights.values()
    compiled.train_step(convolutions, np.arange(32), 0.1)
    moved = {
        key
        for key, arrays in compiled.supernet.weights.values().items()
        if any((new != old).any() for new, old in zip(arrays, before[key], strict=True))
    }
    cells = {key for key in moved if "_cell1_" in key}
    assert cells
    assert all("edge01_conv.3x3" in key or "edge12_conv.3x3" in key for key in cells)
    assert {key for key in moved if key.startswith("stem_conv")}
    compiled.supernet.begin_with(before)
    for key, arrays in compiled.supernet.weights.values().items():
        assert all((a == b).all() for a, b in zip(arrays, before[key], strict=True))


LEADS_NOWHERE = NasBench201(edges=["nor_conv_1x1", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3", "none", "none"])
"""Its nodes 1 and 2 reach no output."""


@pytest.mark.parametrize("individual", [CELLS.individual("resnet"), LEADS_NOWHERE, STAGES.individual("b0")])
def test_a_network_of_its_own_begins_with_the_shared_weights(
    individual: Architecture, digits: Dataset, tmp_path: Path
) -> None:
    images = digits if isinstance(individual, NasBench201) else digits.resized(32)
    supernet = Supernet(SharedWeights(3), images, width=0.25)
    fitted = supernet.fitted(individual)
    from autoglyph.child_programs.weight_sharing.path_net import PathNet

    batch = supernet.images(np.arange(min(STATISTICS_IMAGES, len(images.x_train))))
    expected = supernet.logits(PathNet(supernet.weights, batch), fitted).numpy()
    supernet.weights.save(tmp_path / "shared.npz")

    model = build_model(fitted, seed=9, composed_swish=True)
    inherit(model, fitted, tmp_path / "shared.npz", images)
    found = model(batch, training=False).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)

    wider = Supernet(SharedWeights(3), images, width=0.5).fitted(individual)
    with pytest.raises(ValueError, match="holds no weights for"):
        inherit(build_model(wider), wider, tmp_path / "shared.npz", images)


def test_a_child_program_measures_inherited_weights_before_it_trains_on(digits: Dataset, tmp_path: Path) -> None:
    program = ImageClassification(
        epochs=[0, 1], width=0.25, resolution=None, shared_weights=str(tmp_path / "shared.npz")
    )
    supernet = Supernet(SharedWeights(0), digits, width=0.25)
    paths = EagerPaths(supernet, CELLS.genome)
    row = CELLS.genome.encode(CELLS.individual("resnet"))
    for step in range(3):
        paths.train_step(row, np.arange(64 * step, 64 * step + 64), 0.05)
    supernet.weights.save(tmp_path / "shared.npz")
    first, second = program.run(CELLS.individual("resnet"), seed=0, data=digits)
    assert "train_loss" not in first.values and "train_loss" in second.values
    assert second.values["loss"] < first.values["loss"]
    with pytest.raises(ValueError, match="at least 1"):
        ImageClassification(epochs=[0])


def test_files_that_hold_no_weights_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="autoglyph supernet"):
        SharedWeights.load(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("weights")
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    np.savez(tmp_path / "pickled.npz", **{"a|0": np.array([object()])})
    for name in ("text", "other", "pickled"):
        with pytest.raises(ValueError, match="holds no shared weights"):
            SharedWeights.load(tmp_path / f"{name}.npz")


def test_mixtures_stand_for_parts_and_not_for_structure() -> None:
    def small(individual):  # type: ignore[no-untyped-def]
        return individual.proxy(resolution=32, channels=1, classes=10, width=0.25)

    assert mixable_columns(CELLS.genome, small) == list(range(6))
    mixed = {STAGES.genome.columns[at].name for at in mixable_columns(STAGES.genome, small)}
    assert mixed == {f"stages[{i}].{field}" for i in range(7) for field in ("kernel", "expansion")}


def test_gradients_choose_between_candidates(digits: Dataset) -> None:
    supernet = Supernet(SharedWeights(0), digits, width=0.25)
    base = CELLS.genome.encode(CELLS.individual("resnet"))
    steps = list(search_by_gradient(supernet, CELLS, base, Schedule(3, batch_size=16), learning_rate=0.2))
    assert steps[-1].confidence is not None and steps[-1].confidence > 0.21
    assert steps[-1].found is None or CELLS.feasible(steps[-1].found[None])[0]
    assert [each.found for each in steps[:-1]] == [None, None]


class _Table(Paths):
    """Accuracy by table, no weights: 40 % and 10 % for every later candidate."""

    def train_step(self, row, batch, learning_rate):  # type: ignore[no-untyped-def]
        return 0.0

    def measure(self, row, batch=None):  # type: ignore[no-untyped-def]
        return {"top1": 40.0 + 10.0 * float(np.mean(row))}

    def _step(self, row, batch, learning_rate):  # type: ignore[no-untyped-def]
        raise NotImplementedError

    def _logits(self, row, batch):  # type: ignore[no-untyped-def]
        raise NotImplementedError


class _Few:
    """The numbers of images, as a supernet says them."""

    class data:  # noqa: N801
        y_train = np.zeros(256, np.int32)
        y_valid = np.zeros(64, np.int32)


def test_the_absolute_reward_leads_to_the_target() -> None:
    space = SearchSpace("table", pg.List([pg.oneof([0, 1, 2, 3]) for _ in range(4)]))
    paths = _Table(_Few(), space.genome)  # type: ignore[arg-type]
    *_, free = search_by_policy(paths, space, Schedule(1500), learning_rate=0.1)
    assert free.found is not None and free.found.tolist() == [3, 3, 3, 3]
    assert free.confidence is not None and free.confidence > 0.8
    for target in (4.0, 8.0):
        *_, last = search_by_policy(
            paths,
            space,
            Schedule(1500),
            cost=lambda row: float(row.sum()),
            target=target,
            beta=-1.0,
            learning_rate=0.1,
        )
        assert last.found is not None and abs(float(last.found.sum()) - target) <= 1
    with pytest.raises(ValueError, match="beta below 0"):
        next(search_by_policy(paths, space, Schedule(1), cost=lambda row: 1.0, target=1.0, beta=0.1))


def test_a_policy_leaves_decisions_alone_that_are_not_active() -> None:
    nested = pg.Dict(a=pg.oneof([pg.Dict(b=pg.oneof([1, 2])), pg.Dict(c=pg.oneof([1, 2, 3]))]))
    space = SearchSpace("nested", nested)
    policy = PathPolicy(space)
    row = Genome(nested).rows_at(0, 1)[0]
    policy.learn(row, 1.0)
    changed = [not np.allclose(p, 1 / len(p)) for p in policy.probabilities]
    assert changed == space.genome.active(row[None])[0].tolist()
    with pytest.raises(ValueError, match="real decisions"):
        PathPolicy(SearchSpace("real", pg.Dict(x=pg.floatv(0.0, 1.0))))
