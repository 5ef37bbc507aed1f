"""The mobile inverted bottleneck and its fused form.

Sandler et al. 2018 (MobileNetV2), Tan and Le 2019 (EfficientNet: squeeze-and-excitation inside), Gupta and
Tan 2019 (EfficientNet-EdgeTPU: expansion and depthwise convolution fused into one convolution).
"""

from __future__ import annotations

import pyglove as pg

from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.ops import ActivationKind


class MBConv(pg.Object):
    """Expand, convolve by channel, squeeze and excite, project; with a skip where shapes allow.

    Attributes:
        input_filters: channels that expansion counts from; the input may have others after space-to-depth.
        filters: channels of the output.
        kernel: side of the spatial kernel.
        stride: 1 or 2.
        expansion: inner channels as a multiple of `input_filters`; 1 leaves the expansion out.
        squeeze: channels of the squeeze-and-excitation bottleneck, 0 for none.
        activation: "relu" or "swish".
        fused: a full convolution in place of expansion and depthwise convolution.
        drop_rate: rate of stochastic depth on the residual branch.
    """

    input_filters: int
    filters: int
    kernel: int
    stride: int
    expansion: int
    squeeze: int
    activation: ActivationKind
    fused: bool
    drop_rate: float = 0.0

    def build(self, net: Net, x: Tensor) -> Tensor:
        """Writes the block in the architecture language."""
        return mbconv(
            net,
            x,
            self.input_filters,
            self.filters,
            self.kernel,
            self.stride,
            self.expansion,
            self.squeeze,
            self.activation,
            self.fused,
            self.drop_rate,
        )


def mbconv(
    net: Net,
    x: Tensor,
    input_filters: int,
    filters: int,
    kernel: int,
    stride: int,
    expansion: int,
    squeeze: int,
    activation: ActivationKind,
    fused: bool,
    drop_rate: float = 0.0,
) -> Tensor:
    """Writes an `MBConv` of these attributes without making the symbolic object.

    Networks call it once a block, where making an object of PyGlove would cost several times the reading.
    """
    shortcut, inner = x, input_filters * expansion
    if fused:
        x = net.conv(x, inner, kernel, stride=stride, name="fused_conv")
        x = _norm_and_activate(net, x, activation, "fused")
    else:
        if expansion != 1 or x.channels != inner:
            x = net.conv(x, inner, 1, name="expand_conv")
            x = _norm_and_activate(net, x, activation, "expand")
        x = net.depthwise_conv(x, kernel, stride=stride, name="depthwise_conv")
        x = _norm_and_activate(net, x, activation, "depthwise")
    if squeeze:
        x = squeeze_excite(net, x, squeeze, activation)
    x = net.norm(net.conv(x, filters, 1, name="project_conv"), name="project_norm")
    if stride == 1 and input_filters == filters and shortcut.shape == x.shape:
        x = net.add(net.dropout(x, drop_rate, per_example=True, name="drop_path"), shortcut, name="add")
    return x


def _norm_and_activate(net: Net, x: Tensor, activation: ActivationKind, prefix: str) -> Tensor:
    return net.activation(net.norm(x, name=f"{prefix}_norm"), activation, name=f"{prefix}_activation")


def squeeze_excite(net: Net, x: Tensor, squeeze: int, activation: ActivationKind) -> Tensor:
    """Scales channels by a gate computed from their means (Hu et al. 2018), with biased 1x1 convolutions."""
    with net.scope("se"):
        gate = net.global_pool(x, keep_dimensions=True, name="pool")
        gate = net.activation(net.conv(gate, squeeze, 1, use_bias=True, name="reduce"), activation, name="activation")
        gate = net.conv(gate, x.channels, 1, use_bias=True, name="expand")
        return net.multiply(x, net.activation(gate, "sigmoid", name="gate"), name="excite")
