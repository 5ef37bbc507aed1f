"""Stein variational gradients with a radial kernel (Liu and Wang 2016; Liu et al. 2017)."""

from __future__ import annotations

import math

import numpy as np

from autoglyph.algorithms.base import FloatArray


def median_bandwidth(particles: FloatArray) -> float:
    """Squared median distance of (n, P) particles over log(n + 1); 1 where they all coincide."""
    if len(particles) < 2:
        return 1.0
    distances = np.sqrt(_squared_distances(particles)[np.triu_indices(len(particles), 1)])
    return float(np.median(distances)) ** 2 / math.log(len(particles) + 1) or 1.0


def stein_direction(particles: FloatArray, gradients: FloatArray, bandwidth: float) -> FloatArray:
    """(n, P) directions 1/n sum_j [ gradient_j k(j, i) + grad_j k(j, i) ], with k = exp(-|j - i|^2 / bandwidth).

    The first term moves particles where their neighbours want to go, the second drives them apart.

    Args:
        particles: (n, P) weights.
        gradients: (n, P) of the logarithm of the density to be approximated, at the particles.
        bandwidth: of the kernel, a squared distance.
    """
    kernel = np.exp(-_squared_distances(particles) / bandwidth)
    repulsion = 2.0 / bandwidth * (kernel.sum(axis=0)[:, None] * particles - kernel @ particles)
    direction: FloatArray = (kernel @ gradients + repulsion) / len(particles)
    return direction


def _squared_distances(particles: FloatArray) -> FloatArray:
    squares: FloatArray = ((particles[:, None] - particles[None]) ** 2).sum(axis=2)
    return squares
