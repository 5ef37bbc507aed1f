"""The layers of the Evolved Transformer's search space (So, Liang and Le 2019).

Vocabulary of section 3 and appendix A: 25 layers in the encoder, and one more, attention to the encoder, in the
decoder. What the paper leaves open follows Tensor2Tensor's `nas_layers`: convolutions and linear layers have
biases, depthwise kernels and the projections of attention have none, and the keys of attention are as wide as its
input.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from autoglyph.search_spaces.net import Net, Tensor
from autoglyph.search_spaces.ops_sequence import LightweightConv, SequenceAttention

SEPARABLE_WIDTHS = (3, 5, 7, 9, 11)
LIGHTWEIGHT_WIDTHS = (3, 5, 7, 15)
LIGHTWEIGHT_REPEATS = (1, 4, 16)
HEADS = (4, 8, 16)
IDENTITY, DEAD, ATTEND = "identity", "dead_branch", "attend_to_encoder"


@dataclass(frozen=True)
class Surroundings:
    """What the layers of a cell find beside their input.

    Attributes:
        causal: whether a position may see none behind it, as in a decoder.
        heads: of the attention to the encoder.
        widest: most channels of a hidden state.
        relative: distances of relative positions in self-attention, 0 for none.
        dropout: rate behind every layer but the identity.
        mask: (length, 1) of the cell's own sequence, None where nothing can be padding that is seen.
        encoded: (other length, channels) what the encoder put out, in a decoder.
        encoded_mask: (other length, 1) its padding.
    """

    causal: bool
    heads: int
    widest: int
    relative: int = 0
    dropout: float = 0.0
    mask: Tensor | None = None
    encoded: Tensor | None = None
    encoded_mask: Tensor | None = None


Layer = Callable[[Net, Tensor, int, Surroundings], Tensor]
"""(net, input, output channels, surroundings) -> output; names are within the scope of the branch."""


def attention(
    net: Net,
    x: Tensor,
    channels: int,
    heads: int,
    *,
    context: Tensor | None = None,
    mask: Tensor | None = None,
    causal: bool = False,
    relative: int = 0,
) -> Tensor:
    """Multi-head attention without biases, its keys as wide as its input.

    Args:
        net: what reads it.
        x: (length, in), the queries.
        channels: of the output.
        heads: how many; they must divide the channels of the input.
        context: source of keys and values; None for `x`.
        mask: (keys, 1), 0 at keys that must not be seen.
        causal: whether a position sees only itself and those before it.
        relative: distances of relative positions, 0 for none.
    """
    source = x if context is None else context
    q = net.dense(x, x.channels, use_bias=False, name="query")
    k = net.dense(source, x.channels, use_bias=False, name="key")
    v = net.dense(source, x.channels, use_bias=False, name="value")
    op = SequenceAttention(name="attention", heads=heads, causal=causal, relative=relative)
    attended = net.apply(op, q, k, v, *([mask] if mask is not None else []))
    return net.dense(attended, channels, use_bias=False, name="output")


def _identity(net: Net, x: Tensor, channels: int, around: Surroundings) -> Tensor:
    return x


def _standard(net: Net, x: Tensor, channels: int, around: Surroundings, *, width: int) -> Tensor:
    if width == 1:
        return net.dense(x, channels)
    x, padding = _before_window(net, x, width, around)
    return net.conv(x, channels, width, use_bias=True, padding=padding)


def _separable(net: Net, x: Tensor, channels: int, around: Surroundings, *, width: int) -> Tensor:
    x, padding = _before_window(net, x, width, around)
    return net.dense(net.depthwise_conv(x, width, padding=padding, name="depthwise"), channels, name="pointwise")


def _lightweight(net: Net, x: Tensor, channels: int, around: Surroundings, *, width: int, repeats: int) -> Tensor:
    x, padding = _before_window(net, x, width, around)
    return net.apply(LightweightConv(name="lightweight", kernel=width, repeats=repeats, padding=padding), x)


def _self_attention(net: Net, x: Tensor, channels: int, around: Surroundings, *, heads: int) -> Tensor:
    return attention(net, x, channels, heads, mask=around.mask, causal=around.causal, relative=around.relative)


def _gated_linear_unit(net: Net, x: Tensor, channels: int, around: Surroundings) -> Tensor:
    values = net.dense(x, channels, name="values")
    gates = net.activation(net.dense(x, channels, name="gates"), "sigmoid", name="sigmoid")
    return net.multiply(values, gates, name="gated")


def _attend(net: Net, x: Tensor, channels: int, around: Surroundings) -> Tensor:
    if around.encoded is None:
        raise ValueError("Only a decoder attends to the encoder: choose another layer in the encoder.")
    return attention(net, x, channels, around.heads, context=around.encoded, mask=around.encoded_mask)


def _before_window(net: Net, x: Tensor, width: int, around: Surroundings) -> tuple[Tensor, Literal["same", "valid"]]:
    """The input without what is at padding, and shifted where the future must not be seen; how to pad it then."""
    if around.causal:
        return net.zero_pad(x, (width - 1, 0), name="shift"), "valid"
    return x if around.mask is None else net.multiply(x, around.mask, name="unpadded"), "same"


ENCODER_LAYERS: Mapping[str, Layer] = {
    **{f"standard_conv_{w}x1": partial(_standard, width=w) for w in (1, 3)},
    **{f"separable_conv_{w}x1": partial(_separable, width=w) for w in SEPARABLE_WIDTHS},
    **{
        f"lightweight_conv_{w}x1_r_{r}": partial(_lightweight, width=w, repeats=r)
        for w in LIGHTWEIGHT_WIDTHS
        for r in LIGHTWEIGHT_REPEATS
    },
    **{f"attention_{h}_heads": partial(_self_attention, heads=h) for h in HEADS},
    "gated_linear_unit": _gated_linear_unit,
    IDENTITY: _identity,
    DEAD: _identity,
}
"""The 25 layers of the encoder by name; a dead branch is never built."""

DECODER_LAYERS: Mapping[str, Layer] = {**ENCODER_LAYERS, ATTEND: _attend}
"""The 26 layers of the decoder by name."""


def keeps_channels(layer: str) -> bool:
    """Whether the output has the channels of the input, whatever relative dimension is chosen."""
    return layer == IDENTITY or layer.startswith("lightweight")
