"""Stein variational gradients with a radial kernel (Liu and Wang 2016; Liu et al. 2017)."""

from __future__ import annotations

import math

import numpy as np

from autoglyph.algorithms.base import FloatArray, IntArray
from autoglyph.algorithms.controllers.decision_sequence import Mask
from autoglyph.algorithms.controllers.lstm import Controller


def median_bandwidth(particles: FloatArray) -> float:
    """Squared median distance of (n, P) particles over log(n + 1); 1 where they all coincide."""
    if len(particles) < 2:
        return 1.0
    distances = np.sqrt(_squared_distances(particles)[np.triu_indices(len(particles), 1)])
    return float(np.median(distances)) ** 2 / math.log(len(particles) + 1) or 1.0


def radial_kernel(points: FloatArray, bandwidth: float) -> tuple[FloatArray, FloatArray]:
    """Kernel exp(-|j - i|^2 / bandwidth) of (n, P) points, (n, n), and what drives them apart, (n, P).

    The drive on point i is sum_j grad_j k(j, i), which for this kernel is minus its gradient by i itself.
    """
    kernel: FloatArray = np.exp(-_squared_distances(points) / bandwidth)
    drive: FloatArray = 2.0 / bandwidth * (kernel.sum(axis=0)[:, None] * points - kernel @ points)
    return kernel, drive


def stein_direction(particles: FloatArray, gradients: FloatArray, bandwidth: float) -> FloatArray:
    """(n, P) directions 1/n sum_j [ gradient_j k(j, i) + grad_j k(j, i) ], with k = exp(-|j - i|^2 / bandwidth).

    The first term moves particles where their neighbours want to go, the second drives them apart.

    Args:
        particles: (n, P) weights.
        gradients: (n, P) of the logarithm of the density to be approximated, at the particles.
        bandwidth: of the kernel, a squared distance.
    """
    kernel, drive = radial_kernel(particles, bandwidth)
    direction: FloatArray = (kernel @ gradients + drive) / len(particles)
    return direction


def policy_stein_direction(
    controller: Controller,
    particles: FloatArray,
    gradients: FloatArray,
    sequences: tuple[IntArray, Mask],
    bandwidth: float,
) -> FloatArray:
    """(n, P) directions as of `stein_direction`, with a radial kernel between policies in place of weights.

    The point of a policy holds the square roots of its probabilities in all decisions of the given sequences, so that
    the squared distance of two is their mean squared Hellinger distance, twice that of the textbook, from 0 to 2. Each
    controller is driven apart along the gradient of the kernel by its own weights, which for a kernel between weights
    is the term of the paper.

    Args:
        controller: the network.
        particles: (n, P) weights.
        gradients: (n, P) of the logarithm of the density to be approximated, at the particles.
        sequences: (m, L) tokens in whose decisions policies are compared, and which decisions are made.
        bandwidth: of the kernel, a squared distance of such points; 0 for `median_bandwidth`.
    """
    runs = [controller.forward(weights, *sequences) for weights in particles]
    made = sequences[1][:, :, None]
    scale = 1.0 / math.sqrt(max(1, int(made.sum())))
    policies = [np.where(made, np.exp(run.log_probabilities), 0.0) for run in runs]
    roots = np.stack([scale * np.sqrt(policy) for policy in policies])
    points = roots.reshape(len(particles), -1)
    kernel, drives = radial_kernel(points, bandwidth or median_bandwidth(points))
    directions: FloatArray = kernel @ gradients
    for i, (run, policy) in enumerate(zip(runs, policies, strict=True)):
        by_logarithm = 0.5 * drives[i].reshape(policy.shape) * roots[i]
        by_score = by_logarithm - policy * by_logarithm.sum(axis=2, keepdims=True)
        directions[i] += controller.backward(particles[i], run, by_score)
    return directions / len(particles)


def _squared_distances(particles: FloatArray) -> FloatArray:
    squares: FloatArray = ((particles[:, None] - particles[None]) ** 2).sum(axis=2)
    return squares
