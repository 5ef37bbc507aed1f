"""Data sets: what they hold, how they are divided, and how images are resized."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoglyph.child_programs import load_dataset
from autoglyph.child_programs.images import resize

CIFAR = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "cifar10_12k.npz"


def save(path: Path, **arrays: Any) -> str:
    np.savez(path, **arrays)
    return str(path)


def numbered_images(count: int, height: int = 3, width: int = 3) -> Any:
    """Grey images that are recognised by their level."""
    return np.repeat(np.arange(count, dtype=np.uint8), height * width).reshape(count, height, width)


def test_digits_are_divided_without_overlap_or_loss() -> None:
    data = load_dataset("digits", seed=0)
    assert data.x_train.shape == (1438, 8, 8, 1) and data.x_valid.shape == (359, 8, 8, 1)
    assert data.x_train.dtype == np.float32 and data.y_train.dtype == np.int32
    assert data.x_train.min() == 0 and data.x_train.max() == 1
    assert (data.classes, data.resolution, data.channels, data.name) == (10, 8, 1, "digits")
    assert "359 of 1797" in data.validation and "scikit-learn" in data.source
    assert set(data.y_train) == set(data.y_valid) == set(range(10))


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_a_split_is_a_partition_that_the_seed_decides(tmp_path: Path, share: float) -> None:
    name = save(tmp_path / "n.npz", x_train=numbered_images(40), y_train=np.arange(40) % 4)
    first, same, other = (load_dataset(name, seed=seed, validation_share=share) for seed in (1, 1, 2))

    def levels(x: Any) -> list[int]:
        return np.round(x[:, 0, 0, 0] * 255).astype(int).tolist()

    assert sorted(levels(first.x_train) + levels(first.x_valid)) == list(range(40))
    assert len(first.x_valid) == round(40 * share)
    assert levels(first.x_valid) == levels(same.x_valid) != levels(other.x_valid)
    assert [level % 4 for level in levels(first.x_train)] == first.y_train.tolist()


def test_test_images_of_a_file_are_the_validation_images_unless_a_split_is_asked_for(tmp_path: Path) -> None:
    name = save(
        tmp_path / "both.npz",
        x_train=numbered_images(10),
        y_train=np.arange(10) % 2,
        x_test=numbered_images(4) + 100,
        y_test=np.array([[0], [1], [1], [0]]),
    )
    whole, split = load_dataset(name, seed=0), load_dataset(name, seed=0, validation_share=0.3)
    assert np.allclose(whole.x_valid[:, 0, 0, 0] * 255, [100, 101, 102, 103])
    assert whole.y_valid.tolist() == [0, 1, 1, 0] and len(whole.x_train) == 10
    assert "test images" in whole.validation and "test images" not in split.validation
    assert len(split.x_train) == 7 and len(split.x_valid) == 3
    assert split.x_valid.max() * 255 < 11


def test_a_limit_draws_at_random_and_repeatably() -> None:
    whole, small, again = (load_dataset("digits", seed=3, limit=limit) for limit in (None, 50, 50))
    assert len(small.y_train) == len(small.y_valid) == 50
    assert np.array_equal(small.x_train, again.x_train) and np.array_equal(small.y_train, again.y_train)
    assert not np.array_equal(small.y_train, whole.y_train[:50])
    assert small.classes == 10


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float16, np.float64])
def test_integers_and_floats_come_out_between_0_and_1(tmp_path: Path, dtype: Any) -> None:
    levels = np.array([[[0, 51], [102, 255]]] * 4)
    images = levels.astype(dtype) if np.issubdtype(dtype, np.integer) else (levels / 255).astype(dtype)
    data = load_dataset(save(tmp_path / "x.npz", x_train=images, y_train=[0, 1, 0, 1]), seed=0)
    assert np.allclose(data.x_train[0, ..., 0], levels[0] / 255, atol=1e-3)


def test_rgb_images_keep_their_channels_and_become_squares(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 4, 8, 3), np.uint8)
    name = save(tmp_path / "wide.npz", x_train=images, y_train=[0, 1, 2, 0, 1, 2])
    data = load_dataset(name, seed=0, resolution=4)
    assert data.x_train.shape[1:] == (4, 4, 3) and data.channels == 3
    with pytest.raises(ValueError, match="4 x 8: give a resolution"):
        load_dataset(name, seed=0)


def test_resizing_keeps_labels_and_is_skipped_where_nothing_changes() -> None:
    data = load_dataset("digits", seed=0, limit=20)
    assert data.resized(8) is data
    larger = data.resized(12)
    assert larger.resolution == 12 and larger.y_valid is data.y_valid
    assert np.array_equal(larger.x_train, load_dataset("digits", seed=0, limit=20, resolution=12).x_train)


@given(height=st.integers(1, 13), width=st.integers(1, 13), resolution=st.integers(1, 20), seed=st.integers(0, 2**31))
@settings(max_examples=60, deadline=None)
def test_resizing_agrees_with_tensorflow(height: int, width: int, resolution: int, seed: int) -> None:
    import tensorflow as tf

    images = np.random.default_rng(seed).random((2, height, width, 3), np.float32)
    expected = tf.image.resize(images, (resolution, resolution), antialias=True).numpy()
    assert np.allclose(resize(images, resolution), expected, atol=1e-5)


def test_resizing_keeps_constant_images() -> None:
    images = np.full((1, 5, 7, 1), 0.25, np.float32)
    assert np.allclose(resize(images, 11), 0.25) and np.allclose(resize(images, 2), 0.25)
    with pytest.raises(ValueError, match="at least 1 pixel"):
        resize(images, 0)


def test_keras_data_sets_are_loaded_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    def fake() -> Any:
        print("Downloading data")
        return (numbered_images(20), np.arange(20) % 10), (numbered_images(10), np.arange(10)[:, None])

    monkeypatch.setattr(keras.datasets.mnist, "load_data", fake)
    data = load_dataset("mnist", seed=0)
    assert (data.name, data.source, len(data.y_valid)) == ("mnist", "keras.datasets.mnist", 10)


def test_the_shared_cifar_images_load() -> None:
    if not CIFAR.exists():
        pytest.skip("needs ../shared/data/cifar10_12k.npz: absent")
    data = load_dataset(str(CIFAR), seed=0)
    assert data.x_train.shape == (10_000, 32, 32, 3) and data.x_valid.shape == (2_000, 32, 32, 3)
    assert data.classes == 10 and 0 <= data.x_train.min() < data.x_train.max() <= 1
