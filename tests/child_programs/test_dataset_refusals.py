"""Data that does not fit is refused in one sentence that names the fix, and never unpickled."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autoglyph.child_programs import load_dataset

IMAGES = np.zeros((4, 3, 3), np.uint8)
LABELS = np.array([0, 1, 0, 1])


def assert_refused(name: str | Path, *fragments: str, **settings: Any) -> None:
    with pytest.raises(ValueError) as caught:
        load_dataset(str(name), **{"seed": 0, **settings})
    message = str(caught.value)
    assert "\n" not in message and message.endswith((".", "?")), message
    for fragment in fragments:
        assert fragment in message, message


@pytest.mark.parametrize(
    ("images", "labels", "fragments"),
    [
        (IMAGES, LABELS[:3], ["4 images", "3 labels", "one label an image"]),
        (IMAGES[0], LABELS, ["shape (3, 3)", "channels last"]),
        (np.zeros((4, 3, 3, 2)), LABELS, ["(4, 3, 3, 2)", "1 or 3 channels"]),
        (np.zeros((4, 3, 32, 32)), LABELS, ["(4, 3, 32, 32)", "channels last"]),
        (IMAGES[:0], LABELS[:0], ["at least one image"]),
        (np.full((4, 3, 3), np.nan), LABELS, ["NaN or infinite", "replace"]),
        (np.full((4, 3, 3), np.inf), LABELS, ["NaN or infinite"]),
        (np.full((4, 3, 3), -np.inf), LABELS, ["NaN or infinite"]),
        (np.full((4, 3, 3), 200.0), LABELS, ["200.0", "floats 0 to 1"]),
        (np.full((4, 3, 3), -0.5), LABELS, ["-0.5", "floats 0 to 1"]),
        (np.full((4, 3, 3), 256, np.int32), LABELS, ["256", "integers 0 to 255"]),
        (np.full((4, 3, 3), "a"), LABELS, ["<U1", "integers 0 to 255"]),
        (np.zeros((4, 3, 3), complex), LABELS, ["complex128"]),
        (IMAGES, LABELS.astype(float), ["float64", "integer class numbers"]),
        (IMAGES, LABELS - 1, ["-1", "from 0"]),
        (IMAGES, np.eye(4, dtype=int), ["(4, 4)", "class numbers"]),
        (IMAGES, np.array(["cat", "dog", "cat", "dog"]), ["integer class numbers"]),
        (IMAGES, LABELS.astype(bool), ["bool", "integer class numbers"]),
        (IMAGES, LABELS * 1000, ["up to 1000", "without gaps"]),
        (IMAGES, LABELS.astype(np.uint64) + np.uint64(2**63), ["from 0"]),
        (IMAGES, LABELS * 0, ["one class", "at least two"]),
        (IMAGES[:1], LABELS[:1], ["one class"]),
    ],
)
def test_arrays_that_do_not_fit(tmp_path: Path, images: Any, labels: Any, fragments: list[str]) -> None:
    file = tmp_path / "data.npz"
    np.savez(file, x_train=images, y_train=labels)
    assert_refused(file, *fragments)


def test_keys_that_are_missing(tmp_path: Path) -> None:
    file = tmp_path / "data.npz"
    np.savez(file, images=IMAGES, y_train=LABELS)
    assert_refused(file, "images, y_train", "not x_train", "numpy.savez")
    np.savez(file)
    assert_refused(file, "holds nothing", "x_train and y_train")
    np.savez(file, x_train=IMAGES, y_train=LABELS, x_test=IMAGES)
    assert_refused(file, "both x_test and y_test")


def test_test_images_of_another_size(tmp_path: Path) -> None:
    file = tmp_path / "data.npz"
    np.savez(file, x_train=IMAGES, y_train=LABELS, x_test=np.zeros((4, 5, 5), np.uint8), y_test=LABELS)
    assert_refused(file, "(3, 3, 1)", "(5, 5, 1)", "make their sizes equal")


def test_a_single_training_image_cannot_be_divided(tmp_path: Path) -> None:
    file = tmp_path / "data.npz"
    np.savez(file, x_train=IMAGES[:1], y_train=LABELS[:1], x_test=IMAGES, y_test=LABELS)
    assert_refused(file, "1 training image", "at least two", validation_share=0.5)


class Explosive:
    """Creates a file when unpickled."""

    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self) -> Any:
        return Path.touch, (self.witness,)


def test_object_arrays_are_never_unpickled(tmp_path: Path) -> None:
    file, witness = tmp_path / "data.npz", tmp_path / "witness"
    np.savez(file, x_train=np.array([Explosive(witness)] * 4, object), y_train=LABELS)
    assert_refused(file, "plain numeric arrays")
    plain = tmp_path / "pickle.npz"
    plain.write_bytes(pickle.dumps(Explosive(witness)))
    assert_refused(plain, "not a .npz archive")
    with zipfile.ZipFile(file, "w") as archive:
        for key in ("x_train.npy", "y_train.npy"):
            archive.writestr(key, pickle.dumps(Explosive(witness)))
    assert_refused(file)
    assert not witness.exists()


def test_files_that_are_damaged_or_something_else(tmp_path: Path) -> None:
    file = tmp_path / "data.npz"
    assert_refused(file, "no file", "check the path")
    file.write_text("x_train,y_train\n")
    assert_refused(file, "not a .npz archive")
    file.write_bytes(b"")
    assert_refused(file, "not a .npz archive")
    rng = np.random.default_rng(0)
    np.savez_compressed(file, x_train=rng.integers(0, 256, (64, 9, 9), np.uint8), y_train=np.arange(64) % 2)
    content = bytearray(file.read_bytes())
    content[200:400] = bytes(200)
    file.write_bytes(content)
    assert_refused(file, "cannot be read")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x_train.npy", b"\x93NUMPY\x01\x00")
        archive.writestr("y_train.npy", b"")
    assert_refused(file, "cannot be read")
    assert_refused(tmp_path, "give a .npz file")
    table = tmp_path / "table.csv"
    table.write_text("a,b\n")
    assert_refused(table, "give a .npz file")


def test_a_header_that_promises_more_than_memory_holds(tmp_path: Path) -> None:
    import io

    file, header = tmp_path / "data.npz", io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**15,)})
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x_train.npy", header.getvalue())
        archive.writestr("y_train.npy", header.getvalue())
    assert_refused(file, "cannot be read")


def test_names_and_arguments() -> None:
    assert_refused("mnits", "did you mean 'mnist'")
    assert_refused("digits", "at least 1 image", limit=0)
    assert_refused("digits", "between 0 and 1", validation_share=1.0)
    assert_refused("digits", "between 0 and 1", validation_share=0.0)
    assert_refused("digits", "at least 1 pixel", resolution=0)


def test_a_download_that_fails_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    def fail() -> Any:
        raise Exception("URL fetch failure on https://example.org: None -- no route\nto host")

    monkeypatch.setattr(keras.datasets.cifar10, "load_data", fail)
    assert_refused("cifar10", "could not load 'cifar10'", "connect to the internet", ".npz file", "URL fetch failure")
