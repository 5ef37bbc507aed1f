"""The basic block of residual networks: two 3x3 convolutions and a shortcut (He et al. 2016)."""

from __future__ import annotations

from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.ops import ActivationKind


def residual(
    net: Net, x: Tensor, filters: int, stride: int, activation: ActivationKind, drop_rate: float = 0.0
) -> Tensor:
    """Two 3x3 convolutions, added to the input, which is projected where shapes differ.

    Args:
        net: what reads it.
        x: (height, width, channels).
        filters: channels of both convolutions and of the output.
        stride: 1 or 2, of the first convolution.
        activation: between the convolutions and behind the sum.
        drop_rate: rate of stochastic depth on the residual branch.
    """
    shortcut = x
    x = net.norm(net.conv(x, filters, 3, stride=stride, name="first_conv"), name="first_norm")
    x = net.activation(x, activation, name="first_activation")
    x = net.norm(net.conv(x, filters, 3, name="second_conv"), name="second_norm")
    x = net.dropout(x, drop_rate, per_example=True, name="drop_path")
    if shortcut.shape != x.shape:
        with net.scope("shortcut"):
            shortcut = net.norm(net.conv(shortcut, filters, 1, stride=stride))
    return net.activation(net.add(x, shortcut, name="add"), activation, name="activation")
