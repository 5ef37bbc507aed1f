"""The mobile inverted bottleneck and its fused form.

Sandler et al. 2018 (MobileNetV2), Tan and Le 2019 (EfficientNet: squeeze-and-excitation inside), Gupta and
Tan 2019 (EfficientNet-EdgeTPU: expansion and depthwise convolution fused into one convolution).
"""

from __future__ import annotations

import pyglove as pg

from autoglyph.search_spaces.net import Net, Tensor


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
    activation: str
    fused: bool
    drop_rate: float = 0.0

    def build(self, net: Net, x: Tensor) -> Tensor:
        """Writes the block in the architecture language."""
        shortcut, inner = x, self.input_filters * self.expansion
        if self.fused:
            x = net.conv(x, inner, self.kernel, stride=self.stride, name="fused_conv")
            x = self._norm_and_activate(net, x, "fused")
        else:
            if self.expansion != 1 or x.channels != inner:
                x = self._norm_and_activate(net, net.conv(x, inner, 1, name="expand_conv"), "expand")
            x = net.depthwise_conv(x, self.kernel, stride=self.stride, name="depthwise_conv")
            x = self._norm_and_activate(net, x, "depthwise")
        if self.squeeze:
            x = squeeze_excite(net, x, self.squeeze, self.activation)
        x = net.norm(net.conv(x, self.filters, 1, name="project_conv"), name="project_norm")
        if self.stride == 1 and self.input_filters == self.filters and shortcut.shape == x.shape:
            x = net.add(
                net.dropout(x, self.drop_rate, per_example=True, name="drop_path"), shortcut, name="add"
            )
        return x

    def _norm_and_activate(self, net: Net, x: Tensor, prefix: str) -> Tensor:
        return net.activation(
            net.norm(x, name=f"{prefix}_norm"), self.activation, name=f"{prefix}_activation"
        )


def squeeze_excite(net: Net, x: Tensor, squeeze: int, activation: str) -> Tensor:
    """Scales channels by a gate computed from their means (Hu et al. 2018), with biased 1x1 convolutions."""
    with net.scope("se"):
        gate = net.global_pool(x, keep_dimensions=True, name="pool")
        gate = net.activation(
            net.conv(gate, squeeze, 1, use_bias=True, name="reduce"), activation, name="activation"
        )
        gate = net.conv(gate, x.channels, 1, use_bias=True, name="expand")
        return net.multiply(x, net.activation(gate, "sigmoid", name="gate"), name="excite")
