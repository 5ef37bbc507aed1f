"""The bottleneck block of residual networks, plain and as ResNet-RS has it.

He et al. 2016 (ResNet; the stride is in the 3x3 convolution), He et al. 2019 ("Bag of Tricks", ResNet-D: the
shortcut is pooled before its projection), Hu et al. 2018 (squeeze-and-excitation before the sum), Bello et al.
2021 ("Revisiting ResNets").
"""

from __future__ import annotations

import pyglove as pg

from autoglyph.search_spaces.blocks.mbconv import squeeze_excite
from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.ops import ActivationKind

EXPANSION = 4


class Bottleneck(pg.Object):
    """Reduce, convolve, expand fourfold; add to the input, which is projected where shapes differ.

    Attributes:
        filters: channels of the 3x3 convolution; the output has four times as many.
        stride: 1 or 2.
        se_ratio: squeeze channels as a fraction of the output's, 0 for no squeeze-and-excitation.
        pooled_shortcut: 2x2 average pooling carries the stride of the shortcut (ResNet-D), not its 1x1 projection.
        activation: "relu" or "swish".
        drop_rate: rate of stochastic depth on the residual branch.
    """

    filters: int
    stride: int = 1
    se_ratio: float = 0.0
    pooled_shortcut: bool = False
    activation: ActivationKind = "relu"
    drop_rate: float = 0.0

    def build(self, net: Net, x: Tensor) -> Tensor:
        """Writes the block in the architecture language."""
        return bottleneck(
            net, x, self.filters, self.stride, self.se_ratio, self.pooled_shortcut, self.activation, self.drop_rate
        )


def bottleneck(
    net: Net,
    x: Tensor,
    filters: int,
    stride: int,
    se_ratio: float,
    pooled_shortcut: bool,
    activation: ActivationKind,
    drop_rate: float = 0.0,
) -> Tensor:
    """Writes a `Bottleneck` of these attributes without making the symbolic object."""
    shortcut = x
    x = net.norm(net.conv(x, filters, 1, name="reduce_conv"), name="reduce_norm")
    x = net.activation(x, activation, name="reduce_activation")
    x = net.norm(net.conv(x, filters, 3, stride=stride, name="spatial_conv"), name="spatial_norm")
    x = net.activation(x, activation, name="spatial_activation")
    x = net.norm(net.conv(x, EXPANSION * filters, 1, name="expand_conv"), name="expand_norm")
    if se_ratio:
        x = squeeze_excite(net, x, max(1, int(x.channels * se_ratio)), activation)
    x = net.dropout(x, drop_rate, per_example=True, name="drop_path")
    if shortcut.shape != x.shape:
        shortcut = _projected(net, shortcut, x.channels, stride, pooled_shortcut)
    return net.activation(net.add(x, shortcut, name="add"), activation, name="activation")


def _projected(net: Net, x: Tensor, channels: int, stride: int, pooled: bool) -> Tensor:
    with net.scope("shortcut"):
        if pooled and stride > 1:
            x, stride = net.pool(x, "average", stride, stride=stride), 1
        return net.norm(net.conv(x, channels, 1, stride=stride))
