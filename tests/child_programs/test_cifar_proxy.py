"""EfficientNet-X-b0 at proxy size learns CIFAR-10 images."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CIFAR = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "cifar10_12k.npz"
PROGRAM = """
import sys
from autoglyph.child_programs import ImageClassification, load_dataset
from autoglyph.search_spaces import load_space
data = load_dataset(sys.argv[1], seed=0, limit=5000)
child = ImageClassification(cores=1).run(load_space("efficientnet_x").individual("x-b0"), seed=0, data=data)
for measurement in child:
    print(measurement.values["top1"])
"""


@pytest.mark.slow
def test_x_b0_is_far_better_than_chance_on_cifar() -> None:
    if not CIFAR.exists():
        pytest.skip("needs ../shared/data/cifar10_12k.npz: absent")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(CIFAR)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    top1 = [float(value) for value in done.stdout.split()]
    chance = 10.0
    assert top1[-1] > 2.2 * chance, top1
    assert top1[-1] > top1[0] > chance
