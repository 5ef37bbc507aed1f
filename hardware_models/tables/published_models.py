"""Published image classifiers by name: tables of benchmark pages with the columns model, device and latency_ms.

Names as on Coral's benchmark page (https://coral.ai/docs/edgetpu/benchmarks), batch 1. Rows of networks that are
not written below (detectors, segmenters, Inception v4) are left out, and so are rows that are only recalled where
the table has a column `status`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Self

import numpy as np

from autoglyph.hardware_models.fusion import Fusion
from autoglyph.hardware_models.measured import Column, MeasuredTable, Row, number
from autoglyph.hardware_models.workload import Workload, record
from autoglyph.search_spaces.architecture import Architecture, Segment
from autoglyph.search_spaces.architectures.efficientnet import EfficientNet, Scaling, Stage
from autoglyph.search_spaces.blocks.mbconv import mbconv
from autoglyph.search_spaces.net import Net, Tensor

HEADINGS = frozenset(("model", "device", "input_size", "latency_ms"))

_DEVICES = {"Coral USB Accelerator USB3": "coral_edge_tpu"}
_CLASSES = 1000

Body = Callable[[Net, Tensor], Tensor]


class PublishedModel(Architecture):
    """A classifier of `BODIES`.

    Attributes:
        name: which.
        size: side of the square input, pixels.
        channels: of the input image.
        classes: outputs of the classifier.
    """

    name: str
    size: int = 224
    channels: int = 3
    classes: int = _CLASSES

    def segments(self) -> Sequence[Segment]:
        """The whole network as one segment."""
        return [Segment("net", ("name", "size", "channels", "classes"), _classifier)]

    @property
    def resolution(self) -> int:
        """Side of the square input, pixels."""
        return int(self.size)

    def proxy(self, *, resolution: int, channels: int, classes: int, width: float) -> Self:
        """The same network for small images; published widths are kept."""
        small: Self = self.for_data(channels=channels, classes=classes)
        small.rebind(size=resolution, raise_on_no_change=False)
        return small


def _classifier(net: Net, _: Tensor | None, name: str, size: int, channels: int, classes: int) -> Tensor:
    x = BODIES[name](net, net.input((size, size, channels)))
    return net.dense(net.global_pool(x) if len(x.shape) == 3 else x, classes, name="classifier")


def _conv(
    net: Net, x: Tensor, filters: int, kernel: int, stride: int = 1, *, name: str = "conv", active: bool = True
) -> Tensor:
    with net.scope(name):
        x = net.norm(net.conv(x, filters, kernel, stride=stride))
        return net.activation(x, "relu") if active else x


def _vgg(repeats: Sequence[int]) -> Body:
    """Simonyan and Zisserman 2015, with its three dense layers; the first is written as a product of all pixels."""

    def body(net: Net, x: Tensor) -> Tensor:
        for stage, (count, filters) in enumerate(zip(repeats, (64, 128, 256, 512, 512), strict=True)):
            for i in range(count):
                x = net.activation(net.conv(x, filters, 3, use_bias=True, name=f"conv{stage}_{i}"), "relu")
            x = net.pool(x, "max", 2, stride=2)
        side = x.shape[0]
        # every output of the first dense layer reads all pixels: one valid convolution, here a strided one
        x = net.activation(net.conv(x, 4096, side, stride=side, use_bias=True, name="dense1"), "relu")
        return net.activation(net.dense(net.global_pool(x), 4096, name="dense2"), "relu")

    return body


def _resnet(repeats: Sequence[int]) -> Body:
    """He et al. 2016, bottlenecks with the stride in the 3x3 convolution."""

    def body(net: Net, x: Tensor) -> Tensor:
        x = net.pool(_conv(net, x, 64, 7, 2, name="stem"), "max", 3, stride=2)
        for stage, count in enumerate(repeats):
            for i in range(count):
                x = net.block(f"stage{stage}_{i}", _bottleneck, x, 64 * 2**stage, 2 if stage and i == 0 else 1)
        return x

    return body


def _bottleneck(net: Net, x: Tensor, filters: int, stride: int) -> Tensor:
    y = _conv(net, x, filters, 1, name="reduce")
    y = _conv(net, y, filters, 3, stride, name="spatial")
    y = _conv(net, y, 4 * filters, 1, name="expand", active=False)
    if x.shape != y.shape:
        x = _conv(net, x, 4 * filters, 1, stride, name="shortcut", active=False)
    return net.activation(net.add(y, x), "relu")


def _resnet_v2(repeats: Sequence[int]) -> Body:
    """He et al. 2016 (identity mappings): normalisation and activation before the convolutions."""

    def body(net: Net, x: Tensor) -> Tensor:
        x = net.pool(net.conv(x, 64, 7, stride=2, use_bias=True, name="stem"), "max", 3, stride=2)
        for stage, count in enumerate(repeats):
            for i in range(count):
                x = net.block(f"stage{stage}_{i}", _bottleneck_v2, x, 64 * 2**stage, 2 if stage and i == 0 else 1)
        return net.activation(net.norm(x, name="last"), "relu")

    return body


def _bottleneck_v2(net: Net, x: Tensor, filters: int, stride: int) -> Tensor:
    before = net.activation(net.norm(x, name="before"), "relu", name="before_relu")
    y = _conv(net, before, filters, 1, name="reduce")
    y = _conv(net, y, filters, 3, stride, name="spatial")
    y = net.conv(y, 4 * filters, 1, use_bias=True, name="expand")
    if x.shape != y.shape:
        x = net.conv(before, 4 * filters, 1, stride=stride, use_bias=True, name="shortcut")
    return net.add(y, x)


def _mobilenet_v1(net: Net, x: Tensor) -> Tensor:
    """Howard et al. 2017, width 1."""
    x = _conv(net, x, 32, 3, 2, name="stem")
    plan = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), *[(512, 1)] * 5, (1024, 2), (1024, 1)]
    for i, (filters, stride) in enumerate(plan):
        with net.scope(f"block{i}"):
            x = net.activation(net.norm(net.depthwise_conv(x, 3, stride=stride)), "relu")
            x = _conv(net, x, filters, 1, name="point")
    return x


def _mobilenet_v2(net: Net, x: Tensor) -> Tensor:
    """Sandler et al. 2018, width 1."""
    x = _conv(net, x, 32, 3, 2, name="stem")
    plan = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    for stage, (expansion, filters, count, first_stride) in enumerate(plan):
        for i in range(count):
            settings = (x.channels, filters, 3, 1 if i else first_stride, expansion, 0, "relu", False)
            x = net.block(f"stage{stage}_{i}", mbconv, x, *settings)
    return _conv(net, x, 1280, 1, name="head")


def _squeezenet(net: Net, x: Tensor) -> Tensor:
    """Iandola et al. 2016, version 1.0; its classifier is a 1x1 convolution before the pooling."""
    x = net.pool(net.activation(net.conv(x, 96, 7, stride=2, use_bias=True), "relu"), "max", 3, stride=2)
    for i, squeeze in enumerate((16, 16, 32, 32, 48, 48, 64, 64)):
        x = net.block(f"fire{i}", _fire, x, squeeze)
        x = net.pool(x, "max", 3, stride=2) if i in (2, 6) else x
    return x


def _fire(net: Net, x: Tensor, squeeze: int) -> Tensor:
    x = net.activation(net.conv(x, squeeze, 1, use_bias=True, name="squeeze"), "relu")
    wide = [net.conv(x, 4 * squeeze, kernel, use_bias=True, name=f"expand{kernel}") for kernel in (1, 3)]
    return net.concat(*[net.activation(each, "relu") for each in wide])


def _inception_v1(net: Net, x: Tensor) -> Tensor:
    """Szegedy et al. 2015 (GoogLeNet)."""
    x = net.pool(_conv(net, x, 64, 7, 2, name="stem1"), "max", 3, stride=2)
    x = _conv(net, _conv(net, x, 64, 1, name="stem2"), 192, 3, name="stem3")
    plan = [
        (64, 96, 128, 16, 32, 32), (128, 128, 192, 32, 96, 64), (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64), (128, 128, 256, 24, 64, 64), (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128), (256, 160, 320, 32, 128, 128), (384, 192, 384, 48, 128, 128),
    ]  # fmt: skip
    for i, widths in enumerate(plan):
        x = net.pool(x, "max", 3, stride=2) if i in (0, 2, 7) else x
        x = net.block(f"inception{i}", _inception, x, *widths)
    return x


def _inception(net: Net, x: Tensor, direct: int, before3: int, at3: int, before5: int, at5: int, pooled: int) -> Tensor:
    small = _conv(net, _conv(net, x, before3, 1, name="before3"), at3, 3, name="at3")
    large = _conv(net, _conv(net, x, before5, 1, name="before5"), at5, 3, name="at5")
    pool = _conv(net, net.pool(x, "max", 3), pooled, 1, name="pooled")
    return net.concat(_conv(net, x, direct, 1, name="direct"), small, large, pool)


BODIES: Mapping[str, Body] = {
    "Inception v1": _inception_v1,
    "MobileNet v1": _mobilenet_v1,
    "MobileNet v2": _mobilenet_v2,
    "ResNet-50 V1": _resnet((3, 4, 6, 3)),
    "ResNet-50 V2": _resnet_v2((3, 4, 6, 3)),
    "ResNet-152 V2": _resnet_v2((3, 8, 36, 3)),
    "SqueezeNet": _squeezenet,
    "VGG16": _vgg((2, 2, 3, 3, 3)),
    "VGG19": _vgg((2, 2, 4, 4, 4)),
}
EDGE_TPU_SCALINGS = {"S": (1.0, 1.0), "M": (1.0, 1.1), "L": (1.2, 1.4)}  # width, depth


def efficientnet_edgetpu(variant: str, resolution: int) -> EfficientNet:
    """EfficientNet-EdgeTPU "S", "M" or "L" (Gupta and Tan 2019): no squeeze-and-excitation, ReLU, fused beginnings."""
    plan = [  # fused, kernel, stride, expansion, filters, repeats
        (True, 3, 1, 4, 24, 1), (True, 3, 2, 8, 32, 2), (True, 3, 2, 8, 48, 4),
        (False, 5, 2, 8, 96, 5), (False, 5, 1, 8, 144, 4), (False, 5, 2, 8, 192, 2),
    ]  # fmt: skip
    stages = [
        Stage(
            filters=filters,
            repeats=repeats,
            stride=stride,
            op="fused_mbconv" if fused else "mbconv",
            kernel=kernel,
            expansion=expansion,
            se_ratio=0.0,
            activation="relu",
        )
        for fused, kernel, stride, expansion, filters, repeats in plan
    ]
    width, depth = EDGE_TPU_SCALINGS[variant]
    scaling = Scaling(width=width, depth=depth, resolution=resolution)
    return EfficientNet(stages=stages, stem_filters=24, activation="relu", scaling=scaling)


def architecture(name: str, size: int) -> Architecture | None:
    """The network of that name as a benchmark page has it, None if it is not written here."""
    if name in BODIES:
        return PublishedModel(name=name, size=size)
    family, _, variant = name.removesuffix("*").rpartition("-")
    if family == "EfficientNet-EdgeTpu" and variant in EDGE_TPU_SCALINGS:
        return efficientnet_edgetpu(variant, size)
    return None


def read(rows: Sequence[Row]) -> MeasuredTable:
    """Networks that are written here, with one column for each device that has a device file."""
    found: dict[tuple[str, int], Architecture] = {}
    latency_s: dict[str, dict[tuple[str, int], float]] = {}
    for row in rows:
        if row["device"] not in _DEVICES or row.get("status") == "recalled" or not row["input_size"]:
            continue
        key = (row["model"], int(float(row["input_size"])))
        network = architecture(*key)
        if network is not None:
            found[key] = network
            latency_s.setdefault(row["device"], {})[key] = number(row["latency_ms"]) * 1e-3
    if not found:
        raise ValueError(f"no row has a network of {', '.join(BODIES)} on {', '.join(_DEVICES)}.")
    keys = list(found)

    def workload(index: int, fusion: Fusion) -> Workload:
        return record(found[keys[index]], fusion=fusion)

    columns = {
        device: Column(_DEVICES[device], 1, np.array([times.get(key, float("nan")) for key in keys]))
        for device, times in latency_s.items()
    }
    return MeasuredTable([f"{name} {size}" for name, size in keys], workload, columns)
